// Reading fields and elements out of values.
#pragma once

#include "engine/base/result.h"
#include "engine/expr/ast.h"
#include "engine/expr/budget.h"
#include "engine/expr/value.h"

namespace canorun::expr {

/// `target.name`, `target.?name` and `has(target.name)`. What is read from an optional is optional.
Result<Value> read_field(const Value& target, const Field& field, Budget& budget);

/// `target[key]` and `target[?key]`, of a list or a map.
Result<Value> read_index(const Value& target, const Value& key, bool optional, Budget& budget);

}  // namespace canorun::expr
