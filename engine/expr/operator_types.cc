// What the operators take and give, as far as types are known before evaluation.
#include <algorithm>
#include <ranges>
#include <vector>

#include "engine/expr/operators.h"

namespace canorun::expr {
namespace {

using enum Operator;

struct Row {
  Operator op;
  Signature signature;
};

// Sorted by operator; comparisons are all as those of kLess. What an operand of an unknown type is taken for
// is the first row that fits: a number of another type only where nothing else does.
constexpr auto kRows = std::to_array<Row>({
    {kAdd, "(bytes, bytes) -> bytes"},
    {kAdd, "(double, double) -> double"},
    {kAdd, "(duration, duration) -> duration"},
    {kAdd, "(duration, timestamp) -> timestamp"},
    {kAdd, "(int, int) -> int"},
    {kAdd, "(list(A), list(A)) -> list(A)"},
    {kAdd, "(string, string) -> string"},
    {kAdd, "(timestamp, duration) -> timestamp"},
    {kAdd, "(uint, uint) -> uint"},
    {kSubtract, "(double, double) -> double"},
    {kSubtract, "(duration, duration) -> duration"},
    {kSubtract, "(int, int) -> int"},
    {kSubtract, "(timestamp, duration) -> timestamp"},
    {kSubtract, "(timestamp, timestamp) -> duration"},
    {kSubtract, "(uint, uint) -> uint"},
    {kMultiply, "(double, double) -> double"},
    {kMultiply, "(int, int) -> int"},
    {kMultiply, "(uint, uint) -> uint"},
    {kDivide, "(double, double) -> double"},
    {kDivide, "(int, int) -> int"},
    {kDivide, "(uint, uint) -> uint"},
    {kModulo, "(int, int) -> int"},
    {kModulo, "(uint, uint) -> uint"},
    {kLess, "(bool, bool) -> bool"},
    {kLess, "(bytes, bytes) -> bool"},
    {kLess, "(double, double) -> bool"},
    {kLess, "(duration, duration) -> bool"},
    {kLess, "(int, int) -> bool"},
    {kLess, "(string, string) -> bool"},
    {kLess, "(timestamp, timestamp) -> bool"},
    {kLess, "(uint, uint) -> bool"},
    {kLess, "(int, uint) -> bool"},
    {kLess, "(int, double) -> bool"},
    {kLess, "(uint, int) -> bool"},
    {kLess, "(uint, double) -> bool"},
    {kLess, "(double, int) -> bool"},
    {kLess, "(double, uint) -> bool"},
    {kIn, "(A, list(A)) -> bool"},
    {kIn, "(A, map(A, B)) -> bool"},
});
static_assert(std::ranges::is_sorted(kRows, {}, &Row::op));

}  // namespace

std::span<const Overload> overloads(Operator op) {
  static const std::vector<Overload> kOverloads = [] {
    std::vector<Overload> all;
    for (const Row& row : kRows) all.push_back(row.signature.overload());
    return all;
  }();
  if (op == kLessEqual || op == kGreater || op == kGreaterEqual) op = kLess;
  const auto rows = std::ranges::equal_range(kRows, op, {}, &Row::op);
  return std::span(kOverloads).subspan(static_cast<std::size_t>(rows.begin() - kRows.begin()), rows.size());
}

}  // namespace canorun::expr
