// One action: its attempts and what stands between them.
#include <fmt/format.h>

#include <boost/asio/error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include "engine/base/duration.h"
#include "engine/model/task.h"
#include "engine/run/attempt.h"
#include "engine/run/beside.h"
#include "engine/run/guards.h"
#include "engine/run/perform.h"
#include "engine/run/shapes.h"

namespace canorun::run {
namespace {

namespace asio = boost::asio;

// What an attempt begins with.
struct Prepared {
  Environment environment;
  std::unique_ptr<model::Task> task;
};

Result<Prepared, model::Failure> prepare(RunContext& context, const model::Action& action, model::Scope& scope) {
  auto environment = make_environment(context, action, scope);
  if (!environment) return std::unexpected(std::move(environment.error()));
  auto params = make_params(action, scope);
  if (!params) return std::unexpected(std::move(params.error()));
  auto task = action.kind->make(std::move(*params));
  if (!task) return std::unexpected(bad_params("parameters", task.error()));
  return Prepared{std::move(*environment), std::move(*task)};
}

// One attempt's work. What goes wrong before there is a task is the attempt's failure.
asio::awaitable<model::Outcome> run_task(RunContext& context, const Piece& piece, const ActionView& view,
                                         model::Scope& scope, Alarm* alarm) {
  auto prepared = prepare(context, piece.action, scope);
  if (!prepared) co_return std::move(prepared.error());
  Attempt current(context, piece, view, prepared->environment);
  if (alarm != nullptr) alarm->arm(*piece.action.timeout);
  auto outcome = co_await prepared->task->run(current);
  co_return outcome;
}

// One attempt under its timeout: the one place where exceptions are caught. Cancellation goes on to
// who is further out; any other is a fault, and fails the attempt.
asio::awaitable<model::Outcome> attempt(RunContext& context, const Piece& piece, const ActionView& view,
                                        model::Scope& scope, Alarm* alarm) {
  Interrupt& interrupt = piece.interrupt;
  std::optional<model::Outcome> outcome;
  bool cut_off = false;
  try {
    auto result = co_await run_task(context, piece, view, scope, alarm);
    outcome = std::move(result);
  } catch (const boost::system::system_error& error) {
    cut_off = error.code() == asio::error::operation_aborted;
    if (!cut_off) outcome = model::failure(model::kind::kTask, error.what());
  } catch (const std::exception& error) {
    outcome = model::failure(model::kind::kTask, fmt::format("a fault in canorun: {}", error.what()));
  }
  if (alarm != nullptr) alarm->disarm();
  if (interrupt.reason() == Reason::kTimeout) {
    interrupt.forget(Reason::kTimeout);
    co_await calm();
    if (outcome) co_return std::move(*outcome);  // it ended just in time
    co_return model::failure(model::kind::kTimeout,
                             fmt::format("no result within {}", format_duration(*piece.action.timeout)));
  }
  // What was raised while the task was cleaning up was not heard by anything that waits.
  if (cut_off || (interrupt.reason() != Reason::kNone && std::holds_alternative<model::Failure>(*outcome))) {
    model::cut_off();
  }
  co_return std::move(*outcome);
}

// An attempt that ends by itself, or by its own timeout; only the end of the process does not wait for it.
asio::awaitable<model::Outcome> attempt_apart(RunContext& context, const Piece& piece, const ActionView& view,
                                              model::Scope& scope) {
  Beside<model::Outcome> beside(context.runtime().executor);
  const Piece apart{piece.state, piece.action, beside.interrupt(), piece.part, piece.around, piece.asks, piece.undoes};
  std::optional<Alarm> alarm;
  if (piece.action.timeout) alarm.emplace(context.runtime().executor, beside.interrupt());
  const auto heed = [&] {
    if (piece.interrupt.suspends()) {
      beside.interrupt().raise(Reason::kSuspend, piece.interrupt.detail());
    }
  };
  auto task = attempt(context, apart, view, scope, alarm ? &*alarm : nullptr);
  auto outcome = co_await beside.work(std::move(task), piece.interrupt, heed);
  if (!outcome) model::cut_off();
  // Of what was raised meanwhile nothing was heard.
  if (piece.interrupt.reason() != Reason::kNone && std::holds_alternative<model::Failure>(*outcome)) model::cut_off();
  co_return std::move(*outcome);
}

asio::awaitable<model::Outcome> attempt_of(RunContext& context, const Piece& piece, const ActionView& view,
                                           model::Scope& scope, Alarm* alarm) {
  return ends_by_itself(piece.action) ? attempt_apart(context, piece, view, scope)
                                      : attempt(context, piece, view, scope, alarm);
}

void tell_begin(RunContext& context, const Piece& piece, const ActionView& view) {
  context.tell(model::AttemptBegan{piece.state.name, view.attempt, piece.action.retry.policy.attempts(), piece.part});
}

// One attempt behind what it must pass first.
asio::awaitable<model::Outcome> guarded(RunContext& context, Guards& guards, const Piece& piece, const ActionView& view,
                                        model::Scope& scope, Alarm* alarm) {
  auto refused = co_await guards.enter();
  if (refused) co_return std::move(*refused);
  tell_begin(context, piece, view);
  auto outcome = co_await attempt_of(context, piece, view, scope, alarm);
  context.mask(outcome);  // what failed is told again, once the breaker is open
  if (piece.interrupt.reason() != Reason::kNone) co_await calm();  // it ended all the same
  co_await guards.leave(outcome);
  // What was raised meanwhile was not heard by anything that waits.
  if (piece.interrupt.reason() != Reason::kNone && std::holds_alternative<model::Failure>(outcome)) model::cut_off();
  co_return outcome;
}

// Of an action without expressions: nobody looks at it.
model::Scope& no_scope() {
  static thread_local model::Scope scope;
  return scope;
}

bool uses_expressions(const model::Action& action) {
  return action.params.literal() == nullptr || !action.script_values.empty() || !action.env.empty() ||
         action.retry.when;
}

}  // namespace

// A run below rolls back by itself, when it is stopped.
bool ends_by_itself(const model::Action& action) {
  return action.compensation && !action.compensation->from_start && !action.kind->runs_flow;
}

asio::awaitable<Worked> perform(RunContext& context, Piece piece) {
  const model::Action& action = piece.action;
  ActionView view(context.run(), piece.state.name, piece.part, piece.undoes);
  // Most have no expressions, and a frame that is small is cheap.
  std::unique_ptr<model::Scope> own;
  if (uses_expressions(action)) {
    own = std::make_unique<model::Scope>();
    if (piece.around != nullptr) *own = *piece.around;
    context.fill(*own);
    slot(*own, model::Slot::kAction) = expr::Value::object(view);
  }
  model::Scope& scope = own ? *own : no_scope();
  const auto guards = Guards::of(context, piece);
  std::unique_ptr<Alarm> alarm;
  if (action.timeout && !ends_by_itself(action))
    alarm = std::make_unique<Alarm>(context.runtime().executor, piece.interrupt);
  for (view.attempt = 1;; ++view.attempt) {
    if (!guards) tell_begin(context, piece, view);
    auto work = guards ? guarded(context, *guards, piece, view, scope, alarm.get())
                       : attempt_of(context, piece, view, scope, alarm.get());
    model::Outcome outcome = co_await std::move(work);
    auto* const failure = std::get_if<model::Failure>(&outcome);
    if (failure == nullptr) context.mask(outcome);
    const auto again =
        failure != nullptr ? after_failure(context, piece, guards.get(), view.attempt, scope, *failure) : std::nullopt;
    if (!again) co_return Worked{std::move(outcome), guards ? guards->attempts(view.attempt) : view.attempt};
    Timer timer(context.runtime().executor);
    timer.expires_after(*again);
    co_await timer.async_wait(asio::use_awaitable);
  }
}

asio::awaitable<Worked> work_action(RunContext& context, Journal&, const model::State& state) {
  return perform(context, {state, std::get<model::ActionShape>(state.shape).action, context.interrupt()});
}

}  // namespace canorun::run
