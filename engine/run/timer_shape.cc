// `timer`: one wait, to a recorded time.
#include <fmt/format.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "engine/base/duration.h"
#include "engine/run/shapes.h"

namespace canorun::run {
namespace asio = boost::asio;

Result<WallTime, model::RunError> timer_end(const model::State& state, const model::Scope& scope, WallTime now) {
  const auto& timer = std::get<model::TimerShape>(state.shape);
  const bool relative = timer.wait_for.has_value();
  const char* where = relative ? "timer.for" : "timer.until";
  const auto value = (relative ? *timer.wait_for : *timer.until).evaluate(scope);
  if (!value) return std::unexpected(expression_error(where, value.error().message, value.error().hint));
  const auto bad = [&](const Error& error) {
    return std::unexpected(expression_error(where, error.message, error.hint));
  };
  if (relative) {
    const auto duration = parse_duration(to_text(*value));
    if (!duration) return bad(duration.error());
    return now + *duration;
  }
  const auto time = parse_time(to_text(*value));
  if (!time) return bad(time.error());
  return *time;
}

asio::awaitable<Worked> work_timer(RunContext& context, Journal&, const model::State& state) {
  const Clock& clock = context.runtime().clock;
  const Current& current = *context.run().current;
  WallTime end{};
  if (current.deadline) {
    end = *current.deadline;
  } else {
    const model::Scope scope = context.scope();
    const auto computed = timer_end(state, scope, current.entered_at);
    if (!computed) co_return Worked{model::Failure{computed.error()}, 1};
    end = *computed;
  }
  // Where both times lie in the past, the one that came first counts.
  const WallTime limit = deadline_of(context, state).value_or(WallTime::max());
  if (end > limit) end = WallTime::max();
  const WallTime until = std::min(end, limit);
  if (lets_go(context, until - clock.now())) {
    co_return lets_go_for({.until = until});
  }
  context.tell(model::Waiting{state.name, until});
  Timer timer(context.runtime().executor);
  for (WallTime now = clock.now(); now < end; now = clock.now()) {
    timer.expires_after(std::min(kLongestSleep, end - now));
    co_await timer.async_wait(asio::use_awaitable);
  }
  co_return Worked{model::Success{Json::object()}, 1};
}

}  // namespace canorun::run
