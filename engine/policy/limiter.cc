#include "engine/policy/limiter.h"

#include <algorithm>

namespace canorun::policy {
namespace {

// Tokens times nanoseconds: with the most calls and the longest times some 2^94, and 2^125 where a state is garbage.
__extension__ using Wide = __int128;

constexpr Wide kNanosPerMilli = 1'000'000;

Millis at_most_longest(Wide millis) {
  return Millis{static_cast<std::int64_t>(std::min<Wide>(kLongestWait.count(), millis))};
}

// Rounded up; neither is negative.
Wide divided(Wide by, Wide number) { return (number + by - 1) / by; }

Wide since(SteadyTime from, SteadyTime to) {
  using std::chrono::nanoseconds;
  return Wide{nanoseconds(to.time_since_epoch()).count()} - Wide{nanoseconds(from.time_since_epoch()).count()};
}

Wide since(WallTime from, WallTime to) {
  return Wide{to.time_since_epoch().count()} - Wide{from.time_since_epoch().count()};
}

// A bucket in tokens · ns, where one token is `per` and `tokens` come back each nanosecond.
class Debt {
 public:
  Debt(const Bucket& rule, const BucketState& state)
      : tokens_(rule.tokens),
        per_(kNanosPerMilli * rule.per.count()),
        capacity_(per_ * rule.capacity()),
        owed_(std::clamp<Wide>(per_ * state.missing - std::clamp<Wide>(state.part, 0, per_ - 1), 0, capacity_)) {}

  void refill(Wide nanos) { owed_ = std::max<Wide>(0, owed_ - refilled(nanos)); }
  void add(std::int64_t cost) { owed_ = std::min(capacity_, owed_ + price(cost)); }
  /// What was added so long before, without what has come back since then in any case.
  void undo(std::int64_t cost, Wide nanos_before) {
    owed_ = std::max<Wide>(0, owed_ - std::max<Wide>(0, price(cost) - refilled(nanos_before)));
  }
  // A bucket that somebody waits for is never full: what comes back is for them, and nothing of it is lost.
  Wide nanos_until(std::int64_t cost, Ahead ahead) const {
    Wide owed = owed_;
    for (const std::int64_t other : ahead) owed += price(other);
    return divided(tokens_, std::max<Wide>(0, owed - (capacity_ - price(cost))));
  }
  std::int64_t missing() const { return static_cast<std::int64_t>(divided(per_, owed_)); }
  std::int64_t part() const { return static_cast<std::int64_t>(per_ * missing() - owed_); }

 private:
  Wide price(std::int64_t cost) const { return std::clamp<Wide>(per_ * cost, per_, capacity_); }
  Wide refilled(Wide nanos) const { return tokens_ * std::max<Wide>(0, nanos); }

  Wide tokens_;
  Wide per_;
  Wide capacity_;
  Wide owed_;
};

Debt debt_at(const Bucket& rule, const BucketState& state, SteadyTime now) {
  Debt debt(rule, state);
  debt.refill(since(state.at, now));
  return debt;
}

// What was used of the window that is open now.
std::int64_t used_at(const Window& rule, const WindowState& state, WallTime now) {
  return since(state.opened_at, now) < rule.window.count() ? std::max<std::int64_t>(0, state.used) : 0;
}

}  // namespace

std::int64_t capacity(const LimitRule& rule) {
  return std::visit([](const auto& any) { return any.capacity(); }, rule);
}

Millis time_until(const Bucket& rule, const BucketState& state, SteadyTime now, std::int64_t cost, Ahead ahead) {
  const Wide nanos = debt_at(rule, state, now).nanos_until(cost, ahead);
  if (nanos == 0) return Millis{0};
  const Wide early = std::max<Wide>(0, since(now, state.at));
  return at_most_longest(divided(kNanosPerMilli, nanos + early));
}

Millis time_until(const Window& rule, const WindowState& state, WallTime now, std::int64_t cost, Ahead ahead) {
  std::int64_t left = available(rule, state, now);
  std::int64_t windows = 0;  // from now on
  const auto make = [&](std::int64_t call) {
    const std::int64_t price = std::clamp<std::int64_t>(call, 1, rule.limit);
    if (price > left) {
      ++windows;
      left = rule.limit;
    }
    left -= price;
  };
  std::ranges::for_each(ahead, make);
  make(cost);
  if (windows == 0) return Millis{0};
  const bool is_open = used_at(rule, state, now) > 0;
  const Wide passed = is_open ? std::max<Wide>(0, since(state.opened_at, now)) : 0;
  return at_most_longest(Wide{rule.window.count()} * windows - passed);
}

void take(const Bucket& rule, BucketState& state, SteadyTime now, std::int64_t cost) {
  Debt debt = debt_at(rule, state, now);
  debt.add(cost);
  state = {.missing = debt.missing(), .part = debt.part(), .at = std::max(state.at, now)};
}

void take(const Window& rule, WindowState& state, WallTime now, std::int64_t cost) {
  const std::int64_t used = used_at(rule, state, now);
  const std::int64_t room = std::max<std::int64_t>(0, rule.limit - used);
  state = {.opened_at = used == 0 ? now : std::min(state.opened_at, now),
           .used = used + std::clamp<std::int64_t>(cost, 0, room)};
}

void give_back(const Bucket& rule, BucketState& state, SteadyTime taken_at, std::int64_t cost) {
  Debt debt(rule, state);
  debt.undo(cost, since(taken_at, state.at));
  state = {.missing = debt.missing(), .part = debt.part(), .at = state.at};
}

void give_back(const Window& rule, WindowState& state, WallTime taken_at, std::int64_t cost) {
  const Wide into = since(state.opened_at, taken_at);
  if (into < 0 || into >= rule.window.count()) return;
  state.used = std::max<std::int64_t>(0, std::max<std::int64_t>(0, state.used) - std::max<std::int64_t>(0, cost));
}

bool follow_clock(WindowState& state, WallTime now) {
  if (state.used == 0 || state.opened_at <= now) return false;
  state.opened_at = now;
  return true;
}

std::int64_t available(const Bucket& rule, const BucketState& state, SteadyTime now) {
  return rule.capacity() - debt_at(rule, state, now).missing();
}

std::int64_t available(const Window& rule, const WindowState& state, WallTime now) {
  return std::max<std::int64_t>(0, rule.limit - used_at(rule, state, now));
}

}  // namespace canorun::policy
