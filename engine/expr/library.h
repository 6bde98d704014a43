// The functions of the language.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/expr/budget.h"
#include "engine/expr/value.h"

namespace canorun::expr {

struct Function;

/// One call. The receiver of `x.f(y)` is the first argument.
struct Invocation {
  const Function& function;
  std::span<const Value> arguments;
  Budget& budget;

  const Value& operator[](std::size_t index) const { return arguments[index]; }
  std::size_t size() const { return arguments.size(); }
  /// True when the first arguments are of these kinds and there are no more.
  bool are(std::initializer_list<Kind> kinds) const;
  /// "contains() does not take (string, int)".
  std::unexpected<Error> mismatch() const;
};

enum class Style : std::uint8_t { kGlobal, kMethod, kEither };

inline constexpr std::uint8_t kAnyNumber = 255;

struct Function {
  std::string_view name;  ///< with its namespace: `math.abs`
  Style style;
  std::uint8_t fewest;  ///< arguments, the receiver counted
  std::uint8_t most;
  Result<Value> (*run)(const Invocation& call);
};

/// The function of that name that can be called so; null when there is none.
const Function* find_function(std::string_view name, bool as_method);

/// Every name that can be called so.
std::vector<std::string_view> function_names(bool as_method);

}  // namespace canorun::expr
