#include "engine/run/shapes.h"

#include <fmt/format.h>

#include <array>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <cassert>

#include "engine/base/duration.h"

namespace canorun::run {
namespace {

namespace asio = boost::asio;

using End = Result<WallTime, model::RunError> (*)(const model::State&, const model::Scope&, WallTime);

struct Row {
  asio::awaitable<Worked> (*work)(RunContext&, Journal&, const model::State&);
  End end = nullptr;  ///< null: nothing is known of a visit's end
};

// In the order of model::Shape. `route` and `exit` are passed and reached, never worked on.
constexpr std::array<Row, std::variant_size_v<model::Shape>> kShapes{{{work_action},
                                                                      {work_timer, timer_end},
                                                                      {},
                                                                      {},
                                                                      {work_split},
                                                                      {work_batch},
                                                                      {work_poll},
                                                                      {work_stepped},
                                                                      {work_stream},
                                                                      {work_wait}}};

const Row& row(const model::State& state) { return kShapes[state.shape.index()]; }

// As long as this a process waits; to be taken up again costs about as much.
constexpr Millis kWorthWaiting{1'000};

Worked timed_out(const model::State& state) {
  return {model::failure(model::kind::kTimeout, fmt::format("not over within {}", format_duration(*state.deadline))),
          1};
}

asio::awaitable<Worked> work_in_time(RunContext& context, Journal& journal, const model::State& state) {
  Interrupt& interrupt = context.interrupt();
  Alarm alarm(context.runtime().executor, interrupt);
  const Millis left = *deadline_of(context, state) - context.runtime().clock.now();
  if (left > Millis{0}) {
    alarm.arm(left, Reason::kDeadline);
  } else {
    interrupt.raise(Reason::kDeadline);
  }
  std::optional<Worked> worked;
  try {
    auto done = co_await row(state).work(context, journal, state);
    worked = std::move(done);
  } catch (const boost::system::system_error& error) {
    if (error.code() != asio::error::operation_aborted || interrupt.reason() != Reason::kDeadline) throw;
  }
  alarm.disarm();
  if (interrupt.reason() == Reason::kDeadline) {
    interrupt.forget(Reason::kDeadline);
    co_await calm();
  }
  if (!worked) worked = timed_out(state);
  co_return std::move(*worked);
}

}  // namespace

asio::awaitable<Worked> work(RunContext& context, Journal& journal, const model::State& state) {
  assert(row(state).work != nullptr);
  context.rest().set_at_work(1);
  return state.deadline ? work_in_time(context, journal, state) : row(state).work(context, journal, state);
}

bool lets_go(const RunContext& context, std::optional<Millis> wait) {
  return context.suspends() && (!wait || *wait > kWorthWaiting);
}

std::optional<WallTime> deadline_of(RunContext& context, const model::State& state) {
  if (!state.deadline) return std::nullopt;
  return context.run().current->entered_at + *state.deadline;
}

bool has_deadline(const model::State& state) { return row(state).end != nullptr; }

std::optional<WallTime> deadline(const model::State& state, const model::Scope& scope, WallTime now) {
  const auto end = row(state).end(state, scope, now);
  return end ? std::optional(*end) : std::nullopt;
}

}  // namespace canorun::run
