// A compiled CEL expression (https://github.com/google/cel-spec, langdef).
#pragma once

#include <expected>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/expr/environment.h"
#include "engine/expr/problem.h"
#include "engine/expr/type.h"
#include "engine/expr/value.h"

namespace canorun::expr {

/// A name of the environment and the fields read from it: `states.fetch.output` is
/// {states, fetch, output}. Only fields known when the text is read (`.name` and `["name"]`).
struct Reference {
  struct Part {
    std::string name;
    Span span;
    bool optional = false;  ///< read with `.?` or `[?]`, or asked for by `has()`
  };
  std::vector<Part> parts;
};

/// What is known of an expression before it is evaluated.
struct Checked {
  Type type;                      ///< without variables; dyn where nothing is known
  std::vector<Problem> problems;  ///< in the order of the text; of very many, the first that were found
};

/// Immutable and cheap to copy; may be evaluated from any thread.
class Expression {
 public:
  /// None: may only be assigned to and destroyed.
  Expression() = default;

  /// Parses `text` and resolves its names. The text is copied. Fails where it is no expression; names and
  /// functions that are not there are `problems()`.
  static std::expected<Expression, Problem> compile(std::string_view text, const Environment& environment);

  /// What is known to be wrong whatever the types, in the order of the text; of very many, the first.
  const std::vector<Problem>& problems() const;

  /// Deduces the type, with one type per slot of the environment; a slot without one is dyn. A part with a
  /// problem is taken for dyn, so that one mistake gives one problem. `problems()` are among its problems.
  Checked check(std::span<const Type> slots) const;

  /// Evaluates with one value per slot of the environment. Values are borrowed: the result may refer
  /// into them and must not outlive them.
  std::expected<Value, Problem> evaluate(std::span<const Value> slots) const;

  const std::string& text() const;
  const std::vector<Reference>& references() const;
  /// The value, when the expression is one literal (`true`, `3`, `'x'`).
  const Value* literal() const;

 private:
  struct Compiled;
  explicit Expression(std::shared_ptr<const Compiled> compiled);
  std::shared_ptr<const Compiled> compiled_;
};

}  // namespace canorun::expr
