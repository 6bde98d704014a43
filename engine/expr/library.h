// The functions of the language.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/expr/budget.h"
#include "engine/expr/signature.h"
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

/// `kVariadic`: a global; more than two arguments are as one list of them.
enum class Style : std::uint8_t { kGlobal, kMethod, kEither, kVariadic };

/// One overload.
struct Function {
  std::string_view name;  ///< with its namespace: `math.abs`
  Style style;
  Signature signature;  ///< the receiver is the first parameter
  Result<Value> (*run)(const Invocation& call);
};

/// The overloads of that name that can be called so; empty when there is none. They live as long as
/// the program.
std::span<const Function> find_functions(std::string_view name, bool as_method);

/// The signatures of what `find_functions` gave, as types.
std::span<const Overload> overloads(std::span<const Function> functions);

/// Every name that can be called so.
std::vector<std::string_view> function_names(bool as_method);

}  // namespace canorun::expr
