// The shapes of states: how the work of each is done. A new shape is a file and a row of the table.
#pragma once

#include <boost/asio/awaitable.hpp>

#include "engine/model/outcome.h"
#include "engine/run/run_context.h"

namespace canorun::run {

/// How the work of one visit ended.
struct Worked {
  model::Outcome outcome = model::Success{};
  std::uint32_t attempts = 0;
  /// It has not ended: there is nothing to do but wait, and the run is let go of meanwhile. Both of these are rare, and
  /// every frame on the way has room for what it hands on.
  std::unique_ptr<store::RunSuspended> waits = {};
  /// What of it was to be kept was not: the process must let the run go. The outcome says nothing then.
  std::unique_ptr<store::StoreError> store_error = {};
};

/// Nothing was to do but wait.
inline Worked lets_go_for(store::WaitsFor waits, Json progress = nullptr) {
  Worked worked;
  worked.waits =
      std::make_unique<store::RunSuspended>(store::RunSuspended{"waits", std::move(waits), std::move(progress)});
  return worked;
}
inline Worked store_failed(store::StoreError error) {
  Worked worked;
  worked.store_error = std::make_unique<store::StoreError>(std::move(error));
  return worked;
}

/// Does the work of the state that is current, within its deadline; what of it ends by itself goes into the
/// journal. Throws `operation_aborted` when it was interrupted from outside (see Interrupt); by then nothing
/// of it runs any more.
boost::asio::awaitable<Worked> work(RunContext& context, Journal& journal, const model::State& state);

/// Whether a visit of the state is due to end at a time that is known when it begins.
bool has_deadline(const model::State& state);

/// When a visit of such a state that begins `now` is due to end: recorded with the entry. None where
/// its expression fails: the work will fail in the same way.
std::optional<WallTime> deadline(const model::State& state, const model::Scope& scope, WallTime now);

/// Whether the run is to be let go of instead of waiting for `wait` in this process; none: for an unknown time.
bool lets_go(const RunContext& context, std::optional<Millis> wait);

/// When the visit that is current has to be over, whatever it does; none: it may take any time.
std::optional<WallTime> deadline_of(RunContext& context, const model::State& state);

// The shapes that work; see shapes.cc for the table.
boost::asio::awaitable<Worked> work_action(RunContext& context, Journal& journal, const model::State& state);
boost::asio::awaitable<Worked> work_timer(RunContext& context, Journal& journal, const model::State& state);
boost::asio::awaitable<Worked> work_split(RunContext& context, Journal& journal, const model::State& state);
boost::asio::awaitable<Worked> work_batch(RunContext& context, Journal& journal, const model::State& state);
boost::asio::awaitable<Worked> work_poll(RunContext& context, Journal& journal, const model::State& state);
boost::asio::awaitable<Worked> work_stepped(RunContext& context, Journal& journal, const model::State& state);
boost::asio::awaitable<Worked> work_wait(RunContext& context, Journal& journal, const model::State& state);
boost::asio::awaitable<Worked> work_stream(RunContext& context, Journal& journal, const model::State& state);
Result<WallTime, model::RunError> timer_end(const model::State& state, const model::Scope& scope, WallTime now);

}  // namespace canorun::run
