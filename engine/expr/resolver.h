// Binds the names of a tree: to slots, to what macros bring in, to types, to functions.
#pragma once

#include <cstddef>
#include <expected>
#include <vector>

#include "engine/expr/ast.h"
#include "engine/expr/environment.h"
#include "engine/expr/expression.h"
#include "engine/expr/problem.h"

namespace canorun::expr {

struct Resolution {
  std::vector<Reference> references;  ///< in the order of the text
  std::size_t locals = 0;             ///< how many places the tree's locals need
};

/// The first name or function that is not there, or is called with a wrong number of arguments, is a
/// problem. The functions stay referred to: they live as long as the program.
std::expected<Resolution, Problem> resolve(Node& root, const Environment& environment);

}  // namespace canorun::expr
