// The names an expression may use, each with a slot that its value is put into.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/expr/signature.h"

namespace canorun::expr {

/// Built once when a flow is compiled; expressions resolve names to slots then, so that evaluation
/// looks nothing up by name.
class Environment {
 public:
  using Overloads = std::shared_ptr<const std::vector<Overload>>;

  /// Gives `name` the next slot, counting from 0. One that is not `common` is no suggestion to who wrote
  /// another: it is rarely of use.
  std::size_t declare(std::string name, bool common = true);
  /// Makes a function known to the checker; an expression that calls it cannot be evaluated. Of a method
  /// the first parameter is the receiver.
  void declare_function(std::string name, bool method, std::vector<Overload> overloads);

  std::optional<std::size_t> slot(std::string_view name) const;
  const std::vector<std::string>& names() const { return names_; }
  const std::vector<std::string>& common() const { return common_; }
  /// Null when no such function was declared.
  Overloads function(std::string_view name, bool method) const;

 private:
  struct Function {
    std::string name;
    bool method;
    Overloads overloads;
  };
  std::vector<std::string> names_, common_;
  std::vector<Function> functions_;
};

}  // namespace canorun::expr
