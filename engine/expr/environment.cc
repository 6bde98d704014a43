#include "engine/expr/environment.h"

#include <algorithm>
#include <utility>

namespace canorun::expr {

std::size_t Environment::declare(std::string name, bool common) {
  if (common) common_.push_back(name);
  names_.push_back(std::move(name));
  return names_.size() - 1;
}

void Environment::declare_function(std::string name, bool method, std::vector<Overload> overloads) {
  functions_.push_back({std::move(name), method, std::make_shared<const std::vector<Overload>>(std::move(overloads))});
}

std::optional<std::size_t> Environment::slot(std::string_view name) const {
  const auto found = std::find(names_.begin(), names_.end(), name);
  if (found == names_.end()) return std::nullopt;
  return static_cast<std::size_t>(found - names_.begin());
}

Environment::Overloads Environment::function(std::string_view name, bool method) const {
  const auto found =
      std::ranges::find_if(functions_, [&](const Function& f) { return f.name == name && f.method == method; });
  return found == functions_.end() ? nullptr : found->overloads;
}

}  // namespace canorun::expr
