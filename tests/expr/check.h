// Compiles and checks one text, and shows what came out.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "evaluate.h"

namespace canorun::expr {

using Declared = std::map<std::string, Type, std::less<>>;

/// "list(int)", or every problem on a line of its own: "0-3: … (hint)".
inline std::string check(std::string_view text, const Declared& names = {}) {
  Environment environment;
  std::vector<Type> slots;
  for (const auto& [name, type] : names) {
    environment.declare(name);
    slots.push_back(type);
  }
  const auto expression = Expression::compile(text, environment);
  if (!expression) return show(expression.error());
  const Checked checked = expression->check(slots);
  std::string all;
  for (const Problem& problem : checked.problems) all += (all.empty() ? "" : "\n") + show(problem);
  return all.empty() ? checked.type.text() : all;
}

}  // namespace canorun::expr
