// Compiles and evaluates one text, and shows what came out.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

#include "engine/base/value.h"
#include "engine/expr/expression.h"

namespace canorun::expr {

inline std::string show(const Problem& problem) {
  const std::string hint = problem.hint.empty() ? "" : " (" + problem.hint + ")";
  return fmt::format("{}-{}: {}{}", problem.span.begin, problem.span.end, problem.message, hint);
}

inline std::string show(const Value& value) {
  const auto json = to_json(value);
  return type_name(value) + " " + (json ? to_json_text(*json) : json.error());
}

/// "int 3", or "0-3: unknown name 'abc' (hint)". The fields of `variables` are the names in scope.
inline std::string evaluate(std::string_view text, const Json& variables = Json::object()) {
  Environment environment;
  std::vector<Value> slots;
  for (const auto& [name, value] : variables.items()) {
    environment.declare(name);
    slots.push_back(Value::view(value));
  }
  const auto expression = Expression::compile(text, environment);
  if (!expression) return show(expression.error());
  if (!expression->problems().empty()) return show(expression->problems().front());
  const auto value = expression->evaluate(slots);
  return value ? show(*value) : show(value.error());
}

inline ProblemKind kind_of_problem(std::string_view text) {
  const auto expression = Expression::compile(text, Environment());
  if (!expression) return expression.error().kind;
  if (!expression->problems().empty()) return expression->problems().front().kind;
  return expression->evaluate({}).error().kind;
}

}  // namespace canorun::expr
