// Reading checked parameters.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/value.h"

namespace canorun::tasks {

/// A map of name to text, in order of the names; empty when the parameter is not given.
inline std::vector<std::pair<std::string, std::string>> text_pairs(const Json& params, std::string_view name) {
  std::vector<std::pair<std::string, std::string>> pairs;
  const auto found = params.find(name);
  if (found == params.end()) return pairs;
  for (const auto& [key, value] : found->items()) pairs.emplace_back(key, value.get<std::string>());
  return pairs;
}

}  // namespace canorun::tasks
