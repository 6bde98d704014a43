// Walks a resolved tree and computes its value.
#pragma once

#include <cstddef>
#include <expected>
#include <memory>
#include <span>

#include "engine/expr/ast.h"
#include "engine/expr/problem.h"
#include "engine/expr/value.h"

namespace canorun::expr {

/// Evaluates `root` with `slots` as the environment's values and places for `locals` of the tree's own.
/// Bounded in time and memory by a `Budget` of its own.
std::expected<Value, Problem> evaluate(const Node& root, std::size_t locals, std::span<const Value> slots);

}  // namespace canorun::expr
