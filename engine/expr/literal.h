// What number and string tokens mean.
#pragma once

#include <expected>

#include "engine/expr/problem.h"
#include "engine/expr/token.h"
#include "engine/expr/value.h"

namespace canorun::expr {

/// The value of a number, string or bytes token. `negative` numbers had a minus before them, so that
/// the smallest int can be written. Numbers out of range and unknown escapes are problems.
std::expected<Value, Problem> literal_value(const Token& token, bool negative = false);

}  // namespace canorun::expr
