// Compiles the expressions and templates of a flow, each problem with its place in the file.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/expr/expression.h"
#include "engine/expr/template.h"
#include "workflows/flow_types.h"
#include "workflows/names.h"
#include "workflows/reader.h"
#include "workflows/results.h"

namespace canorun::workflows {

/// What a value is for, where not every value will do.
struct Want {
  std::string what;    ///< for messages: 'argv'
  std::string wanted;  ///< a list of texts
  model::JsonKinds kinds = model::json::kAny;
  std::string element_wanted = {};  ///< of what is inside a list or a map
  model::JsonKinds element_kinds = model::json::kAny;
};

/// Borrows what it is made with. Nothing is given where something was reported.
class Expressions {
 public:
  /// `reads` is told of what reads the results of states.
  Expressions(Reader& reader, const FlowTypes& types, const Names& names, ResultReads& reads)
      : reader_(reader), types_(types), names_(names), reads_(reads) {}

  struct Condition {
    expr::Expression expression;
    std::uint32_t offset = 0;  ///< where it begins in the text of its node
  };
  struct Typed {
    Condition condition;
    expr::Type type;
    Span span;  ///< in the file
  };
  /// The value of the key `what`: an expression without braces (one whole `${{ }}` and a YAML bool are
  /// taken too).
  std::optional<Typed> expression(const Node& node, std::string_view what, const Place& place);
  /// One whose value is `wanted` (a list), as far as that is known.
  std::optional<Typed> expression(const Node& node, std::string_view what, const Place& place, expr::TypeKind kind,
                                  std::string_view wanted);
  /// One that is true or false.
  std::optional<Condition> condition(const Node& node, std::string_view what, const Place& place);

  /// A scalar that may hold templates. What is known not to be wanted is reported.
  std::optional<expr::Template> text(const Node& node, const Place& place, const Want& want = {});

  /// What a scalar is made of, also where some of it is wrong.
  struct Pieces {
    std::vector<expr::Template::Piece> all;  ///< expressions that cannot be read are `null`
    std::optional<expr::Template> whole;     ///< none: something was reported
    expr::Type type;
    expr::Type inner = {};  ///< of its last expression
  };
  Pieces pieces(const Node& node, const Place& place);

  /// A value of any type whose strings may hold templates. With `as_text`, scalars stay what is
  /// written: `1.10` is that text and no number. Literal values are not compared with what is wanted.
  std::optional<expr::Tree> tree(const Node& node, const Place& place, bool as_text = false, const Want& want = {});

  /// Note what a text or a condition without problems reads at another moment than that of its place.
  void note(const Node& node, const expr::Template& text, Moment moment);
  void note(const Node& node, const Condition& condition, Moment moment);

  /// The type of a value without problems.
  expr::Type type(const expr::Tree& tree, const Place& place) const;

 private:
  std::optional<Typed> plain_expression(const Node& node, const Place& place);
  std::optional<Typed> template_expression(const Node& node, std::string_view what, const Place& place);
  std::optional<expr::Type> check(const Node& node, std::uint32_t offset, const expr::Expression& expression,
                                  const Place& place);
  bool fits(Span span, const expr::Type& type, const Want& want, std::string hint = {});
  void report(const Node& node, const expr::Problem& problem, const Place& place, std::uint32_t offset = 0);
  void report_field(const Span& span, const expr::Problem& problem);
  std::optional<expr::Tree> list(const Node& node, const Place& place, bool as_text, const Want& want);
  std::optional<expr::Tree> map(const Node& node, const Place& place, bool as_text, const Want& want);

  bool too_much_work(const Node& node);

  Reader& reader_;
  const FlowTypes& types_;
  const Names& names_;
  ResultReads& reads_;
  std::size_t template_work_left_ = 200'000'000;
};

/// The first node below `node` that holds a template; null when there is none.
const Node* find_template(const Node& node);

}  // namespace canorun::workflows
