#include "cli/view_breakers.h"

#include <fmt/format.h>

#include "engine/base/duration.h"

namespace canorun::cli {
namespace {

using policy::BreakerPhase;

// What a call would meet: the store learns that the time has passed from the first one after it.
BreakerPhase phase_at(const store::BreakerRecord& breaker, WallTime now) {
  const bool waits = policy::time_to_half_open(breaker.rule, breaker.state, now) > Millis{0};
  return breaker.state.phase == BreakerPhase::kOpen && !waits ? BreakerPhase::kHalfOpen : breaker.state.phase;
}

std::string_view phase_name(BreakerPhase phase) {
  switch (phase) {
    case BreakerPhase::kClosed: return "closed";
    case BreakerPhase::kOpen: return "open";
    case BreakerPhase::kHalfOpen: return "half_open";
  }
  return {};
}

std::string painted(BreakerPhase phase, const Style& style) {
  switch (phase) {
    case BreakerPhase::kClosed: return style.good(phase_name(phase));
    case BreakerPhase::kOpen: return style.bad(phase_name(phase));
    case BreakerPhase::kHalfOpen: return style.pending(phase_name(phase));
  }
  return {};
}

std::string detail(const store::BreakerRecord& breaker, WallTime now) {
  const auto& [key, rule, state] = breaker;
  switch (phase_at(breaker, now)) {
    case BreakerPhase::kClosed:
      return fmt::format("{} of {} in a row", state.failures, counted(rule.failure_threshold, "failure"));
    case BreakerPhase::kOpen:
      return fmt::format("half-open in {}", human_duration(policy::time_to_half_open(rule, state, now)));
    case BreakerPhase::kHalfOpen:
      return fmt::format("{} under way, {} of {} succeeded", counted(state.trials.size(), "trial"), state.successes,
                         rule.half_open_max_calls);
  }
  return {};
}

}  // namespace

std::string breakers_text(const std::vector<store::BreakerRecord>& breakers, WallTime now, const Style& style) {
  Table table;
  table.row({{"NAME", style.dim("NAME")}, {"STATE", style.dim("STATE")}, {}});
  for (const store::BreakerRecord& breaker : breakers) {
    const BreakerPhase phase = phase_at(breaker, now);
    table.row({{breaker.key}, {std::string(phase_name(phase)), painted(phase, style)}, {detail(breaker, now)}});
  }
  return table.text();
}

Json to_json(const store::BreakerRecord& breaker, WallTime now) {
  const auto& [key, rule, state] = breaker;
  const BreakerPhase phase = phase_at(breaker, now);
  const bool is_open = phase == BreakerPhase::kOpen;
  const std::string_view run = store::owner_run(key);
  const Millis left = policy::time_to_half_open(rule, state, now);
  return {{"name", store::plain_name(key)},
          {"run", run.empty() ? Json() : Json(run)},
          {"state", phase_name(phase)},
          {"failures", phase == BreakerPhase::kClosed ? Json(state.failures) : Json()},
          {"failure_threshold", rule.failure_threshold},
          {"reset_timeout_ms", rule.reset_timeout.count()},
          {"half_open_max_calls", rule.half_open_max_calls},
          {"opened_at", phase == BreakerPhase::kClosed ? Json() : Json(format_time(state.opened_at))},
          {"half_open_at", is_open ? Json(format_time(now + left)) : Json()},
          {"half_open_in_ms", is_open ? Json(left.count()) : Json()},
          {"trials", phase == BreakerPhase::kHalfOpen ? Json(state.trials.size()) : Json()},
          {"successes", phase == BreakerPhase::kHalfOpen ? Json(state.successes) : Json()}};
}

}  // namespace canorun::cli
