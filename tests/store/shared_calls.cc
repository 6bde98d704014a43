#include "shared_calls.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <stdexcept>

namespace canorun::store::test {
namespace {

// What `ask` gets for the completion that it makes a call with.
template <class T, class Ask>
T answer_of(Ask ask) {
  std::promise<StoreResult<T>> promise;
  auto result = promise.get_future();
  ask([promise = std::move(promise)](StoreResult<T> value) mutable { promise.set_value(std::move(value)); });
  auto value = result.get();
  if (!value) throw std::runtime_error(value.error().message);
  if constexpr (!std::is_void_v<T>) return std::move(*value);
}

}  // namespace

Admission ask(SharedState& shared, const BreakerCall& call) {
  return answer_of<Admission>([&](Completion<Admission> done) { shared.ask_breaker(call, std::move(done)); });
}

Millis tell(SharedState& shared, const BreakerCall& call, policy::Permit permit, policy::CallOutcome outcome) {
  return answer_of<Millis>(
      [&](Completion<Millis> done) { shared.tell_breaker(call, permit, outcome, std::move(done)); });
}

LimitAnswer take(SharedState& shared, const LimitRequest& request) {
  return answer_of<LimitAnswer>([&](Completion<LimitAnswer> done) { shared.take_limits(request, std::move(done)); });
}

void give_back(SharedState& shared, std::vector<LimitCost> costs, Moment taken) {
  answer_of<void>([&](Completion<void> done) { shared.give_back_limits(costs, taken, std::move(done)); });
}

void leave(SharedState& shared, const std::vector<LimitCost>& costs, Ticket ticket) {
  if (const auto left = shared.leave_queue(costs, ticket); !left) throw std::runtime_error(left.error().message);
}

std::string said(const Admission& admission) {
  if (!admission) return fmt::format("refused for {}", admission.error().count());
  return admission->trial ? fmt::format("trial {}", *admission->trial) : "let through";
}

std::string said(const LimitAnswer& answer) {
  const auto* wait = std::get_if<LimitWait>(&answer);
  if (wait == nullptr) return "taken";
  return fmt::format("{}: {} for {}{}", wait->ticket ? fmt::format("ticket {}", *wait->ticket) : "refused",
                     wait->time.count(), wait->limit, wait->is_first ? "" : ", behind others");
}

std::string said(const StoreResult<std::vector<BreakerRecord>>& breakers) {
  constexpr std::array kPhases{"closed", "open", "half-open"};
  std::vector<std::string> lines;
  REQUIRE(breakers);
  for (const auto& [key, rule, state] : *breakers) {
    std::vector<std::uint64_t> trials;
    for (const policy::Trial& trial : state.trials) trials.push_back(trial.number);
    lines.push_back(fmt::format("{} {} {}: {} failures, {} successes, trials {}", key,
                                kPhases[static_cast<std::size_t>(state.phase)], state.epoch, state.failures,
                                state.successes, fmt::join(trials, " ")));
  }
  return fmt::format("{}", fmt::join(lines, "; "));
}

std::string said(const StoreResult<std::vector<LimitRecord>>& limits) {
  std::vector<std::string> lines;
  REQUIRE(limits);
  for (const LimitRecord& limit : *limits) {
    const auto* bucket = std::get_if<policy::BucketState>(&limit.state);
    lines.push_back(fmt::format("{} {}, {} waiting", limit.key,
                                bucket != nullptr
                                    ? fmt::format("{} missing", bucket->missing)
                                    : fmt::format("{} used", std::get<policy::WindowState>(limit.state).used),
                                limit.waiting));
  }
  return fmt::format("{}", fmt::join(lines, "; "));
}

Ticket ticket_of(const LimitAnswer& answer) {
  const auto* wait = std::get_if<LimitWait>(&answer);
  if (wait == nullptr || !wait->ticket) throw std::runtime_error("there is no need to wait");
  return *wait->ticket;
}

}  // namespace canorun::store::test
