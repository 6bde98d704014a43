#include "workflows/expressions.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "engine/base/blanks.h"
#include "engine/expr/record.h"

namespace canorun::workflows {
namespace {

expr::Template::Piece moved(expr::Template::Piece piece, std::size_t by) {
  const auto shift = static_cast<std::uint32_t>(by);
  piece.span = {piece.span.begin + shift, piece.span.end + shift};
  piece.inner = {piece.inner.begin + shift, piece.inner.end + shift};
  return piece;
}

// The pieces of a text in which some expressions cannot be read: the others can have problems of their own.
std::vector<expr::Template::Piece> mended(std::string_view text, const std::vector<expr::Problem>& problems,
                                          const expr::Environment& environment) {
  static const auto kNull =
      std::make_shared<const expr::Expression>(*expr::Expression::compile("null", model::environment()));
  std::vector<expr::Template::Piece> pieces;
  std::size_t at = 0;
  const auto take_until = [&](std::size_t end) {
    const auto good = expr::Template::compile(text.substr(at, end - at), environment);
    if (!good) return;
    for (const expr::Template::Piece& piece : good->pieces()) pieces.push_back(moved(piece, at));
  };
  for (const expr::Problem& problem : problems) {
    const std::size_t begin = text.rfind("${{", problem.span.begin);
    if (begin == std::string_view::npos || begin < at) continue;
    take_until(begin);
    const std::size_t close = text.find("}}", std::max<std::size_t>(problem.span.end, begin + 3));
    at = close == std::string_view::npos ? text.size() : close + 2;
    const Span span{static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(at)};
    pieces.push_back({.text = {}, .expression = kNull, .span = span, .inner = span});
  }
  take_until(text.size());
  return pieces;
}

Want of_element(const Want& want) {
  if (want.element_kinds == model::json::kAny) return {};
  return {
      .what = fmt::format("an element of {}", want.what), .wanted = want.element_wanted, .kinds = want.element_kinds};
}

// The expression that has nothing beside it but blanks; null when there is none.
const expr::Template::Piece* only_expression(const std::vector<expr::Template::Piece>& pieces) {
  const expr::Template::Piece* only = nullptr;
  for (const expr::Template::Piece& piece : pieces) {
    if (!piece.expression && trimmed(piece.text).empty()) continue;
    if (!piece.expression || only != nullptr) return nullptr;
    only = &piece;
  }
  return only;
}

bool may_hold_template(const Node& node) { return node.is_text() && node.text.find("${{") != std::string::npos; }

}  // namespace

const Node* find_template(const Node& node) {
  if (node.is_scalar()) return node.is_text() && expr::has_template(node.text) ? &node : nullptr;
  for (const Node* element : node.list) {
    if (const Node* found = find_template(*element)) return found;
  }
  for (const Entry& entry : node.map) {
    if (const Node* found = find_template(*entry.value)) return found;
  }
  return nullptr;
}

void Expressions::report(const Node& node, const expr::Problem& problem, const Place& place, std::uint32_t offset) {
  const Span in_text{problem.span.begin + offset, problem.span.end + offset};
  const Span span = reader_.document.part(node, in_text);
  if (problem.kind == expr::ProblemKind::kUnknownField) return report_field(span, problem);
  if (problem.kind == expr::ProblemKind::kUnknownName) {
    const auto name = std::string_view(node.text).substr(in_text.begin, in_text.end - in_text.begin);
    if (auto hint = names_.where(name, place); !hint.empty())
      return reader_.report.error(code_of(problem.kind), span, problem.message, std::move(hint));
  }
  reader_.report.error(code_of(problem.kind), span, problem.message, problem.hint);
}

void Expressions::report_field(const Span& span, const expr::Problem& problem) {
  using model::RecordTag;
  const std::string name = problem.field.substr(0, 80);
  const bool is_run = static_cast<RecordTag>(problem.record->tag()) == RecordTag::kRun;
  std::string hint = is_run && model::ended_run_type().record()->find(name) != nullptr
                         ? "it is there in 'on_end'"
                         : types_.how_to_get(*problem.record, name);
  if (hint.empty() && reader_.report.may_guess(problem.record->size())) {
    hint = reader_.report.guess(name, problem.record->names()).hint;
  }
  switch (static_cast<RecordTag>(problem.record->tag())) {
    case RecordTag::kInputs:
      return reader_.report.error(Code::kUnknownInput, span, fmt::format("unknown input '{}'", name), std::move(hint));
    case RecordTag::kVars:
      return reader_.report.error(Code::kUnknownVariable, span, fmt::format("unknown variable '{}'", name),
                                  std::move(hint));
    case RecordTag::kStates:
      return reader_.report.error(Code::kUnknownState, span, fmt::format("unknown state '{}'", name), std::move(hint));
    case RecordTag::kEnv:
    case RecordTag::kState:
    case RecordTag::kRun:
    case RecordTag::kAction:
    case RecordTag::kError:
    case RecordTag::kOutput:
      return reader_.report.error(Code::kUnknownName, span, fmt::format("{} has no '{}'", problem.record->what(), name),
                                  std::move(hint));
  }
}

std::optional<expr::Type> Expressions::check(const Node& node, std::uint32_t offset, const expr::Expression& expression,
                                             const Place& place) {
  bool good = true;
  for (const expr::Reference& reference : expression.references()) {
    auto problem = check_scope(reference, place);
    if (!problem) continue;
    good = false;
    const Span span = reader_.document.part(node, {problem->span.begin + offset, problem->span.end + offset});
    reader_.report.error(Code::kUnknownName, span, std::move(problem->message), std::move(problem->hint));
  }
  const auto slots = types_.at(place);
  const expr::Checked checked = expression.check(slots);
  for (const expr::Problem& problem : checked.problems) report(node, problem, place, offset);
  if (!good || !checked.problems.empty()) return std::nullopt;
  reads_.note(node, offset, expression, place.moment);
  return checked.type;
}

bool Expressions::fits(Span span, const expr::Type& type, const Want& want, std::string hint) {
  const auto refuse = [&](std::string_view what, std::string_view wanted, const expr::Type& found) {
    reader_.report.error(Code::kExpressionType, span,
                         fmt::format("{} must be {}, not {}", what, wanted, model::described(found)), std::move(hint));
    return false;
  };
  if ((model::json_kinds(type) & want.kinds) == 0) return refuse(want.what, want.wanted, type);
  // No list that is taken is empty.
  if (!type.is(expr::TypeKind::kList) || (model::json_kinds(type.parameters()[0]) & want.element_kinds) != 0)
    return true;
  return refuse(fmt::format("an element of {}", want.what), want.element_wanted, type.parameters()[0]);
}

std::optional<Expressions::Typed> Expressions::plain_expression(const Node& node, const Place& place) {
  auto compiled = expr::Expression::compile(node.text, *place.environment);
  if (!compiled) return report(node, compiled.error(), place), std::nullopt;
  auto type = check(node, 0, *compiled, place);
  if (!type) return std::nullopt;
  return Typed{{std::move(*compiled)}, std::move(*type), reader_.document.part(node, trimmed_span(node.text))};
}

std::optional<Expressions::Typed> Expressions::template_expression(const Node& node, std::string_view what,
                                                                   const Place& place) {
  auto made = pieces(node, place);
  if (!made.whole) return std::nullopt;
  if (const auto* const only = only_expression(made.all)) {
    return Typed{
        {*only->expression, only->inner.begin}, std::move(made.inner), reader_.document.part(node, only->inner)};
  }
  reader_.error(Code::kMisplacedTemplate, node,
                fmt::format("{} takes an expression, not a text with templates in it", what),
                "write it without '${{ }}'");
  return std::nullopt;
}

std::optional<Expressions::Typed> Expressions::expression(const Node& node, std::string_view what, const Place& place) {
  if (node.kind == NodeKind::kBool) {
    const std::string_view text = scalar_value(node) == true ? "true" : "false";
    return Typed{
        {*expr::Expression::compile(text, *place.environment)}, expr::Type::boolean(), reader_.document.span(node)};
  }
  if (!node.is_text()) {
    reader_.wrong_type(node, what, "an expression",
                       node.kind == NodeKind::kList ? "in quotes it is one: \"['a', 'b']\"" : "");
    return std::nullopt;
  }
  return expr::has_template(node.text) ? template_expression(node, what, place) : plain_expression(node, place);
}

std::optional<Expressions::Typed> Expressions::expression(const Node& node, std::string_view what, const Place& place,
                                                          expr::TypeKind kind, std::string_view wanted) {
  auto made = expression(node, what, place);
  if (!made || made->type.is_dyn() || made->type.is(kind)) return made;
  reads_.forget(node);
  reader_.report.error(Code::kExpressionType, made->span,
                       fmt::format("{} must be {}, not {}", what, wanted, model::described(made->type)));
  return std::nullopt;
}

std::optional<Expressions::Condition> Expressions::condition(const Node& node, std::string_view what,
                                                             const Place& place) {
  auto made = expression(node, what, place, expr::TypeKind::kBool, "true or false");
  return made ? std::optional(std::move(made->condition)) : std::nullopt;
}

// A template that is not closed is looked for up to the end of its text: many in a long text would
// take hours.
bool Expressions::too_much_work(const Node& node) {
  std::size_t openings = 0;
  for (std::size_t at = 0; (at = node.text.find("${{", at)) != std::string::npos; at += 3) ++openings;
  if (openings * node.text.size() > template_work_left_) {
    reader_.error(Code::kFileTooLarge, node, "more templates than texts this long may have", "make files of the texts");
    return true;
  }
  template_work_left_ -= openings * node.text.size();
  return false;
}

Expressions::Pieces Expressions::pieces(const Node& node, const Place& place) {
  Pieces made;
  if (too_much_work(node)) return made;
  auto compiled = expr::Template::compile(node.text, *place.environment);
  if (!compiled) {
    for (const expr::Problem& problem : compiled.error()) report(node, problem, place);
  }
  made.all = compiled ? compiled->pieces() : mended(node.text, compiled.error(), *place.environment);
  made.type = expr::Type::string();
  bool good = compiled.has_value();
  for (const expr::Template::Piece& piece : made.all) {
    if (!piece.expression) continue;
    auto type = check(node, piece.inner.begin, *piece.expression, place);
    good = good && type;
    if (type) made.inner = std::move(*type);
  }
  if (made.all.size() == 1 && made.all.front().expression) made.type = made.inner;
  if (good) made.whole = std::move(*compiled);
  return made;
}

std::optional<expr::Template> Expressions::text(const Node& node, const Place& place, const Want& want) {
  auto made = pieces(node, place);
  if (!made.whole || made.whole->is_literal()) return std::move(made.whole);
  const bool is_whole = made.all.size() == 1;
  const Span span = is_whole ? reader_.document.part(node, made.all.front().inner) : reader_.document.span(node);
  // A block scalar ends in a line break, and so what it holds becomes a text.
  const bool by_line_break = !is_whole && only_expression(made.all) != nullptr && node.text.ends_with('\n');
  if (fits(span, made.type, want, by_line_break ? "the line break makes it a text: use '|-'" : ""))
    return std::move(made.whole);
  reads_.forget(node);
  return std::nullopt;
}

std::optional<expr::Tree> Expressions::tree(const Node& node, const Place& place, bool as_text, const Want& want) {
  if (!node.is_scalar()) {
    auto made = node.kind == NodeKind::kList ? list(node, place, as_text, want) : map(node, place, as_text, want);
    if (!made || made->literal() != nullptr) return made;
    const expr::Type type = node.kind == NodeKind::kList ? expr::Type::list() : expr::Type::map();
    return fits(reader_.document.span(node), type, want) ? std::move(made) : std::nullopt;
  }
  if (may_hold_template(node)) {
    auto made = text(node, place, want);
    if (!made) return std::nullopt;
    return expr::Tree::of(std::move(*made));
  }
  if (as_text && node.kind != NodeKind::kNull) return expr::Tree::of(Json(node.text));
  return expr::Tree::of(scalar_value(node));
}

std::optional<expr::Tree> Expressions::list(const Node& node, const Place& place, bool as_text, const Want& want) {
  const Want wanted = of_element(want);
  std::vector<expr::Tree> elements;
  for (const Node* element : node.list) {
    if (auto made = tree(*element, place, as_text, wanted)) elements.push_back(std::move(*made));
  }
  if (elements.size() != node.list.size()) return std::nullopt;
  return expr::Tree::list(std::move(elements));
}

std::optional<expr::Tree> Expressions::map(const Node& node, const Place& place, bool as_text, const Want& want) {
  const Want wanted = of_element(want);
  std::vector<std::pair<std::string, expr::Tree>> entries;
  for (const Entry& entry : node.map) {
    if (expr::has_template(entry.key->text)) {
      reader_.error(Code::kMisplacedTemplate, *entry.key, "a template cannot stand in a key",
                    "only values may have them");
    } else if (auto made = tree(*entry.value, place, as_text, wanted)) {
      entries.emplace_back(entry.key->text, std::move(*made));
    }
  }
  if (entries.size() != node.map.size()) return std::nullopt;
  return expr::Tree::map(std::move(entries));
}

void Expressions::note(const Node& node, const expr::Template& text, Moment moment) {
  for (const expr::Template::Piece& piece : text.pieces()) {
    if (piece.expression) reads_.note(node, piece.inner.begin, *piece.expression, moment);
  }
}

void Expressions::note(const Node& node, const Condition& condition, Moment moment) {
  reads_.note(node, condition.offset, condition.expression, moment);
}

expr::Type Expressions::type(const expr::Tree& tree, const Place& place) const {
  const expr::Template* const text = tree.as_template();
  if (text == nullptr) return model::type_of(tree.replace([](const expr::Template&) { return Json(); }));
  if (text->pieces().size() > 1) return expr::Type::string();
  const auto slots = types_.at(place);
  return text->pieces().front().expression->check(slots).type;
}

}  // namespace canorun::workflows
