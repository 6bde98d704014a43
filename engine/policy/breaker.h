// Whether calls to something that keeps failing are let through.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/clock.h"

namespace canorun::policy {

struct BreakerRule {
  std::uint32_t failure_threshold = 5;    ///< so many failures in a row open it; from 1
  Millis reset_timeout{30'000};           ///< so long it lets nothing through then
  std::uint32_t half_open_max_calls = 1;  ///< so many trials may be under way, and must succeed in a row; from 1
  bool operator==(const BreakerRule&) const = default;
};

enum class BreakerPhase : std::uint8_t { kClosed, kOpen, kHalfOpen };

/// A call that is let through to see whether it succeeds.
struct Trial {
  std::uint64_t number = 0;
  std::string owner;  ///< who makes it
  bool operator==(const Trial&) const = default;
};

/// What is shared by all who use one breaker. Pure decisions: time is passed in.
struct BreakerState {
  BreakerPhase phase = BreakerPhase::kClosed;
  std::uint64_t epoch = 0;      ///< rises with every change of phase
  std::uint32_t failures = 0;   ///< in a row, while it is closed
  std::uint32_t successes = 0;  ///< in a row, while it is half-open
  WallTime opened_at{};         ///< last
  std::uint64_t next_trial = 0;
  std::vector<Trial> trials = {};  ///< under way, while it is half-open
  bool operator==(const BreakerState&) const = default;
};

/// One call's; belongs to the epoch that it was given in.
struct Permit {
  std::uint64_t epoch = 0;
  std::optional<std::uint64_t> trial = {};
  bool operator==(const Permit&) const = default;
};

/// What became of a call. `kNone`: it was cancelled, or nobody knows.
enum class CallOutcome : std::uint8_t { kNone, kSuccess, kFailure };

/// How long until the breaker may be half-open; 0 where it is, and where it is closed. Never above the reset timeout,
/// also where the clock was set back.
Millis time_to_half_open(const BreakerRule& rule, const BreakerState& state, WallTime now);

/// Asks for a call. The error: how long until it makes sense to ask again; 0: when one of the trials that are under way
/// has ended. Open turns half-open here, once its time has passed. Changes nothing while it is closed, nor when it
/// refuses; but where the clock was set back before `opened_at`, a refusal counts from now on: keep that, or the
/// breaker stays open until the clock is where it was, too.
std::expected<Permit, Millis> acquire(const BreakerRule& rule, BreakerState& state, WallTime now,
                                      std::string_view owner);

/// Says what became of a call. An earlier epoch's outcome changes nothing, nor that of a trial which was given back;
/// nor does a success while it is closed without failures.
void record(const BreakerRule& rule, BreakerState& state, const Permit& permit, CallOutcome outcome, WallTime now);

/// Gives back the trials of those who are gone.
void give_back_trials(BreakerState& state, const std::function<bool(std::string_view owner)>& is_gone);

}  // namespace canorun::policy
