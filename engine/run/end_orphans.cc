#include "engine/run/end_orphans.h"

#include <signal.h>

#include <boost/asio/use_awaitable.hpp>

#include "engine/process/orphans.h"
#include "engine/run/interrupt.h"
#include "engine/run/run_context.h"

namespace canorun::run {
namespace {

namespace asio = boost::asio;

constexpr Millis kGrace{5'000};
constexpr Millis kLookAgain{20};

}  // namespace

bool Leftovers::has(const std::string& token) {
  if (!tokens_) tokens_ = process::find_tokens();
  return tokens_->contains(token);
}

asio::awaitable<void> end_left(RunContext& context, const std::string& state, std::uint64_t visit) {
  if (!context.taken_up()) co_return;
  std::string token = work_key(context.run(), state, visit);
  if (!context.leftovers().has(token)) co_return;
  co_await end_orphans(context.runtime(), context.under(), context.run().id, state, std::move(token));
}

asio::awaitable<void> end_orphans(Runtime& runtime, const Under& under, std::string_view run, std::string_view state,
                                  std::string token) {
  auto orphans = process::find_orphans(token);
  if (orphans.empty()) co_return;
  runtime.observer.on_event({run, model::OrphansFound{state, orphans.size()}, under.around, under.of_part});
  co_await deaf();
  const SteadyTime patience = runtime.clock.steady() + kGrace;
  Timer timer(runtime.executor);
  // They may fork while they are being ended, so each round looks anew.
  for (; !orphans.empty(); orphans = process::find_orphans(token)) {
    const int signal = runtime.clock.steady() < patience ? SIGTERM : SIGKILL;
    for (const process::Orphan& orphan : orphans) process::signal_orphan(orphan, signal);
    timer.expires_after(kLookAgain);
    co_await timer.async_wait(asio::use_awaitable);
  }
  co_await calm();
}

}  // namespace canorun::run
