// Methods that are not functions: they bring names into scope or do not evaluate all they are given.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/expr/ast.h"

namespace canorun::expr {

/// A macro is known by its name and how many arguments it has: first `locals` names, then expressions.
struct Macro {
  std::string_view name;
  std::uint8_t arguments;
  std::uint8_t locals;
  std::string_view usage;
  decltype(Step::form) (*make)(std::vector<Local> locals, std::vector<NodePtr> expressions);
};

/// The macro of that name with so many arguments; null when there is none.
const Macro* find_macro(std::string_view name, std::size_t arguments);

/// Any macro of that name; null when there is none.
const Macro* find_macro(std::string_view name);

}  // namespace canorun::expr
