#include "engine/policy/breaker.h"

#include <algorithm>

namespace canorun::policy {
namespace {

// Trials that are under way belong to the epoch that ends here.
void enter(BreakerState& state, BreakerPhase phase) {
  state.phase = phase;
  ++state.epoch;
  state.failures = 0;
  state.successes = 0;
  state.trials.clear();
}

void open(BreakerState& state, WallTime now) {
  enter(state, BreakerPhase::kOpen);
  state.opened_at = now;
}

// Whether one more makes `enough`, and counts it if not. A count from a file may be anything.
bool completes(std::uint32_t& count, std::uint32_t enough) {
  if (count >= enough || count + 1 == enough) return true;
  ++count;
  return false;
}

void record_closed(const BreakerRule& rule, BreakerState& state, CallOutcome outcome, WallTime now) {
  switch (outcome) {
    case CallOutcome::kNone: return;
    case CallOutcome::kSuccess: state.failures = 0; return;
    case CallOutcome::kFailure:
      if (completes(state.failures, rule.failure_threshold)) open(state, now);
      return;
  }
}

void record_trial(const BreakerRule& rule, BreakerState& state, const Permit& permit, CallOutcome outcome,
                  WallTime now) {
  const auto ended = std::erase_if(state.trials, [&](const Trial& trial) { return trial.number == permit.trial; });
  if (ended == 0) return;
  switch (outcome) {
    case CallOutcome::kNone: return;
    case CallOutcome::kSuccess:
      if (completes(state.successes, rule.half_open_max_calls)) enter(state, BreakerPhase::kClosed);
      return;
    case CallOutcome::kFailure: open(state, now); return;
  }
}

// With nothing under way there is room, whatever the rule: another user's rule may have wanted more successes.
bool has_room(const BreakerRule& rule, const BreakerState& state) {
  return state.trials.empty() || state.trials.size() + state.successes < rule.half_open_max_calls;
}

}  // namespace

Millis time_to_half_open(const BreakerRule& rule, const BreakerState& state, WallTime now) {
  if (state.phase != BreakerPhase::kOpen) return Millis{0};
  if (now <= state.opened_at) return rule.reset_timeout;
  // The difference of any two times fits without a sign.
  const auto passed = static_cast<std::uint64_t>(now.time_since_epoch().count()) -
                      static_cast<std::uint64_t>(state.opened_at.time_since_epoch().count());
  const auto timeout = static_cast<std::uint64_t>(rule.reset_timeout.count());
  return Millis{passed < timeout ? static_cast<std::int64_t>(timeout - passed) : 0};
}

std::expected<Permit, Millis> acquire(const BreakerRule& rule, BreakerState& state, WallTime now,
                                      std::string_view owner) {
  if (state.phase == BreakerPhase::kClosed) return Permit{.epoch = state.epoch};
  if (state.phase == BreakerPhase::kOpen) {
    if (const Millis left = time_to_half_open(rule, state, now); left > Millis{0}) {
      state.opened_at = std::min(state.opened_at, now);
      return std::unexpected(left);
    }
    enter(state, BreakerPhase::kHalfOpen);
  }
  if (!has_room(rule, state)) return std::unexpected(Millis{0});
  const std::uint64_t number = state.next_trial++;
  state.trials.push_back({.number = number, .owner = std::string(owner)});
  return Permit{.epoch = state.epoch, .trial = number};
}

void record(const BreakerRule& rule, BreakerState& state, const Permit& permit, CallOutcome outcome, WallTime now) {
  if (permit.epoch != state.epoch) return;
  switch (state.phase) {
    case BreakerPhase::kClosed: record_closed(rule, state, outcome, now); return;
    case BreakerPhase::kOpen: return;  // it gives no permits
    case BreakerPhase::kHalfOpen: record_trial(rule, state, permit, outcome, now); return;
  }
}

void give_back_trials(BreakerState& state, const std::function<bool(std::string_view owner)>& is_gone) {
  std::erase_if(state.trials, [&](const Trial& trial) { return is_gone(trial.owner); });
}

}  // namespace canorun::policy
