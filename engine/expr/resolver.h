// Binds the names of a tree: to slots, to what macros bring in, to types, to functions.
#pragma once

#include <cstddef>
#include <vector>

#include "engine/expr/ast.h"
#include "engine/expr/environment.h"
#include "engine/expr/expression.h"
#include "engine/expr/problem.h"

namespace canorun::expr {

struct Resolution {
  /// Names and functions that are not there, and calls with a wrong number of arguments. They fail when they are
  /// evaluated.
  std::vector<Problem> problems;
  std::vector<Reference> references;  ///< in the order of the text
  std::size_t locals = 0;             ///< how many places the tree's locals need
};

/// The functions stay referred to: they live as long as the program.
Resolution resolve(Node& root, const Environment& environment);

}  // namespace canorun::expr
