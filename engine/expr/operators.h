// What the operators do with values.
#pragma once

#include <span>
#include <string_view>

#include "engine/base/result.h"
#include "engine/expr/ast.h"
#include "engine/expr/budget.h"
#include "engine/expr/signature.h"
#include "engine/expr/value.h"

namespace canorun::expr {

/// `+`, `in` and so on, as the language writes it.
std::string_view symbol(Operator op);

/// What it takes and gives; nothing for `==` and `!=`, which compare what is comparable.
std::span<const Overload> overloads(Operator op);

/// Numbers of one type stay in it, and overflow is an error; a double beside an int or uint makes the
/// operation one of doubles, as values whose type is only known at run time need it.
Result<Value> apply(Operator op, const Value& left, const Value& right, Budget& budget);

Result<Value> negate(const Value& operand);

}  // namespace canorun::expr
