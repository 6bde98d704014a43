#include "engine/expr/environment.h"

#include <algorithm>
#include <utility>

namespace canorun::expr {

std::size_t Environment::declare(std::string name) {
  names_.push_back(std::move(name));
  return names_.size() - 1;
}

std::optional<std::size_t> Environment::slot(std::string_view name) const {
  const auto found = std::find(names_.begin(), names_.end(), name);
  if (found == names_.end()) return std::nullopt;
  return static_cast<std::size_t>(found - names_.begin());
}

}  // namespace canorun::expr
