// `poll`: asks until the answer will do.
#include <fmt/format.h>

#include <boost/asio/use_awaitable.hpp>

#include "engine/run/perform.h"

namespace canorun::run {
namespace {

namespace asio = boost::asio;

// An answer that is a map says how often was asked.
Json with_polls(Json output, std::uint64_t polls) {
  if (output.is_object()) output["polls"] = static_cast<std::int64_t>(polls);
  return output;
}

Result<bool, model::RunError> will_do(RunContext& context, const model::PollShape& poll, const Json& answer) {
  model::Scope scope = context.scope();
  slot(scope, model::Slot::kOutput) = expr::Value::view(answer);
  return truth("poll.until", poll.until.evaluate(scope));
}

}  // namespace

asio::awaitable<Worked> work_poll(RunContext& context, Journal&, const model::State& state) {
  const auto& poll = std::get<model::PollShape>(state.shape);
  const std::uint64_t resumes = context.run().resumes;
  std::uint32_t errors = 0;
  Timer timer(context.runtime().executor);
  for (std::uint32_t ask = 0;; ++ask) {
    // Every ask is work of its own: an answer that was kept for the key of another would never change.
    const Piece piece{state, poll.ask, context.interrupt(), fmt::format("{}:{}", resumes, ask)};
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
    context.tell(model::Advanced{
        .state = state.name, .unit = "poll", .count = ask + 1, .until = context.runtime().clock.now() + delay});
    timer.expires_after(delay);
    co_await timer.async_wait(asio::use_awaitable);
  }
}

}  // namespace canorun::run
