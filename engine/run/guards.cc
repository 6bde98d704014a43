#include "engine/run/guards.h"

#include <fmt/format.h>

#include "engine/base/duration.h"
#include "engine/model/task.h"
#include "engine/run/arrival.h"
#include "engine/run/turns.h"

namespace canorun::run {
namespace {

namespace asio = boost::asio;

// Who stands behind another process looks again after this time, in case that one has died.
constexpr Millis kLookAgain{250};
// A shorter wait is nothing to tell of.
constexpr Millis kWorthTelling{1'000};

std::string key_of(RunContext& context, const std::string& name, bool of_run) {
  return of_run ? store::own_name(context.run().id, name) : name;
}

// As people want it: no milliseconds beside tens of seconds.
std::string in_words(Millis time) {
  constexpr Millis kExact{10'000};
  return format_duration(time < kExact ? time : Millis(std::chrono::ceil<std::chrono::seconds>(time)));
}

// What was never called has neither succeeded nor failed.
policy::CallOutcome call_outcome(const model::Outcome& outcome) {
  const auto* failure = std::get_if<model::Failure>(&outcome);
  if (failure == nullptr) return policy::CallOutcome::kSuccess;
  return failure->error.kind == model::kind::kExpression ? policy::CallOutcome::kNone : policy::CallOutcome::kFailure;
}

std::vector<std::string> keys_of(const std::vector<store::LimitCost>& costs) {
  std::vector<std::string> keys;
  for (const store::LimitCost& cost : costs) keys.push_back(cost.key);
  return keys;
}

// One who waits in the queues, and leaves them however that ends.
class Waiting {
 public:
  Waiting(RunContext& context, store::Ticket ticket, const std::vector<store::LimitCost>& costs)
      : context_(context),
        costs_(costs),
        stand_(*context.runtime().limit_turns, context.runtime().executor, ticket, keys_of(costs)) {}
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;
  ~Waiting() {
    // What cannot be written now is met by others when this process is gone.
    if (!passed_) (void)context_.runtime().store.shared().leave_queue(costs_, stand_.place());
  }

  void pass() { passed_ = true; }
  Turns::Stand& stand() { return stand_; }

 private:
  RunContext& context_;
  const std::vector<store::LimitCost>& costs_;
  Turns::Stand stand_;
  bool passed_ = false;
};

}  // namespace

std::unique_ptr<Guards> Guards::of(RunContext& context, const Piece& piece) {
  if (piece.action.tiers.empty() && !piece.action.breaker) return nullptr;
  return std::unique_ptr<Guards>(new Guards(context, piece));
}

Guards::Guards(RunContext& context, const Piece& piece) : context_(context), piece_(piece) {
  const model::Flow& flow = context.flow();
  for (const model::Tier& tier : piece.action.tiers) {
    const model::RateLimit& limit = flow.rate_limits[tier.limit];
    costs_.push_back({key_of(context, limit.name, limit.of_run), limit.rule, tier.cost, limit.fails});
  }
  if (piece.action.breaker) {
    breaker_ = &flow.breakers[*piece.action.breaker];
    breaker_key_ = key_of(context, breaker_->name, breaker_->of_run);
  }
}

Guards::~Guards() { give_back(); }

void Guards::give_back() {
  give_back_limits();
  if (!permit_) return;
  const Runtime& runtime = context_.runtime();
  // Nobody waits for it, so it may outlive the clock.
  const store::BreakerCall call{breaker_key_, breaker().rule, runtime.clock.now()};
  runtime.store.shared().tell_breaker(call, *std::exchange(permit_, std::nullopt), policy::CallOutcome::kNone,
                                      [](store::StoreResult<Millis>) {});
}

store::BreakerCall Guards::breaker_call() const {
  return {.key = breaker_key_, .rule = breaker().rule, .clock = &context_.runtime().clock};
}

void Guards::give_back_limits() {
  if (!taken_) return;
  const Runtime& runtime = context_.runtime();
  runtime.store.shared().give_back_limits(costs_, *std::exchange(taken_, std::nullopt),
                                          [](store::StoreResult<void>) {});
  runtime.limit_turns->ring_first();  // where that takes longer, the store wakes this process, too
}

asio::awaitable<std::optional<model::Failure>> Guards::enter() {
  shut_for_ = Millis{0};  // what was known then may be over
  if (!costs_.empty()) {
    auto refused = co_await pass_limits();
    if (refused) co_return refused;
  }
  if (breaker_ != nullptr) {
    auto refused = co_await pass_breaker();
    if (refused) co_return refused;
  }
  taken_.reset();  // the call is made
  co_return std::nullopt;
}

asio::awaitable<std::optional<model::Failure>> Guards::pass_limits() {
  Runtime& runtime = context_.runtime();
  store::LimitRequest request{.costs = costs_, .now = {}, .clock = &runtime.clock};
  const auto ask = [&](auto done) { runtime.store.shared().take_limits(request, std::move(done)); };
  std::unique_ptr<Waiting> waiting;
  for (;;) {
    const std::uint64_t rings = waiting ? waiting->stand().rings() : 0;
    auto answer = co_await answer_of<store::LimitAnswer>(runtime.executor, piece_.interrupt, ask);
    if (!answer) lose(std::move(answer.error()));
    const auto* wait = std::get_if<store::LimitWait>(&*answer);
    const bool waits = wait != nullptr && wait->ticket;
    if (waiting && !waits) waiting->pass();
    const bool is_new = waits && !waiting;
    if (is_new) waiting = std::make_unique<Waiting>(context_, *wait->ticket, costs_);
    if (wait == nullptr) taken_ = std::get<store::LimitTaken>(*answer).at;
    if (piece_.interrupt.reason() != Reason::kNone) model::cut_off();
    if (wait == nullptr) co_return std::nullopt;
    if (!waits) co_return limited(*wait);
    request.ticket = wait->ticket;
    if (is_new) tell_wait(*wait);
    if (waiting->stand().rings() != rings) continue;  // its turn may have come while the store was asked
    std::unique_ptr<Ringer> ringer;
    if (waiting->stand().is_first()) {
      ringer =
          std::make_unique<Ringer>(runtime.executor, waiting->stand().bell(), wait->is_first ? wait->time : kLookAgain);
    }
    co_await waiting->stand().bell().wait(piece_.interrupt);
    if (piece_.interrupt.reason() != Reason::kNone) model::cut_off();
  }
}

asio::awaitable<std::optional<model::Failure>> Guards::pass_breaker() {
  Runtime& runtime = context_.runtime();
  const auto ask = [&](auto done) { runtime.store.shared().ask_breaker(breaker_call(), std::move(done)); };
  auto answer = co_await answer_of<store::Admission>(runtime.executor, piece_.interrupt, ask);
  if (!answer) lose(std::move(answer.error()));
  shut_ = !answer->has_value();
  if (!shut_) permit_ = **answer;
  if (piece_.interrupt.reason() != Reason::kNone) model::cut_off();
  if (!shut_) co_return std::nullopt;
  give_back_limits();  // it is for others
  co_return open(answer->error());
}

asio::awaitable<void> Guards::leave(const model::Outcome& outcome) {
  if (const auto* failure = std::get_if<model::Failure>(&outcome)) last_error_ = failure->error.message;
  if (!permit_) co_return;
  Runtime& runtime = context_.runtime();
  const policy::Permit permit = *std::exchange(permit_, std::nullopt);
  const auto ask = [&](auto done) {
    runtime.store.shared().tell_breaker(breaker_call(), permit, call_outcome(outcome), std::move(done));
  };
  auto shut_for = co_await answer_of<Millis>(runtime.executor, piece_.interrupt, ask);
  if (!shut_for) lose(std::move(shut_for.error()));
  shut_for_ = *shut_for;
}

asio::awaitable<void> Guards::goes_well() {
  if (!permit_ || !permit_->trial) co_return;
  const model::Outcome well = model::Success{};
  co_await leave(well);
}

std::optional<model::Failure> Guards::shut_after(Millis delay) const {
  if (shut_for_ <= delay) return std::nullopt;
  return open(shut_for_);
}

model::Failure Guards::limited(const store::LimitWait& wait) const {
  const std::string when =
      wait.time > Millis{0} ? fmt::format("for {} more", in_words(wait.time)) : "before others that wait";
  return model::failure(model::kind::kRateLimited, fmt::format("the rate limit '{}' lets no call through {}",
                                                               store::plain_name(wait.limit), when));
}

model::Failure Guards::open(Millis left) const {
  std::string message = left > Millis{0}
                            ? fmt::format("the breaker '{}' is open for {} more", breaker().name, in_words(left))
                            : fmt::format(
                                  "the breaker '{}' is half-open, and lets no other call through until it is "
                                  "known whether its trial succeeds",
                                  breaker().name);
  if (!last_error_.empty()) message += fmt::format("; the last error was: {}", last_error_);
  return model::failure(model::kind::kCircuitOpen, std::move(message));
}

void Guards::lose(store::StoreError error) {
  context_.lose(std::move(error));
  model::cut_off();
}

void Guards::tell_wait(const store::LimitWait& wait) {
  if (wait.is_first && wait.time < kWorthTelling) return;
  context_.tell(model::Held{piece_.state.name, store::plain_name(wait.limit), wait.time, piece_.part});
}

}  // namespace canorun::run
