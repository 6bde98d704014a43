#include "engine/policy/breaker.h"

#include <doctest/doctest.h>

#include <limits>
#include <string>
#include <vector>

using namespace canorun;
using policy::acquire;
using policy::BreakerPhase;
using policy::BreakerRule;
using policy::BreakerState;
using policy::CallOutcome;
using policy::give_back_trials;
using policy::Permit;
using policy::record;
using policy::time_to_half_open;
using policy::Trial;

namespace {

constexpr auto kNone = CallOutcome::kNone;
constexpr auto kSuccess = CallOutcome::kSuccess;
constexpr auto kFailure = CallOutcome::kFailure;

constexpr BreakerRule kRule{.failure_threshold = 2, .reset_timeout = Millis{1'000}, .half_open_max_calls = 1};
constexpr BreakerRule kTwoTrials{.failure_threshold = 2, .reset_timeout = Millis{1'000}, .half_open_max_calls = 2};

constexpr WallTime at(std::int64_t millis) { return WallTime{Millis{millis}}; }

using Asked = std::expected<Permit, Millis>;
constexpr Asked refused(std::int64_t millis) { return std::unexpected(Millis{millis}); }

BreakerState open_since(WallTime time) { return {.phase = BreakerPhase::kOpen, .epoch = 1, .opened_at = time}; }

/// Half-open in epoch 2, with the trials 0, 1, … under way.
BreakerState half_open(const std::vector<std::string>& owners, std::uint32_t successes = 0) {
  BreakerState state{.phase = BreakerPhase::kHalfOpen, .epoch = 2, .successes = successes, .opened_at = at(0)};
  for (const std::string& owner : owners) state.trials.push_back({state.next_trial++, owner});
  return state;
}

BreakerState recorded(const BreakerRule& rule, BreakerState state, const Permit& permit, CallOutcome outcome,
                      WallTime now) {
  record(rule, state, permit, outcome, now);
  return state;
}

}  // namespace

TEST_CASE("a closed breaker lets everything through and writes nothing") {
  BreakerState state{.epoch = 4, .failures = 1};
  const BreakerState before = state;
  for (int i = 0; i < 3; ++i) CHECK(acquire(kRule, state, at(0), "a") == Asked(Permit{.epoch = 4}));
  CHECK(state == before);
}

TEST_CASE("failures in a row open it, and a success in between starts the count anew") {
  BreakerState state;
  record(kRule, state, {}, kFailure, at(10));
  CHECK(state == BreakerState{.failures = 1});
  record(kRule, state, {}, kSuccess, at(20));
  CHECK(state == BreakerState{});
  record(kRule, state, {}, kFailure, at(30));
  record(kRule, state, {}, kNone, at(35));
  CHECK(state == BreakerState{.failures = 1});
  record(kRule, state, {}, kFailure, at(40));
  CHECK(state == open_since(at(40)));
}

TEST_CASE("an open breaker refuses until its time has passed, says how long that is, and stays as it is") {
  BreakerState state = open_since(at(100));
  CHECK(acquire(kRule, state, at(100), "a") == refused(1'000));
  CHECK(acquire(kRule, state, at(1'099), "a") == refused(1));
  CHECK(state == open_since(at(100)));
  CHECK(acquire(kRule, state, at(1'100), "a") == Asked(Permit{.epoch = 2, .trial = 0}));
  CHECK(state ==
        BreakerState{
            .phase = BreakerPhase::kHalfOpen, .epoch = 2, .opened_at = at(100), .next_trial = 1, .trials = {{0, "a"}}});
}

TEST_CASE("the time to half-open is that of open breakers only") {
  CHECK(time_to_half_open(kRule, open_since(at(100)), at(300)) == Millis{800});
  CHECK(time_to_half_open(kRule, open_since(at(100)), at(5'000)) == Millis{0});
  CHECK(time_to_half_open(kRule, half_open({}), at(1)) == Millis{0});
  CHECK(time_to_half_open(kRule, {.opened_at = at(100)}, at(101)) == Millis{0});
}

TEST_CASE("half-open lets so many trials through, refuses the rest without a time, and that changes nothing") {
  BreakerState state = half_open({"a"});
  CHECK(acquire(kTwoTrials, state, at(2'000), "b") == Asked(Permit{.epoch = 2, .trial = 1}));
  CHECK(state == half_open({"a", "b"}));
  CHECK(acquire(kTwoTrials, state, at(2'000), "c") == refused(0));
  CHECK(state == half_open({"a", "b"}));
}

TEST_CASE("a trial that succeeded leaves no room for another, and enough of them close it") {
  BreakerState state = half_open({"a", "b"});
  record(kTwoTrials, state, {.epoch = 2, .trial = 0}, kSuccess, at(2'000));
  BreakerState expected = half_open({"a", "b"}, 1);
  std::erase(expected.trials, Trial{0, "a"});
  CHECK(state == expected);
  CHECK(acquire(kTwoTrials, state, at(2'000), "c") == refused(0));
  record(kTwoTrials, state, {.epoch = 2, .trial = 1}, kSuccess, at(2'001));
  CHECK(state == BreakerState{.epoch = 3, .opened_at = at(0), .next_trial = 2});
}

TEST_CASE("a trial that failed opens it anew from then on, whatever succeeded and is under way") {
  const BreakerState state =
      recorded(kTwoTrials, half_open({"a", "b"}, 1), {.epoch = 2, .trial = 1}, kFailure, at(2'000));
  CHECK(state == BreakerState{.phase = BreakerPhase::kOpen, .epoch = 3, .opened_at = at(2'000), .next_trial = 2});
}

TEST_CASE("a trial without an outcome is given back, and another takes its place") {
  BreakerState state = half_open({"a"});
  record(kRule, state, {.epoch = 2, .trial = 0}, kNone, at(2'000));
  CHECK(acquire(kRule, state, at(2'000), "b") == Asked(Permit{.epoch = 2, .trial = 1}));
  CHECK(state.trials == std::vector<Trial>{{1, "b"}});
}

TEST_CASE("the trials of those who are gone are given back, and their outcomes count no more") {
  BreakerState state = half_open({"a", "b", "a"});
  give_back_trials(state, [](std::string_view owner) { return owner == "a"; });
  BreakerState expected = half_open({"a", "b", "a"});
  expected.trials = {{1, "b"}};
  CHECK(state == expected);
  for (const CallOutcome outcome : {kNone, kSuccess, kFailure}) {
    CHECK(recorded(kRule, state, {.epoch = 2, .trial = 0}, outcome, at(2'000)) == expected);
  }
}

TEST_CASE("an outcome of another epoch changes nothing, in no phase") {
  for (const BreakerState& state :
       {BreakerState{.epoch = 3, .failures = 1}, open_since(at(5)), half_open({"a"}, 1), half_open({})}) {
    for (const CallOutcome outcome : {kNone, kSuccess, kFailure}) {
      CHECK(recorded(kRule, state, {.epoch = 0}, outcome, at(9)) == state);
      CHECK(recorded(kRule, state, {.epoch = 0, .trial = 0}, outcome, at(9)) == state);
      CHECK(recorded(kRule, state, {.epoch = 9, .trial = 0}, outcome, at(9)) == state);
    }
  }
}

TEST_CASE("what nobody was permitted changes nothing") {
  for (const CallOutcome outcome : {kNone, kSuccess, kFailure}) {
    CHECK(recorded(kRule, open_since(at(5)), {.epoch = 1, .trial = 0}, outcome, at(9)) == open_since(at(5)));
    CHECK(recorded(kRule, half_open({"a"}), {.epoch = 2}, outcome, at(9)) == half_open({"a"}));
    CHECK(recorded(kRule, half_open({"a"}), {.epoch = 2, .trial = 7}, outcome, at(9)) == half_open({"a"}));
  }
}

TEST_CASE("calls that were let through before it opened say nothing about what comes after") {
  BreakerState state;
  const Permit slow = *acquire(kRule, state, at(0), "slow");
  record(kRule, state, *acquire(kRule, state, at(0), "a"), kFailure, at(1));
  record(kRule, state, *acquire(kRule, state, at(1), "a"), kFailure, at(2));
  const Permit trial = *acquire(kRule, state, at(1'002), "a");
  const BreakerState before = state;
  record(kRule, state, slow, kFailure, at(1'003));
  record(kRule, state, slow, kSuccess, at(1'003));
  CHECK(state == before);
  record(kRule, state, trial, kSuccess, at(1'004));
  record(kRule, state, slow, kFailure, at(1'005));
  CHECK(state == BreakerState{.epoch = 3, .opened_at = at(2), .next_trial = 1});
}

TEST_CASE("a clock that was set back keeps it open for its timeout from then on, and no longer") {
  BreakerState state = open_since(at(1'000'000));
  CHECK(time_to_half_open(kRule, state, at(500)) == Millis{1'000});
  CHECK(acquire(kRule, state, at(500), "a") == refused(1'000));
  CHECK(state == open_since(at(500)));
  CHECK(acquire(kRule, state, at(1'499), "a") == refused(1));
  CHECK(acquire(kRule, state, at(1'500), "a") == Asked(Permit{.epoch = 2, .trial = 0}));
}

TEST_CASE("each call's own rule decides") {
  BreakerState state{.failures = 3};
  record({.failure_threshold = 5}, state, {}, kFailure, at(1));
  CHECK(state == BreakerState{.failures = 4});
  CHECK(recorded(kRule, state, {}, kFailure, at(1)) == open_since(at(1)));
  state = open_since(at(0));
  CHECK(acquire({.reset_timeout = Millis{60'000}}, state, at(1'000), "a") == refused(59'000));
  CHECK(acquire(kRule, state, at(1'000), "a").has_value());
}

TEST_CASE("a half-open breaker never refuses while nothing is under way, though another's rule wants more successes") {
  BreakerState state = half_open({}, 2);
  CHECK(acquire(kRule, state, at(2'000), "a") == Asked(Permit{.epoch = 2, .trial = 0}));
  CHECK(acquire(kRule, state, at(2'000), "b") == refused(0));
  record(kRule, state, {.epoch = 2, .trial = 0}, kSuccess, at(2'000));
  CHECK(state == BreakerState{.epoch = 3, .opened_at = at(0), .next_trial = 1});
}

TEST_CASE("no count and no time overflows") {
  constexpr auto kMost = std::numeric_limits<std::uint32_t>::max();
  constexpr auto kFar = std::numeric_limits<std::int64_t>::max();
  constexpr auto kPast = std::numeric_limits<std::int64_t>::min();
  CHECK(recorded(kRule, {.failures = kMost}, {}, kFailure, at(7)) == open_since(at(7)));
  CHECK(recorded(kRule, half_open({"a"}, kMost), {.epoch = 2, .trial = 0}, kSuccess, at(7)).phase ==
        BreakerPhase::kClosed);
  BreakerState full = half_open({"a"}, kMost);
  CHECK(acquire({.half_open_max_calls = kMost}, full, at(7), "b") == refused(0));
  CHECK(time_to_half_open(kRule, open_since(at(kPast)), at(kFar)) == Millis{0});
  CHECK(time_to_half_open(kRule, open_since(at(kFar)), at(kPast)) == Millis{1'000});
  CHECK(time_to_half_open({.reset_timeout = Millis{kFar}}, open_since(at(kPast)), at(0)) == Millis{0});
  CHECK(time_to_half_open({.reset_timeout = Millis{kFar}}, open_since(at(0)), at(1)) == Millis{kFar - 1});
}
