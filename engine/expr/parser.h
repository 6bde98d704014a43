// Text to tree.
#pragma once

#include <cstddef>
#include <expected>
#include <string_view>

#include "engine/expr/ast.h"
#include "engine/expr/problem.h"

namespace canorun::expr {

/// How deep brackets, arguments and conditionals may nest.
inline constexpr std::size_t kMaxNesting = 250;

/// The tree of one whole expression. Literals are decoded and macros recognised; names and functions
/// are not looked up. The tree does not refer into `text`.
std::expected<NodePtr, Problem> parse(std::string_view text);

}  // namespace canorun::expr
