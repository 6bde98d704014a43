#include "engine/expr/order.h"

#include <bit>
#include <utility>

namespace canorun::expr {
namespace {

std::partial_ordering compare_integers(std::int64_t a, std::uint64_t b) {
  if (a < 0) return std::partial_ordering::less;
  return static_cast<std::uint64_t>(a) <=> b;
}

double as_floating(const Value& number) {
  if (number.is(Kind::kInt)) return static_cast<double>(number.as_int());
  return number.is(Kind::kUint) ? static_cast<double>(number.as_uint()) : number.as_double();
}

// Beside a double, an integer is compared as the nearest double: above 2^53 that is not exact, and it is
// what the conformance cases want.
std::partial_ordering compare_numbers(const Value& a, const Value& b) {
  if (a.is(Kind::kDouble) || b.is(Kind::kDouble)) return as_floating(a) <=> as_floating(b);
  if (a.is(Kind::kInt) && b.is(Kind::kInt)) return a.as_int() <=> b.as_int();
  if (a.is(Kind::kUint) && b.is(Kind::kUint)) return a.as_uint() <=> b.as_uint();
  if (a.is(Kind::kInt)) return compare_integers(a.as_int(), b.as_uint());
  return 0 <=> compare_integers(b.as_int(), a.as_uint());
}

bool equal_lists(const Value& a, const Value& b, Budget& budget) {
  const std::size_t size = a.size();
  if (size != b.size()) return false;
  for (std::size_t i = 0; i < size; ++i) {
    if (!equal(a.at(i), b.at(i), budget)) return false;
  }
  return true;
}

bool equal_maps(const Value& a, const Value& b, Budget& budget) {
  const std::size_t size = a.size();
  if (size != b.size() || !budget.charge(size)) return false;
  for (const Value& key : a.keys()) {
    charge_lookup(b, key, budget);
    const auto left = a.get(key);
    const auto right = b.get(key);
    if (!left || !right || !equal(*left, *right, budget)) return false;
  }
  return true;
}

bool equal_optionals(const Value* a, const Value* b, Budget& budget) {
  if (a == nullptr || b == nullptr) return a == b;
  return equal(*a, *b, budget);
}

int key_rank(const Value& key) {
  if (key.is(Kind::kBool)) return 0;
  return key.is_number() ? 1 : 2;
}

}  // namespace

bool equal(const Value& a, const Value& b, Budget& budget) {
  if (!budget.charge()) return false;
  if (a.is_number() && b.is_number()) return compare_numbers(a, b) == 0;
  if (a.kind() != b.kind()) return false;
  switch (a.kind()) {
    case Kind::kNull: return true;
    case Kind::kBool: return a.as_bool() == b.as_bool();
    case Kind::kString:
    case Kind::kBytes: return budget.charge_bytes(a.as_text().size()) && a.as_text() == b.as_text();
    case Kind::kList: return equal_lists(a, b, budget);
    case Kind::kMap: return equal_maps(a, b, budget);
    case Kind::kTimestamp:
    case Kind::kDuration: return a.as_instant() == b.as_instant();
    case Kind::kType: return a.as_type() == b.as_type();
    case Kind::kOptional: return equal_optionals(a.as_optional(), b.as_optional(), budget);
    case Kind::kInt:
    case Kind::kUint:
    case Kind::kDouble: break;
  }
  return false;
}

std::optional<std::partial_ordering> compare(const Value& a, const Value& b) {
  if (a.is_number() && b.is_number()) return compare_numbers(a, b);
  if (a.kind() != b.kind()) return std::nullopt;
  switch (a.kind()) {
    case Kind::kBool: return a.as_bool() <=> b.as_bool();
    case Kind::kString:
    case Kind::kBytes: return a.as_text() <=> b.as_text();
    case Kind::kTimestamp:
    case Kind::kDuration: return a.as_instant() <=> b.as_instant();
    default: return std::nullopt;
  }
}

void charge_lookup(const Value& map, const Value& key, Budget& budget) {
  if (key.is(Kind::kString))
    budget.charge_bytes(key.as_text().size() * static_cast<std::size_t>(std::bit_width(map.size())));
}

bool key_less(const Value& a, const Value& b) {
  const int rank = key_rank(a);
  if (rank != key_rank(b)) return rank < key_rank(b);
  return compare(a, b).value_or(std::partial_ordering::equivalent) < 0;
}

}  // namespace canorun::expr
