#include "engine/run/scope.h"

#include <fmt/format.h>

namespace canorun::run {

std::optional<expr::Value> StatesView::get(std::string_view key) const {
  if (overlay_ != nullptr && overlay_->state() == key) return expr::Value::object(*overlay_);
  if (const StateRecord* record = run_.find(key)) return expr::Value::object(*record);
  if (flow_.find(key)) return expr::Value::object(none_);
  return std::nullopt;
}

std::vector<std::string> StatesView::keys() const {
  std::vector<std::string> names;
  for (const model::State& state : flow_.states) names.push_back(state.name);
  return names;
}

std::uint64_t visit_of(const RunState& run, const std::string& state) {
  if (run.current && run.current_state() == state) return run.current->visit;
  return run.outcome ? run.outcome_row : ActionView::kAsideVisit;
}

const std::string& ActionView::idempotency_key() const {
  if (key_.empty()) key_ = work_key(run_, state_, visit_, part_);
  return key_;
}

const std::string& ActionView::token() const {
  if (part_.empty()) return idempotency_key();
  if (token_.empty()) token_ = work_key(run_, state_, visit_);
  return token_;
}

const std::string& ActionView::compensates() const {
  if (undoes_ != nullptr && compensates_.empty()) compensates_ = work_key(run_, state_, visit_, undoes_->part);
  return compensates_;
}

// A compensation names what it undoes, to others, by the key that this had.
std::optional<expr::Value> ActionView::get(std::string_view key) const {
  if (key == "idempotency_key") return expr::Value::view_text(undoes_ != nullptr ? compensates() : idempotency_key());
  if (key == "visit") return expr::Value::integer(static_cast<std::int64_t>(visit_));
  if (key == "attempt") return expr::Value::integer(static_cast<std::int64_t>(attempt));
  return std::nullopt;
}

model::Outcome evaluate_env(const model::Flow& flow, model::Scope& scope) {
  Json env = Json::object();
  for (const auto& [name, value] : flow.env) {
    auto text = value.evaluate(scope);
    if (!text)
      return model::Failure{expression_error(fmt::format("env.{}", name), text.error().message, text.error().hint)};
    env[name] = to_text(*text);
  }
  return model::Success{std::move(env)};
}

model::Outcome evaluate_vars(const model::Flow& flow, const model::Scope& scope, const Json& known) {
  Json vars = Json::object();
  for (const model::Var& var : flow.vars) {
    if (known.contains(var.name)) continue;
    auto value = var.initial.evaluate(scope);
    const std::string where = fmt::format("vars.{}", var.name);
    if (!value) return model::Failure{expression_error(where, value.error().message, value.error().hint)};
    vars[var.name] = std::move(*value);
  }
  return model::Success{std::move(vars)};
}

model::RunError expression_error(std::string_view where, std::string_view message, std::string_view hint) {
  return {.kind = std::string(model::kind::kExpression),
          .message =
              hint.empty() ? fmt::format("{}: {}", where, message) : fmt::format("{}: {} ({})", where, message, hint)};
}

Result<Json, model::RunError> json_of(std::string_view where, const std::expected<expr::Value, expr::Problem>& answer) {
  if (!answer) return std::unexpected(expression_error(where, answer.error().message, answer.error().hint));
  auto json = expr::to_json(*answer);
  if (!json) return std::unexpected(expression_error(where, json.error(), {}));
  return std::move(*json);
}

Result<bool, model::RunError> truth(std::string_view where, const std::expected<expr::Value, expr::Problem>& answer) {
  if (!answer) return std::unexpected(expression_error(where, answer.error().message, answer.error().hint));
  if (answer->is(expr::Kind::kBool)) return answer->as_bool();
  return std::unexpected(
      expression_error(where, fmt::format("must be true or false, not {}", expr::type_name(*answer)), {}));
}

}  // namespace canorun::run
