#include "engine/expr/template.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "engine/expr/budget.h"
#include "engine/expr/lexer.h"

namespace canorun::expr {
namespace {

constexpr std::string_view kOpen = "${{";
constexpr std::string_view kClose = "}}";
constexpr std::string_view kBlanks = " \t\r\n\f";

Span span_of(std::size_t begin, std::size_t end) {
  return {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)};
}

// The next `${{`, and whether a `$` before it makes it literal.
struct Opening {
  std::size_t at;
  bool escaped;
};
std::optional<Opening> find_opening(std::string_view text, std::size_t from) {
  const std::size_t at = text.find(kOpen, from);
  if (at == std::string_view::npos) return std::nullopt;
  return Opening{at, at > from && text[at - 1] == '$'};
}

// Where the `}}` stands that ends the expression that begins at `from`: not one inside a string, a
// comment or a map of the expression.
std::expected<std::size_t, Problem> find_close(std::string_view text, std::size_t from) {
  Lexer lexer(text, from);
  std::optional<Problem> first_problem;
  for (std::size_t depth = 0;;) {
    const auto token = lexer.next();
    if (!token) {
      if (!first_problem) first_problem = token.error();
      continue;
    }
    if (token->kind == TokenKind::kEnd) break;
    if (token->kind == TokenKind::kLeftBrace) ++depth;
    if (token->kind != TokenKind::kRightBrace) continue;
    if (depth > 0) {
      --depth;
    } else if (text.substr(token->span.begin).starts_with(kClose)) {
      return token->span.begin;
    }
  }
  if (first_problem) return std::unexpected(std::move(*first_problem));
  return std::unexpected(
      Problem{ProblemKind::kSyntax, "'${{' is not closed", "end it with '}}'", span_of(from - kOpen.size(), from)});
}

Span without_blanks(std::string_view text, std::size_t begin, std::size_t end) {
  const std::string_view inside = text.substr(begin, end - begin);
  const std::size_t first = inside.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return span_of(begin, begin);
  return span_of(begin + first, begin + inside.find_last_not_of(kBlanks) + 1);
}

Problem moved(Problem problem, std::uint32_t by) {
  problem.span.begin += by;
  problem.span.end += by;
  return problem;
}

Problem evaluation_problem(std::string message, Span span) {
  return {ProblemKind::kEvaluation, std::move(message), {}, span};
}

}  // namespace

bool has_template(std::string_view text) {
  for (std::size_t from = 0;;) {
    const auto opening = find_opening(text, from);
    if (!opening) return false;
    if (!opening->escaped) return true;
    from = opening->at + kOpen.size();
  }
}

class Template::Compiler {
 public:
  Compiler(std::string_view text, const Environment& environment) : text_(text), environment_(environment) {}

  std::expected<Template, std::vector<Problem>> run() {
    while (const auto opening = find_opening(text_, at_)) {
      if (opening->escaped) {
        add_text(text_.substr(at_, opening->at - 1 - at_));
        add_text(kOpen);
        at_ = opening->at + kOpen.size();
      } else {
        add_text(text_.substr(at_, opening->at - at_));
        end_text(opening->at);
        add_expression(opening->at);
      }
    }
    add_text(text_.substr(at_));
    end_text(text_.size());
    if (problems_.empty()) return std::move(made_);
    problems_.insert(problems_.end(), names_.begin(), names_.end());
    std::ranges::stable_sort(problems_, {}, [](const Problem& problem) { return problem.span.begin; });
    return std::unexpected(std::move(problems_));
  }

 private:
  void add_text(std::string_view text) { literal_ += text; }

  // What was read since the last expression is one piece.
  void end_text(std::size_t end) {
    if (!literal_.empty()) made_.pieces_.push_back({std::exchange(literal_, {}), nullptr, span_of(begin_, end), {}});
  }

  void add_expression(std::size_t begin) {
    const std::size_t from = begin + kOpen.size();
    auto close = find_close(text_, from);
    if (!close) {
      problems_.push_back(std::move(close.error()));
      const std::size_t end = text_.find(kClose, from);
      at_ = begin_ = end == std::string_view::npos ? text_.size() : end + kClose.size();
      return;
    }
    at_ = begin_ = *close + kClose.size();
    const Span whole = span_of(begin, at_);
    const Span inner = without_blanks(text_, from, *close);
    if (inner.begin == inner.end) {
      problems_.push_back({ProblemKind::kSyntax, "an expression is missing", "write it between '${{' and '}}'", whole});
      return;
    }
    auto expression = Expression::compile(text_.substr(inner.begin, inner.end - inner.begin), environment_);
    if (!expression) {
      problems_.push_back(moved(std::move(expression.error()), inner.begin));
      return;
    }
    for (const Problem& problem : expression->problems()) names_.push_back(moved(problem, inner.begin));
    made_.pieces_.push_back({{}, std::make_shared<const Expression>(std::move(*expression)), whole, inner});
  }

  std::string_view text_;
  const Environment& environment_;
  std::size_t at_ = 0;
  std::size_t begin_ = 0;
  std::string literal_;
  std::vector<Problem> problems_;
  std::vector<Problem> names_;  ///< are told by the check, unless there is none
  Template made_;
};

std::expected<Template, std::vector<Problem>> Template::compile(std::string_view text, const Environment& environment) {
  return Compiler(text, environment).run();
}

bool Template::is_literal() const {
  return std::none_of(pieces_.begin(), pieces_.end(), [](const Piece& piece) { return piece.expression != nullptr; });
}

std::expected<Json, Problem> Template::evaluate(std::span<const Value> slots) const {
  if (pieces_.size() == 1 && pieces_[0].expression) return evaluate_piece(pieces_[0], slots);
  std::string joined;
  for (const Piece& piece : pieces_) {
    if (!piece.expression) {
      joined += piece.text;
    } else {
      const auto value = evaluate_piece(piece, slots);
      if (!value) return std::unexpected(value.error());
      joined += to_text(*value);
    }
    if (joined.size() > kMaxSize) return std::unexpected(evaluation_problem(kTextTooLarge, piece.span));
  }
  return Json(std::move(joined));
}

std::expected<Json, Problem> Template::evaluate_piece(const Piece& piece, std::span<const Value> slots) {
  const auto value = piece.expression->evaluate(slots);
  if (!value) return std::unexpected(moved(value.error(), piece.inner.begin));
  auto json = to_json(*value);
  if (!json) return std::unexpected(evaluation_problem(std::move(json.error()), piece.inner));
  return std::move(*json);
}

}  // namespace canorun::expr
