// What expressions of a run see, read on demand from its state.
#pragma once

#include <string>

#include "engine/model/flow.h"
#include "engine/model/outcome.h"
#include "engine/model/scope.h"
#include "engine/run/run_state.h"

namespace canorun::run {

/// `states.NAME` of a visit whose end is not folded yet. Borrows the row.
class EndedView final : public expr::Object {
 public:
  explicit EndedView(const store::StateEnded& ended) : ended_(ended) {}
  const std::string& state() const { return ended_.state; }
  std::optional<expr::Value> get(std::string_view key) const override {
    return state_field(key, ended_.error.is_null() ? ended_.output : kNone, ended_.error, ended_.visit);
  }
  std::vector<std::string> keys() const override { return state_fields(); }

 private:
  inline static const Json kNone = nullptr;
  const store::StateEnded& ended_;
};

/// `states`: every state of the flow; one that did not run yet has null output and 0 visits.
class StatesView final : public expr::Object {
 public:
  StatesView(const model::Flow& flow, const RunState& run) : flow_(flow), run_(run) {}

  /// Shows `ended` in place of the state of that name, until it is set to null.
  void overlay(const EndedView* ended) { overlay_ = ended; }

  std::optional<expr::Value> get(std::string_view key) const override;
  std::vector<std::string> keys() const override;

 private:
  const model::Flow& flow_;
  const RunState& run_;
  const EndedView* overlay_ = nullptr;
  StateRecord none_;
};

/// The visit that work at a place of the flow belongs to: of the state that is current; of what is done after the
/// run's outcome, the sequence of its row; else, of services, ActionView::kAsideVisit.
std::uint64_t visit_of(const RunState& run, const std::string& state);

/// `action`: one attempt of an action.
class ActionView final : public expr::Object {
 public:
  /// What is given lives as long as the view. `undoes` may be null.
  ActionView(const RunState& run, const std::string& state, const std::string& part, const Owed* undoes)
      : run_(run), state_(state), part_(part), undoes_(undoes), visit_(undoes ? undoes->visit : visit_of(run, state)) {}

  static constexpr std::uint64_t kAsideVisit = 1;

  std::uint32_t attempt = 1;
  std::uint64_t visit() const { return visit_; }
  /// They are made when they are first asked for: hashing costs more than a whole transition.
  const std::string& idempotency_key() const;
  const std::string& token() const;
  /// The key of the work that it undoes; empty: it undoes none.
  const std::string& compensates() const;

  std::optional<expr::Value> get(std::string_view key) const override;
  std::vector<std::string> keys() const override { return {"attempt", "idempotency_key", "visit"}; }

 private:
  const RunState& run_;
  const std::string& state_;
  const std::string& part_;
  const Owed* undoes_;
  std::uint64_t visit_;
  mutable std::string key_;
  mutable std::string token_;
  mutable std::string compensates_;
};

/// `env`, evaluated once per process from the flow's templates.
model::Outcome evaluate_env(const model::Flow& flow, model::Scope& scope);

/// `vars` as a run begins with them, but for those that it has already: each may use the inputs and the environment.
model::Outcome evaluate_vars(const model::Flow& flow, const model::Scope& scope, const Json& known = Json::object());

/// A failure of kind `expression` that says where it happened: `next: no field 'x' (did you mean 'y'?)`.
model::RunError expression_error(std::string_view where, std::string_view message, std::string_view hint);

/// The answer as JSON; what it cannot hold is an error.
Result<Json, model::RunError> json_of(std::string_view where, const std::expected<expr::Value, expr::Problem>& answer);

/// The answer of a `when`: anything but a bool is an error.
Result<bool, model::RunError> truth(std::string_view where, const std::expected<expr::Value, expr::Problem>& answer);

}  // namespace canorun::run
