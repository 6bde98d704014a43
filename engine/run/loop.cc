#include "engine/run/loop.h"

#include <fmt/format.h>

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include "engine/base/duration.h"
#include "engine/run/aside.h"

namespace canorun::run {
namespace {

namespace asio = boost::asio;

// What became of the work of the current state: nothing, when it was cut off from outside.
asio::awaitable<std::optional<Worked>> work_or_stop(RunContext& context, Journal& journal, const model::State& state) {
  std::optional<Worked> worked;
  try {
    auto done = co_await work(context, journal, state);
    worked = std::move(done);
  } catch (const boost::system::system_error& error) {
    if (error.code() != asio::error::operation_aborted) throw;
  }
  if (context.interrupt().reason() != Reason::kNone) {
    co_await calm();
    // A failure while everything is being stopped says nothing about the work.
    if (worked && std::holds_alternative<model::Failure>(worked->outcome)) worked.reset();
  }
  co_return worked;
}

}  // namespace

std::vector<store::Row> stop(RunContext& context, const Services& services) {
  const Interrupt& interrupt = context.interrupt();
  const WallTime now = context.runtime().clock.now();
  if (interrupt.reason() == Reason::kSuspend) {
    return {{now, store::RunSuspended{.reason = interrupt.detail(),
                                      .waits_for = context.rest().agreed(),
                                      .progress = context.progress(),
                                      .services_up = services.are_up()}}};
  }
  auto [error, status] = ending(interrupt, context.flow());
  return end_early(context.run(), std::move(error), status, now);
}

namespace {

// Told after the step is durable: its rows are gone by then.
void tell_end(RunContext& context, const model::StateSucceeded& ended, const Step& step) {
  if (!step.failed) return context.tell(ended);
  const std::string_view to =
      step.enters ? std::string_view(context.flow().states[*step.enters].name) : std::string_view();
  context.tell(model::StateFailed{ended.state, ended.visit, &*step.failed, ended.duration, to});
}

model::Failure not_undone_below(const std::string& child) {
  auto failure =
      model::failure(model::kind::kCompensation, fmt::format("run {} below it could not be rolled back whole", child));
  failure.error.run = child;
  return failure;
}

// A run that was interrupted as its state ended by itself enters no other, unless it is to go on there one day.
bool ends_here(RunContext& context, const Step& step) {
  const Reason reason = context.interrupt().reason();
  const auto& ended = std::get<store::StateEnded>(step.rows.front().body);
  return reason == Reason::kCancel || (reason == Reason::kRunTimeout && (ended.owed || context.run().still_owed() > 0));
}

void tell_entry(RunContext& context) {
  const RunState& run = context.run();
  if (run.status != store::Status::kRunning || run.outcome || run.rollback || !run.current) return;
  context.tell(model::StateBegan{run.current_state(), run.current->visit});
}

}  // namespace

asio::awaitable<store::StoreResult<void>> end_children(RunContext& context, Journal& journal) {
  auto ended = co_await end_open_children(context);
  if (!ended) co_return ended;
  const auto incomplete = context.children().incomplete();
  if (!incomplete) co_return std::unexpected(incomplete.error());
  if (!incomplete->empty()) journal.roll_back();
  co_return ended;
}

asio::awaitable<void> let_others_run(const Interrupt& interrupt) {
  co_await asio::post(asio::use_awaitable);
  if (interrupt.reason() != Reason::kNone) co_await calm();
}

std::pair<model::RunError, store::Status> ending(const Interrupt& interrupt, const model::Flow& flow) {
  if (interrupt.reason() == Reason::kRunTimeout) {
    return {{.kind = std::string(model::kind::kRunTimeout),
             .message = fmt::format("the run's budget of {} is spent", format_duration(*flow.timeout))},
            store::Status::kFailed};
  }
  return {{.kind = std::string(model::kind::kCancelled), .message = interrupt.detail()}, store::Status::kCancelled};
}

asio::awaitable<store::StoreResult<void>> loop(RunContext& context, Journal& journal, Services& services) {
  RunState& run = context.run();
  const Clock& clock = context.runtime().clock;
  if (context.interrupt().reason() == Reason::kNone) tell_entry(context);
  SteadyTime begin = clock.steady();
  std::optional<model::StateId> at;
  if (run.current) at = context.flow().find(run.current_state());
  while (run.status == store::Status::kRunning && !run.outcome && !run.rollback && at) {
    if (context.lost()) co_return std::unexpected(*context.lost());
    if (context.interrupt().reason() != Reason::kNone) {
      if (context.interrupt().suspends()) context.interrupt().forget(Reason::kCancel);
      if (context.interrupt().reason() == Reason::kSuspend) co_await services.tear_down();
      if (context.interrupt().reason() != Reason::kSuspend) {
        auto below = co_await end_children(context, journal);
        if (!below) co_return below;
      }
      journal.add(stop(context, services));
      auto stopped = co_await journal.commit();
      co_return stopped;
    }
    const model::State& state = context.flow().states[*at];
    auto worked = co_await work_or_stop(context, journal, state);
    if (!worked) continue;
    if (worked->store_error) co_return std::unexpected(std::move(*worked->store_error));
    if (worked->waits) {
      co_await services.tear_down();
      if (context.interrupt().reason() != Reason::kNone) continue;  // there is something to do, after all
      journal.add(std::move(*worked->waits));
      auto let_go = co_await journal.commit();
      co_return let_go;
    }
    if (context.children().may_be_open()) {
      auto below = co_await end_open_children(context);
      if (!below) co_return below;
    }
    if (const std::string child = context.children().incomplete_one(); !child.empty()) {
      worked->outcome = not_undone_below(child);
      journal.roll_back();
    }
    const SteadyTime end = clock.steady();
    const auto took = std::chrono::duration_cast<Millis>(end - begin);
    const model::StateSucceeded ended{state.name, run.current->visit, worked->attempts, took};
    Step step = after_work(context, state, std::move(*worked), took);
    if (step.enters && ends_here(context, step)) {
      auto [error, status] = ending(context.interrupt(), context.flow());
      end_instead(step, std::move(error), status);
    }
    context.progress() = nullptr;  // it was that of the state which has ended
    journal.add(std::move(step.rows));
    auto committed = co_await journal.commit();
    if (!committed) co_return committed;
    if (!step.failed) context.drop_kept();
    tell_end(context, ended, step);
    tell_entry(context);
    begin = end;
    at = step.enters;
    if (run.rows % kRowsWithoutPause < 2) co_await let_others_run(context.interrupt());
  }
  co_return store::StoreResult<void>{};
}

}  // namespace canorun::run
