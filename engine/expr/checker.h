// Walks a resolved tree and deduces its type.
#pragma once

#include <cstddef>
#include <span>

#include "engine/expr/ast.h"
#include "engine/expr/expression.h"
#include "engine/expr/type.h"

namespace canorun::expr {

/// Deduces the type of `root`, and finds the problems of types in no order, with `slots` as the types of the
/// environment's values and places for `locals` of the tree's own. A slot that `slots` does not reach is dyn.
Checked check(const Node& root, std::size_t locals, std::span<const Type> slots);

}  // namespace canorun::expr
