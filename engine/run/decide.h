// What follows from the end of a state's work: pure decisions, made into rows.
#pragma once

#include "engine/run/run_context.h"
#include "engine/run/shapes.h"

namespace canorun::run {

/// The rows that end one state and enter the next, or end the run.
struct Step {
  std::vector<store::Row> rows;
  std::optional<model::StateId> enters;   ///< none: the run has ended
  std::optional<model::RunError> failed;  ///< the state's error, if it failed
};

/// The end of the current state: `set`, then `next`; or `on_error`; or the end of the run.
Step after_work(RunContext& context, const model::State& state, Worked worked, Millis took);

/// The entry of `target`, through `route` states, from the start of a run or by a person's word.
Step enter(RunContext& context, model::StateId target);

/// The rows that end a run from outside, in the state that is current, if one is: by a cancellation or
/// a spent budget.
std::vector<store::Row> end_early(const RunState& run, model::RunError error, store::Status status, WallTime now);

/// The same where the current state has just ended well by itself: its end stands, what it would have
/// entered does not.
void end_instead(Step& step, model::RunError error, store::Status status);

}  // namespace canorun::run
