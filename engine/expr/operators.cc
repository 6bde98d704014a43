#include "engine/expr/operators.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <limits>

#include "engine/expr/order.h"
#include "engine/expr/time.h"

namespace canorun::expr {
namespace {

constexpr std::array<std::string_view, 12> kSymbols{"+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "in"};

std::unexpected<Error> mismatch(Operator op, const Value& left, const Value& right) {
  const bool text = op == Operator::kAdd && left.is(Kind::kString) != right.is(Kind::kString) &&
                    (left.is(Kind::kString) || right.is(Kind::kString));
  return fail(fmt::format("'{}' does not go with {} and {}", symbol(op), type_name(left), type_name(right)),
              text ? "convert with string()" : "");
}

std::unexpected<Error> overflow(Operator op, const Value& left) {
  const std::string_view type = left.is(Kind::kInt) ? "an int" : "a uint";
  return fail(fmt::format("the result of '{}' does not fit into {}", symbol(op), type));
}

template <class Integer>
Value number(Integer value) {
  if constexpr (std::is_signed_v<Integer>) {
    return Value::integer(value);
  } else {
    return Value::unsigned_integer(value);
  }
}

template <class Integer>
Result<Value> integers(Operator op, Integer a, Integer b, const Value& left) {
  Integer out{};
  bool over = false;
  switch (op) {
    case Operator::kAdd: over = __builtin_add_overflow(a, b, &out); break;
    case Operator::kSubtract: over = __builtin_sub_overflow(a, b, &out); break;
    case Operator::kMultiply: over = __builtin_mul_overflow(a, b, &out); break;
    default:
      if (b == 0) return fail(op == Operator::kDivide ? "division by zero" : "remainder of a division by zero");
      if constexpr (std::is_signed_v<Integer>) over = b == -1 && a == std::numeric_limits<Integer>::min();
      if (!over) out = op == Operator::kDivide ? a / b : a % b;
  }
  if (over) return overflow(op, left);
  return number(out);
}

double as_floating(const Value& value) {
  if (value.is(Kind::kInt)) return static_cast<double>(value.as_int());
  return value.is(Kind::kUint) ? static_cast<double>(value.as_uint()) : value.as_double();
}

Result<Value> numbers(Operator op, const Value& left, const Value& right) {
  if (left.is(Kind::kInt) && right.is(Kind::kInt)) return integers(op, left.as_int(), right.as_int(), left);
  if (left.is(Kind::kUint) && right.is(Kind::kUint)) return integers(op, left.as_uint(), right.as_uint(), left);
  if (!left.is(Kind::kDouble) && !right.is(Kind::kDouble)) {
    return fail(mismatch(op, left, right).error().message, "convert with int() or uint()");
  }
  const double a = as_floating(left);
  const double b = as_floating(right);
  switch (op) {
    case Operator::kAdd: return Value::floating(a + b);
    case Operator::kSubtract: return Value::floating(a - b);
    case Operator::kMultiply: return Value::floating(a * b);
    case Operator::kDivide: return Value::floating(a / b);
    default: return fail("'%' is only for whole numbers", "convert with int()");
  }
}

Result<Value> join_texts(const Value& left, const Value& right, Budget& budget) {
  const std::size_t size = left.as_text().size() + right.as_text().size();
  if (size > kMaxSize) return fail(kTextTooLarge);
  budget.charge_bytes(size);
  std::string joined;
  joined.reserve(size);
  joined.append(left.as_text()).append(right.as_text());
  return left.is(Kind::kBytes) ? Value::bytes(std::move(joined)) : Value::string(std::move(joined));
}

Result<Value> join_lists(const Value& left, const Value& right, Budget& budget) {
  std::vector<Value> joined;
  if (!budget.charge(left.size() + right.size())) return Value();
  joined.reserve(left.size() + right.size());
  for (const Value* list : {&left, &right}) {
    for (std::size_t i = 0; i < list->size(); ++i) joined.push_back(list->at(i));
  }
  return Value::list(std::move(joined));
}

// Timestamps and durations.
Result<Value> times(Operator op, const Value& left, const Value& right) {
  const bool plus = op == Operator::kAdd;
  const bool from_time = left.is(Kind::kTimestamp);
  const bool to_time = right.is(Kind::kTimestamp);
  if ((plus && from_time && to_time) || (!plus && !from_time && to_time)) return mismatch(op, left, right);
  const Instant result = (plus ? add : subtract)(left.as_instant(), right.as_instant());
  if (from_time != to_time) {
    if (!in_timestamp_range(result)) return fail("the timestamp is out of range");
    return Value::timestamp(result);
  }
  if (!in_duration_range(result)) return fail("the duration is out of range");
  return Value::duration(result);
}

bool is_time(const Value& value) { return value.is(Kind::kTimestamp) || value.is(Kind::kDuration); }

Result<Value> arithmetic(Operator op, const Value& left, const Value& right, Budget& budget) {
  if (left.is_number() && right.is_number()) return numbers(op, left, right);
  const bool add_or_subtract = op == Operator::kAdd || op == Operator::kSubtract;
  if (add_or_subtract && is_time(left) && is_time(right)) return times(op, left, right);
  if (op == Operator::kAdd && left.kind() == right.kind()) {
    if (left.is(Kind::kString) || left.is(Kind::kBytes)) return join_texts(left, right, budget);
    if (left.is(Kind::kList)) return join_lists(left, right, budget);
  }
  return mismatch(op, left, right);
}

Result<Value> contains(const Value& item, const Value& container, Budget& budget) {
  if (container.is(Kind::kMap)) {
    charge_lookup(container, item, budget);
    return Value::boolean(container.get(item).has_value());
  }
  if (!container.is(Kind::kList)) return mismatch(Operator::kIn, item, container);
  const std::size_t size = container.size();
  for (std::size_t i = 0; i < size; ++i) {
    if (equal(item, container.at(i), budget)) return Value::boolean(true);
    if (budget.spent()) break;
  }
  return Value::boolean(false);
}

}  // namespace

std::string_view symbol(Operator op) { return kSymbols[static_cast<std::size_t>(op)]; }

Result<Value> apply(Operator op, const Value& left, const Value& right, Budget& budget) {
  switch (op) {
    case Operator::kAdd:
    case Operator::kSubtract:
    case Operator::kMultiply:
    case Operator::kDivide:
    case Operator::kModulo: return arithmetic(op, left, right, budget);
    case Operator::kEqual: return Value::boolean(equal(left, right, budget));
    case Operator::kNotEqual: return Value::boolean(!equal(left, right, budget));
    case Operator::kIn: return contains(left, right, budget);
    case Operator::kLess:
    case Operator::kLessEqual:
    case Operator::kGreater:
    case Operator::kGreaterEqual: break;
  }
  if (left.is(Kind::kString) || left.is(Kind::kBytes)) budget.charge_bytes(left.as_text().size());
  const auto order = compare(left, right);
  if (!order) return mismatch(op, left, right);
  if (op == Operator::kLess) return Value::boolean(*order < 0);
  if (op == Operator::kLessEqual) return Value::boolean(*order <= 0);
  return Value::boolean(op == Operator::kGreater ? *order > 0 : *order >= 0);
}

Result<Value> negate(const Value& operand) {
  if (operand.is(Kind::kDouble)) return Value::floating(-operand.as_double());
  if (!operand.is(Kind::kInt)) return fail(fmt::format("'-' does not go with {}", type_name(operand)));
  return numbers(Operator::kSubtract, Value::integer(0), operand);
}

}  // namespace canorun::expr
