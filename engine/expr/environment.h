// The names an expression may use, each with a slot that its value is put into.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace canorun::expr {

/// Built once when a flow is compiled; expressions resolve names to slots then, so that evaluation
/// looks nothing up by name.
class Environment {
 public:
  /// Gives `name` the next slot, counting from 0.
  std::size_t declare(std::string name);

  std::optional<std::size_t> slot(std::string_view name) const;
  const std::vector<std::string>& names() const { return names_; }

 private:
  std::vector<std::string> names_;
};

}  // namespace canorun::expr
