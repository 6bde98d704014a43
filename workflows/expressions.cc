#include "workflows/expressions.h"

#include <fmt/format.h>

namespace canorun::workflows {
namespace {

Code code_of(expr::ProblemKind kind) {
  switch (kind) {
    case expr::ProblemKind::kSyntax: return Code::kExpressionSyntax;
    case expr::ProblemKind::kUnknownName: return Code::kUnknownName;
    case expr::ProblemKind::kType:
    case expr::ProblemKind::kUnknownField:
    case expr::ProblemKind::kEvaluation: return Code::kExpressionType;
  }
  return Code::kExpressionType;
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

void Expressions::report(const Node& node, const expr::Problem& problem, std::uint32_t offset) {
  const Span span = reader_.document.part(node, {problem.span.begin + offset, problem.span.end + offset});
  reader_.report.error(code_of(problem.kind), span, problem.message, problem.hint);
}

bool Expressions::check_names(const Node& node, const expr::Expression& expression, const Place& place, std::uint32_t offset) {
  bool good = true;
  for (const expr::Reference& reference : expression.references()) {
    auto problem = names_.check(reference, place);
    if (!problem) continue;
    good = false;
    if (problem->hint.empty()) problem->hint = reader_.report.guess(problem->name, problem->known).hint;
    const Span span = reader_.document.part(node, {problem->span.begin + offset, problem->span.end + offset});
    reader_.report.error(problem->code, span, std::move(problem->message), std::move(problem->hint));
  }
  if (good) reads_.note(node, offset, expression, place.moment);
  return good;
}

std::optional<expr::Expression> Expressions::whole_template(const Node& node, std::string_view what, const Place& place) {
  const auto compiled = text(node, place);
  if (!compiled) return std::nullopt;
  if (compiled->pieces().size() == 1 && compiled->pieces().front().expression) return *compiled->pieces().front().expression;
  reader_.error(Code::kMisplacedTemplate, node, fmt::format("{} takes an expression, not a text with templates in it", what),
                "write it without '${{ }}'");
  return std::nullopt;
}

std::optional<expr::Expression> Expressions::condition(const Node& node, std::string_view what, const Place& place) {
  std::optional<expr::Expression> made;
  if (node.kind == NodeKind::kBool) {
    auto compiled = expr::Expression::compile(scalar_value(node) == true ? "true" : "false", model::environment());
    if (compiled) made = std::move(*compiled);
    return made;
  }
  if (!node.is_text()) {
    reader_.wrong_type(node, what, "an expression");
    return std::nullopt;
  }
  if (expr::has_template(node.text)) {
    made = whole_template(node, what, place);
    if (!made) return std::nullopt;
  } else {
    auto compiled = expr::Expression::compile(node.text, model::environment());
    if (!compiled) return report(node, compiled.error()), std::nullopt;
    if (!check_names(node, *compiled, place, 0)) return std::nullopt;
    made = std::move(*compiled);
  }
  const expr::Value* literal = made->literal();
  if (literal == nullptr || literal->is(expr::Kind::kBool)) return made;
  reader_.error(Code::kExpressionType, node, fmt::format("{} must be true or false, and this is always of type {}", what, expr::type_name(*literal)));
  return std::nullopt;
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

std::optional<expr::Template> Expressions::text(const Node& node, const Place& place) {
  if (too_much_work(node)) return std::nullopt;
  auto compiled = expr::Template::compile(node.text, model::environment());
  if (!compiled) {
    for (const expr::Problem& problem : compiled.error()) report(node, problem);
    return std::nullopt;
  }
  bool good = true;
  for (const expr::Template::Piece& piece : compiled->pieces()) {
    if (piece.expression && !check_names(node, *piece.expression, place, piece.inner.begin)) good = false;
  }
  return good ? std::optional(std::move(*compiled)) : std::nullopt;
}

std::optional<expr::Tree> Expressions::tree(const Node& node, const Place& place, bool as_text) {
  if (node.kind == NodeKind::kList) return list(node, place, as_text);
  if (node.kind == NodeKind::kMap) return map(node, place, as_text);
  if (may_hold_template(node)) {
    auto made = text(node, place);
    if (!made) return std::nullopt;
    return expr::Tree::of(std::move(*made));
  }
  if (as_text && node.kind != NodeKind::kNull) return expr::Tree::of(Json(node.text));
  return expr::Tree::of(scalar_value(node));
}

std::optional<expr::Tree> Expressions::list(const Node& node, const Place& place, bool as_text) {
  std::vector<expr::Tree> elements;
  for (const Node* element : node.list) {
    if (auto made = tree(*element, place, as_text)) elements.push_back(std::move(*made));
  }
  if (elements.size() != node.list.size()) return std::nullopt;
  return expr::Tree::list(std::move(elements));
}

std::optional<expr::Tree> Expressions::map(const Node& node, const Place& place, bool as_text) {
  std::vector<std::pair<std::string, expr::Tree>> entries;
  for (const Entry& entry : node.map) {
    if (expr::has_template(entry.key->text)) {
      reader_.error(Code::kMisplacedTemplate, *entry.key, "a template cannot stand in a key", "only values may have them");
    } else if (auto made = tree(*entry.value, place, as_text)) {
      entries.emplace_back(entry.key->text, std::move(*made));
    }
  }
  if (entries.size() != node.map.size()) return std::nullopt;
  return expr::Tree::map(std::move(entries));
}

}  // namespace canorun::workflows
