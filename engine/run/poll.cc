// `poll`: asks until the answer will do.
#include <fmt/format.h>

#include <boost/asio/use_awaitable.hpp>

#include "engine/run/perform.h"

namespace canorun::run {
namespace {

namespace asio = boost::asio;

// An answer that is a map, or none, says how often was asked.
Json with_polls(Json output, std::uint64_t polls) {
  if (output.is_null()) output = Json::object();
  if (output.is_object()) output["polls"] = static_cast<std::int64_t>(polls);
  return output;
}

Result<bool, model::RunError> will_do(RunContext& context, const model::PollShape& poll, const Json& answer) {
  model::Scope scope = context.scope();
  slot(scope, model::Slot::kOutput) = expr::Value::view(answer);
  return truth("poll.until", poll.until.evaluate(scope));
}

// What a process that let go of the run had come to.
std::uint32_t count_in(const Json& progress, const char* what) {
  const auto found = progress.find(what);
  return found != progress.end() && found->is_number_integer() ? found->get<std::uint32_t>() : 0;
}

Json progress(std::uint32_t polls, std::uint32_t errors) {
  Json progress{{"polls", polls}, {"errors", errors}};
  normalize(progress);
  return progress;
}

Worked lets_go_until(WallTime until, std::uint32_t polls, std::uint32_t errors) {
  return lets_go_for({.until = until}, progress(polls, errors));
}

}  // namespace

asio::awaitable<Worked> work_poll(RunContext& context, Journal&, const model::State& state) {
  const auto& poll = std::get<model::PollShape>(state.shape);
  const std::uint64_t resumes = context.run().resumes;
  const Clock& clock = context.runtime().clock;
  const Json& before = context.run().current->progress;
  std::uint32_t errors = count_in(before, "errors");
  Timer timer(context.runtime().executor);
  for (std::uint32_t ask = count_in(before, "polls");; ++ask) {
    // Every ask is work of its own: an answer that was kept for the key of another would never change. A child run,
    // which keeps none, goes on in the ask that it was begun for.
    Piece piece{state, poll.ask, context.interrupt(), fmt::format("{}:{}", resumes, ask)};
    if (poll.ask.kind->runs_flow) {
      piece.part = fmt::format("{}", ask);
      piece.asks = true;
      context.progress() = progress(ask, errors);
    }
    auto worked = co_await perform(context, piece);
    Millis at_least{0};
    if (auto* success = std::get_if<model::Success>(&worked.outcome)) {
      const auto good = will_do(context, poll, success->output);
      if (!good) co_return Worked{model::Failure{good.error()}, worked.attempts};
      if (*good) {
        success->output = with_polls(std::move(success->output), ask + 1);
        co_return worked;
      }
      errors = 0;
    } else {
      at_least = std::get<model::Failure>(worked.outcome).error.retry_after;
      if (++errors > poll.max_errors) co_return worked;
    }
    const Millis delay = policy::delay_before(poll.every, ask, context.runtime().random.unit(), at_least);
    if (lets_go(context, delay)) co_return lets_go_until(clock.now() + delay, ask + 1, errors);
    context.tell(model::Advanced{.state = state.name, .unit = "poll", .count = ask + 1, .until = clock.now() + delay});
    timer.expires_after(delay);
    co_await timer.async_wait(asio::use_awaitable);
  }
}

}  // namespace canorun::run
