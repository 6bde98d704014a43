// `stepped`: steps with a cursor that outlives the process.
#include <fmt/format.h>

#include "engine/model/task.h"
#include "engine/run/loop.h"
#include "engine/run/perform.h"

namespace canorun::run {
namespace {

namespace asio = boost::asio;

Result<Json, model::RunError> next_cursor(const RunContext& context, const model::SteppedShape& stepped,
                                          model::Scope scope, const Json& output) {
  slot(scope, model::Slot::kOutput) = expr::Value::view(output);
  auto cursor = json_of("stepped.cursor", stepped.cursor.evaluate(scope));
  if (cursor) context.masker().mask(*cursor);  // as it is kept
  return cursor;
}

model::Failure too_many_steps(std::uint64_t most) {
  return model::failure(model::kind::kMaxTransitions,
                        fmt::format("more than {} steps: does the cursor never become null?", most));
}

}  // namespace

asio::awaitable<Worked> work_stepped(RunContext& context, Journal& journal, const model::State& state) {
  const auto& stepped = std::get<model::SteppedShape>(state.shape);
  const Current& current = *context.run().current;
  const std::uint64_t most = context.flow().max_transitions;
  const Clock& clock = context.runtime().clock;
  model::Scope around = context.scope();
  Json cursor = current.cursor;
  if (current.steps == 0) {
    auto initial = stepped.initial.evaluate(around);
    if (!initial) {
      co_return Worked{
          model::Failure{expression_error("stepped.initial", initial.error().message, initial.error().hint)}, 1};
    }
    cursor = std::move(*initial);
  }
  while (current.steps == 0 || !cursor.is_null()) {
    const std::uint64_t step = current.steps;
    if (step >= most) co_return Worked{too_many_steps(most), 1};
    slot(around, model::Slot::kCursor) = expr::Value::view(cursor);
    slot(around, model::Slot::kStep) = expr::Value::integer(static_cast<std::int64_t>(step));
    const SteadyTime begin = clock.steady();
    const Piece piece{state, stepped.step, context.interrupt(), std::to_string(step), &around};
    auto worked = co_await perform(context, piece);
    auto* success = std::get_if<model::Success>(&worked.outcome);
    if (success == nullptr) co_return worked;
    auto next = next_cursor(context, stepped, around, success->output);
    if (!next) co_return Worked{model::Failure{next.error()}, worked.attempts};
    const auto took = std::chrono::duration_cast<Millis>(clock.steady() - begin);
    journal.add(store::StepEnded{.state = state.name,
                                 .visit = current.visit,
                                 .step = step,
                                 .attempts = worked.attempts,
                                 .duration = took,
                                 .cursor = *next,
                                 .output = std::move(success->output)});
    auto committed = co_await journal.commit();
    if (!committed) co_return store_failed(std::move(committed.error()));
    context.drop_kept();
    context.tell(model::Advanced{.state = state.name, .unit = "step", .count = step + 1});
    cursor = std::move(*next);
    if (step % kRowsWithoutPause == 0) co_await let_others_run(context.interrupt());
    // What was raised while the step was being kept was not heard by anything that waits.
    if (context.interrupt().reason() != Reason::kNone && !cursor.is_null()) {
      model::cut_off();
    }
  }
  co_return Worked{model::Success{Json{{"steps", static_cast<std::int64_t>(current.steps)}, {"last", current.last}}},
                   1};
}

}  // namespace canorun::run
