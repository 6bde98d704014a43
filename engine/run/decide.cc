#include "engine/run/decide.h"

#include <fmt/format.h>

namespace canorun::run {
namespace {

using model::RunError;

// Evaluates over a state whose end is not folded yet: its record and the variables it sets. What
// expressions see is put together when the first of them asks: most transitions have none.
class Evaluation {
 public:
  explicit Evaluation(RunContext& context) : context_(context) {}
  ~Evaluation() { context_.states().overlay(nullptr); }
  Evaluation(const Evaluation&) = delete;
  Evaluation& operator=(const Evaluation&) = delete;

  // What is in scope beside what the run knows; the row must outlive the evaluation.
  void output_of(const store::StateEnded& ended) { output_ = &ended; }
  void error_of(const store::StateEnded& ended) { error_ = &ended; }
  // From now on `states` shows the end of the state as if it were folded.
  void fold(const store::StateEnded& ended) { folded_ = &ended; }

  const model::Scope& scope() {
    if (!scope_) {
      scope_ = context_.scope();
      if (output_ != nullptr) slot(*scope_, model::Slot::kOutput) = expr::Value::view(output_->output);
      if (error_ != nullptr) slot(*scope_, model::Slot::kError) = expr::Value::view(error_->error);
    }
    if (folded_ != nullptr && !view_) context_.states().overlay(&view_.emplace(*folded_));
    return *scope_;
  }

  // All values are computed from the old variables before any is changed.
  Result<Json, RunError> assign(const std::vector<model::Assignment>& assignments) {
    if (assignments.empty()) return Json();
    Json changed = Json::object();
    for (const model::Assignment& assignment : assignments) {
      const model::Var& var = context_.flow().vars[assignment.var];
      auto value = assignment.value.evaluate(scope());
      const std::string where = fmt::format("set.{}", var.name);
      if (!value) return std::unexpected(expression_error(where, value.error().message, value.error().hint));
      if (!model::fits(var.type, *value)) {
        return std::unexpected(expression_error(
            where, fmt::format("the variable holds {}, not {}", input_type_name(var.type), type_name(*value)), ""));
      }
      model::convert(var.type, *value);
      context_.masker().mask(*value);
      changed[var.name] = std::move(*value);
    }
    vars_ = context_.run().vars;
    vars_.update(changed);
    slot(*scope_, model::Slot::kVars) = expr::Value::view(vars_);
    return changed;
  }

  // The first rule that holds; none if there is no such rule.
  Result<std::optional<model::StateId>, RunError> choose(std::string_view where,
                                                         const std::vector<model::Transition>& rules) {
    for (const model::Transition& rule : rules) {
      if (!rule.when) return rule.to;
      const auto holds = truth(where, rule.when->evaluate(scope()));
      if (!holds) return std::unexpected(holds.error());
      if (*holds) return rule.to;
    }
    return std::nullopt;
  }

  RunContext& context() { return context_; }

 private:
  RunContext& context_;
  std::optional<model::Scope> scope_;
  const store::StateEnded* output_ = nullptr;
  const store::StateEnded* error_ = nullptr;
  const store::StateEnded* folded_ = nullptr;
  std::optional<EndedView> view_;
  Json vars_;
};

RunError no_transition(std::string_view where) {
  return {.kind = std::string(model::kind::kNoTransition),
          .message = fmt::format("{}: no rule holds, so there is no next state", where)};
}

struct Target {
  model::StateId state = 0;
  std::vector<std::string> via;
};

// Walks through `route` states; each counts as a transition, so that a ring of them ends.
Result<Target, RunError> resolve(Evaluation& evaluation, model::StateId to) {
  const model::Flow& flow = evaluation.context().flow();
  Target target{to, {}};
  const std::uint64_t made = evaluation.context().run().transitions;
  for (;;) {
    if (made + target.via.size() >= flow.max_transitions) {
      return std::unexpected(RunError{
          .kind = std::string(model::kind::kMaxTransitions),
          .message = fmt::format("more than {} transitions: is this a loop that never ends?", flow.max_transitions)});
    }
    const model::State& state = flow.states[target.state];
    if (!std::holds_alternative<model::RouteShape>(state.shape)) return target;
    const std::string where = fmt::format("route '{}'", state.name);
    const auto chosen = evaluation.choose(where, state.next);
    if (!chosen) return std::unexpected(chosen.error());
    if (!*chosen) return std::unexpected(no_transition(where));
    target.via.push_back(state.name);
    target.state = **chosen;
  }
}

// When the visit that begins now will end by itself, where its shape knows that.
std::optional<WallTime> end_of(Evaluation& evaluation, const model::State& state) {
  if (!has_deadline(state)) return std::nullopt;
  return deadline(state, evaluation.scope(), evaluation.context().runtime().clock.now());
}

store::Status status_of(model::ExitKind kind) {
  switch (kind) {
    case model::ExitKind::kSuccess: return store::Status::kSucceeded;
    case model::ExitKind::kFailure: return store::Status::kFailed;
    case model::ExitKind::kRollback: return store::Status::kRolledBack;
  }
  return store::Status::kFailed;
}

// Whether the state's own action is to be undone, from its start or from its success on.
bool owes(const model::State& state, bool from_start) {
  const auto* const shape = std::get_if<model::ActionShape>(&state.shape);
  return shape != nullptr && shape->action.compensation && shape->action.compensation->from_start == from_start;
}

// The row that enters a state, or ends the run in an exit state.
Result<store::Body, RunError> entry(Evaluation& evaluation, Target target) {
  RunContext& context = evaluation.context();
  const model::State& state = context.flow().states[target.state];
  if (const auto* exit = std::get_if<model::ExitShape>(&state.shape)) {
    auto output = exit->output.evaluate(evaluation.scope());
    if (!output) {
      return std::unexpected(
          expression_error(fmt::format("output of '{}'", state.name), output.error().message, output.error().hint));
    }
    return store::RunEnded{.status = status_of(exit->kind),
                           .state = state.name,
                           .via = std::move(target.via),
                           .entered = true,
                           .output = std::move(*output)};
  }
  const StateRecord* record = context.run().find(state.name);
  return store::StateEntered{.state = state.name,
                             .visit = record != nullptr ? record->visits + 1 : 1,
                             .via = std::move(target.via),
                             .deadline = end_of(evaluation, state),
                             .owed = owes(state, true)};
}

Result<store::Body, RunError> go(Evaluation& evaluation, model::StateId to, std::optional<model::StateId>& enters) {
  auto target = resolve(evaluation, to);
  if (!target) return std::unexpected(target.error());
  enters = target->state;
  auto body = entry(evaluation, std::move(*target));
  if (!body || std::holds_alternative<store::RunEnded>(*body)) enters.reset();
  return body;
}

store::Body run_failed(const RunError& error, store::Status status = store::Status::kFailed) {
  return store::RunEnded{.status = status, .state = error.state, .error = error.to_json()};
}

// `set` and `next` of a state whose work succeeded. What fails here fails the state.
Result<Step, RunError> succeed(RunContext& context, const model::State& state, store::StateEnded& ended) {
  Step step;
  std::optional<store::Body> body;
  {
    Evaluation evaluation(context);
    evaluation.output_of(ended);
    auto set = evaluation.assign(state.set);
    if (!set) return std::unexpected(set.error());
    evaluation.fold(ended);
    const auto chosen = evaluation.choose("next", state.next);
    if (!chosen) return std::unexpected(chosen.error());
    if (!*chosen) return std::unexpected(no_transition("next"));
    auto entered = go(evaluation, **chosen, step.enters);
    if (!entered) return std::unexpected(entered.error());
    body = std::move(*entered);
    ended.set = std::move(*set);
  }
  const WallTime now = context.runtime().clock.now();
  step.rows.reserve(2);
  step.rows.emplace_back(now, std::move(ended));
  step.rows.emplace_back(now, std::move(*body));
  return step;
}

// `on_error` of a state that failed; or the run fails.
Step fail_state(RunContext& context, const model::State& state, store::StateEnded ended, RunError error) {
  context.mask(error);
  error.state = state.name;
  error.attempts = ended.attempts;
  ended.error = error.to_json();
  ended.stderr_tail = error.stderr_tail;
  Step step;
  std::optional<store::Body> body;
  if (!model::is_final(error.kind)) {
    Evaluation evaluation(context);
    evaluation.error_of(ended);
    evaluation.fold(ended);
    const auto chosen = evaluation.choose("on_error", state.on_error);
    if (!chosen) {
      error.message += fmt::format("; then {}", chosen.error().message);
    } else if (*chosen) {
      auto handled = go(evaluation, **chosen, step.enters);
      if (handled) {
        body = std::move(*handled);
      } else {
        error.message += fmt::format("; then on_error: {}", handled.error().message);
      }
    }
  }
  context.mask(error);  // of what was added to it
  if (!body) body = run_failed(error);
  const WallTime now = context.runtime().clock.now();
  step.failed = std::move(error);
  step.rows.emplace_back(now, std::move(ended));
  step.rows.emplace_back(now, std::move(*body));
  return step;
}

}  // namespace

Step enter(RunContext& context, model::StateId target) {
  Evaluation evaluation(context);
  Step step;
  auto body = go(evaluation, target, step.enters);
  const WallTime now = context.runtime().clock.now();
  if (!body) {
    step.failed = body.error();
    context.mask(*step.failed);
    step.failed->state = context.flow().states[target].name;
    body = run_failed(*step.failed);
  }
  step.rows.emplace_back(now, std::move(*body));
  return step;
}

Step after_work(RunContext& context, const model::State& state, Worked worked, Millis took) {
  context.mask(worked.outcome);
  store::StateEnded ended{
      .state = state.name, .visit = context.run().current->visit, .attempts = worked.attempts, .duration = took};
  if (auto* success = std::get_if<model::Success>(&worked.outcome)) {
    ended.output = std::move(success->output);
    ended.owed = owes(state, false) || owes(state, true);
    auto step = succeed(context, state, ended);
    if (step) return std::move(*step);
    // The work is done all the same, and what undoes it may ask what it gave.
    if (!ended.owed) ended.output = nullptr;
    return fail_state(context, state, std::move(ended), std::move(step.error()));
  }
  return fail_state(context, state, std::move(ended), std::move(std::get<model::Failure>(worked.outcome).error));
}

std::vector<store::Row> end_early(const RunState& run, RunError error, store::Status status, WallTime now) {
  std::vector<store::Row> rows;
  if (run.current) {
    error.state = run.current_state();
    rows.push_back({now, store::StateEnded{.state = error.state,
                                           .visit = run.current->visit,
                                           .duration = std::max(Millis{0}, now - run.current->entered_at),
                                           .error = error.to_json()}});
  }
  rows.push_back({now, run_failed(error, status)});
  return rows;
}

void end_instead(Step& step, RunError error, store::Status status) {
  error.state = std::get<store::StateEnded>(step.rows.front().body).state;
  step.rows.back().body = run_failed(error, status);
  step.enters.reset();
}

}  // namespace canorun::run
