// The math extension.
#include <cmath>
#include <limits>

#include "engine/expr/functions.h"
#include "engine/expr/operators.h"
#include "engine/expr/order.h"

namespace canorun::expr::functions {
namespace {

// The largest (`side` 1) or smallest (-1) of the arguments, or of one list; the first of equal ones.
Result<Value> extreme(Call call, int side) {
  const bool list = call.size() == 1 && call[0].is(Kind::kList);
  const std::size_t count = list ? call[0].size() : call.size();
  if (count == 0 || !call.budget.charge(count)) return fail("the list is empty");
  std::optional<Value> best;
  for (std::size_t i = 0; i < count; ++i) {
    const Value value = list ? call[0].at(i) : call[i];
    if (!value.is_number()) return call.mismatch();
    const auto order = best ? *compare(value, *best) : std::partial_ordering::equivalent;
    if (!best || (side > 0 ? order > 0 : order < 0)) best = value;
  }
  return *best;
}

template <class Function>
Result<Value> of_double(Call call, Function function) {
  if (!call.are({Kind::kDouble})) return call.mismatch();
  return Value::floating(function(call[0].as_double()));
}

template <class Test>
Result<Value> test_double(Call call, Test test) {
  if (!call.are({Kind::kDouble})) return call.mismatch();
  return Value::boolean(test(call[0].as_double()));
}

// Two ints or two uints, bit by bit.
template <class Combine>
Result<Value> bitwise(Call call, Combine combine) {
  if (call.are({Kind::kInt, Kind::kInt})) {
    const auto left = static_cast<std::uint64_t>(call[0].as_int());
    const auto right = static_cast<std::uint64_t>(call[1].as_int());
    return Value::integer(static_cast<std::int64_t>(combine(left, right)));
  }
  if (!call.are({Kind::kUint, Kind::kUint})) return call.mismatch();
  return Value::unsigned_integer(combine(call[0].as_uint(), call[1].as_uint()));
}

// Signed numbers are shifted as their 64 bits; 64 and more leave nothing.
template <class Shift>
Result<Value> shifted(Call call, Shift shift) {
  if (!call.are({Kind::kInt, Kind::kInt}) && !call.are({Kind::kUint, Kind::kInt})) return call.mismatch();
  const std::int64_t by = call[1].as_int();
  if (by < 0) return fail("a shift cannot be negative");
  const bool is_signed = call[0].is(Kind::kInt);
  const std::uint64_t bits = is_signed ? static_cast<std::uint64_t>(call[0].as_int()) : call[0].as_uint();
  const std::uint64_t moved = by >= 64 ? 0 : shift(bits, by);
  return is_signed ? Value::integer(static_cast<std::int64_t>(moved)) : Value::unsigned_integer(moved);
}

}  // namespace

Result<Value> greatest(Call call) { return extreme(call, 1); }

Result<Value> least(Call call) { return extreme(call, -1); }

Result<Value> absolute(Call call) {
  if (call.are({Kind::kUint})) return call[0];
  if (call.are({Kind::kDouble})) return Value::floating(std::fabs(call[0].as_double()));
  if (!call.are({Kind::kInt})) return call.mismatch();
  return call[0].as_int() < 0 ? negate(call[0]) : call[0];
}

Result<Value> sign(Call call) {
  if (call.are({Kind::kUint})) return Value::unsigned_integer(call[0].as_uint() > 0 ? 1 : 0);
  if (call.are({Kind::kInt})) return Value::integer((call[0].as_int() > 0) - (call[0].as_int() < 0));
  return of_double(call, [](double x) { return std::isnan(x) ? x : static_cast<double>((x > 0) - (x < 0)); });
}

Result<Value> ceiling(Call call) {
  return of_double(call, [](double x) { return std::ceil(x); });
}

Result<Value> floor(Call call) {
  return of_double(call, [](double x) { return std::floor(x); });
}

Result<Value> round(Call call) {
  return of_double(call, [](double x) { return std::round(x); });
}

Result<Value> truncate(Call call) {
  return of_double(call, [](double x) { return std::trunc(x); });
}

Result<Value> square_root(Call call) {
  if (call.are({Kind::kInt})) return Value::floating(std::sqrt(static_cast<double>(call[0].as_int())));
  if (call.are({Kind::kUint})) return Value::floating(std::sqrt(static_cast<double>(call[0].as_uint())));
  return of_double(call, [](double x) { return std::sqrt(x); });
}

Result<Value> is_nan(Call call) {
  return test_double(call, [](double x) { return std::isnan(x); });
}

Result<Value> is_infinite(Call call) {
  return test_double(call, [](double x) { return std::isinf(x); });
}

Result<Value> is_finite(Call call) {
  return test_double(call, [](double x) { return std::isfinite(x); });
}

Result<Value> bit_and(Call call) {
  return bitwise(call, [](std::uint64_t a, std::uint64_t b) { return a & b; });
}

Result<Value> bit_or(Call call) {
  return bitwise(call, [](std::uint64_t a, std::uint64_t b) { return a | b; });
}

Result<Value> bit_xor(Call call) {
  return bitwise(call, [](std::uint64_t a, std::uint64_t b) { return a ^ b; });
}

Result<Value> bit_not(Call call) {
  if (call.are({Kind::kInt})) return Value::integer(~call[0].as_int());
  if (!call.are({Kind::kUint})) return call.mismatch();
  return Value::unsigned_integer(~call[0].as_uint());
}

Result<Value> shift_left(Call call) {
  return shifted(call, [](std::uint64_t bits, std::int64_t by) { return bits << by; });
}

Result<Value> shift_right(Call call) {
  return shifted(call, [](std::uint64_t bits, std::int64_t by) { return bits >> by; });
}

}  // namespace canorun::expr::functions
