// Strings with `${{ expression }}` in them, and whole values made of such strings.
#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/value.h"
#include "engine/expr/expression.h"

namespace canorun::expr {

/// True when `text` holds a `${{` that is not written `$${{`.
bool has_template(std::string_view text);

/// One string. `$${{` is a literal `${{`. Immutable.
class Template {
 public:
  struct Piece {
    std::string text;  ///< literal text, when there is no expression
    std::shared_ptr<const Expression> expression;
    Span span;   ///< of the whole piece, braces included, in the template's text
    Span inner;  ///< of the expression's text, without braces and outer blanks
  };

  /// All problems of the text, with spans in `text` (not in the expression).
  static std::expected<Template, std::vector<Problem>> compile(std::string_view text, const Environment& environment);

  const std::vector<Piece>& pieces() const { return pieces_; }
  /// No expression in it: `evaluate` always gives the same string.
  bool is_literal() const;

  /// A template that is one `${{ }}` keeps the expression's type; otherwise the result is a string.
  /// Spans of problems are in the template's text.
  std::expected<Json, Problem> evaluate(std::span<const Value> slots) const;

 private:
  class Compiler;
  static std::expected<Json, Problem> evaluate_piece(const Piece& piece, std::span<const Value> slots);

  std::vector<Piece> pieces_;
};

/// A JSON-like tree whose strings may be templates. Immutable, cheap to copy.
class Tree {
 public:
  Tree() = default;
  static Tree of(Json literal);
  static Tree of(Template text);
  static Tree list(std::vector<Tree> elements);
  static Tree map(std::vector<std::pair<std::string, Tree>> entries);

  /// The value, when no template is in it: what is wholly literal was put together once, when it was
  /// made. Valid as long as a copy of the tree is.
  const Json* literal() const;
  /// The template, when the root is one with an expression in it.
  const Template* as_template() const;

  std::expected<Json, Problem> evaluate(std::span<const Value> slots) const;

  /// The value, with what `with` gives in place of every template.
  Json replace(const std::function<Json(const Template&)>& with) const;

  /// Every template of the tree, in order.
  void visit(const std::function<void(const Template&)>& visitor) const;

 private:
  struct Node;
  std::shared_ptr<const Node> node_;
};

}  // namespace canorun::expr
