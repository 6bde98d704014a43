// Compiles the expressions and templates of a flow, each problem with its place in the file.
#pragma once

#include <optional>
#include <string_view>

#include "engine/expr/expression.h"
#include "engine/expr/template.h"
#include "workflows/names.h"
#include "workflows/reader.h"
#include "workflows/results.h"

namespace canorun::workflows {

/// Borrows what it is made with. Nothing is given where something was reported.
class Expressions {
 public:
  /// `reads` is told of what reads the results of states.
  Expressions(Reader& reader, const Names& names, ResultReads& reads) : reader_(reader), names_(names), reads_(reads) {}

  /// The value of the key `what`, true or false when evaluated: an expression without braces (one whole
  /// `${{ }}` and a YAML bool are taken too).
  std::optional<expr::Expression> condition(const Node& node, std::string_view what, const Place& place);

  /// A scalar that may hold templates.
  std::optional<expr::Template> text(const Node& node, const Place& place);

  /// A value of any type whose strings may hold templates. With `as_text`, scalars stay what is
  /// written: `1.10` is that text and no number.
  std::optional<expr::Tree> tree(const Node& node, const Place& place, bool as_text = false);

  /// Reports a problem of the text of `node`; its span counts from `offset` in that text.
  void report(const Node& node, const expr::Problem& problem, std::uint32_t offset = 0);

 private:
  std::optional<expr::Expression> whole_template(const Node& node, std::string_view what, const Place& place);
  bool check_names(const Node& node, const expr::Expression& expression, const Place& place, std::uint32_t offset);
  std::optional<expr::Tree> list(const Node& node, const Place& place, bool as_text);
  std::optional<expr::Tree> map(const Node& node, const Place& place, bool as_text);

  bool too_much_work(const Node& node);

  Reader& reader_;
  const Names& names_;
  ResultReads& reads_;
  std::size_t template_work_left_ = 200'000'000;
};

/// The first node below `node` that holds a template; null when there is none.
const Node* find_template(const Node& node);

}  // namespace canorun::workflows
