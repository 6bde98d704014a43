#include "engine/expr/expression.h"

#include <algorithm>
#include <utility>

#include "engine/expr/checker.h"
#include "engine/expr/evaluator.h"
#include "engine/expr/parser.h"
#include "engine/expr/resolver.h"

namespace canorun::expr {

struct Expression::Compiled {
  std::string text;
  NodePtr root;
  Resolution resolution;
};

Expression::Expression(std::shared_ptr<const Compiled> compiled) : compiled_(std::move(compiled)) {}

std::expected<Expression, Problem> Expression::compile(std::string_view text, const Environment& environment) {
  auto root = parse(text);
  if (!root) return std::unexpected(std::move(root.error()));
  Resolution resolution = resolve(**root, environment);
  return Expression(
      std::make_shared<const Compiled>(Compiled{std::string(text), std::move(*root), std::move(resolution)}));
}

Checked Expression::check(std::span<const Type> slots) const {
  Checked checked = expr::check(*compiled_->root, compiled_->resolution.locals, slots);
  checked.problems.insert(checked.problems.end(), problems().begin(), problems().end());
  std::ranges::stable_sort(checked.problems, {}, [](const Problem& problem) { return problem.span.begin; });
  return checked;
}

std::expected<Value, Problem> Expression::evaluate(std::span<const Value> slots) const {
  return expr::evaluate(*compiled_->root, compiled_->resolution.locals, slots);
}

const std::vector<Problem>& Expression::problems() const { return compiled_->resolution.problems; }

const std::string& Expression::text() const { return compiled_->text; }

const std::vector<Reference>& Expression::references() const { return compiled_->resolution.references; }

const Value* Expression::literal() const {
  const auto* literal = std::get_if<Literal>(&compiled_->root->form);
  return literal == nullptr ? nullptr : &literal->value;
}

}  // namespace canorun::expr
