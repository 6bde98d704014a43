#include "engine/policy/limiter.h"

#include <doctest/doctest.h>

#include <limits>
#include <vector>

using namespace canorun;
using policy::available;
using policy::Bucket;
using policy::BucketState;
using policy::follow_clock;
using policy::give_back;
using policy::kMostCalls;
using policy::take;
using policy::time_until;
using policy::Window;
using policy::WindowState;

namespace {

constexpr auto kFar = std::numeric_limits<std::int64_t>::max();
constexpr auto kPast = std::numeric_limits<std::int64_t>::min();
constexpr Millis kCentury{36'525LL * 86'400'000};

constexpr SteadyTime nanos(std::int64_t count) { return SteadyTime{std::chrono::nanoseconds{count}}; }
constexpr SteadyTime steady(std::int64_t millis) { return SteadyTime{Millis{millis}}; }
constexpr WallTime wall(std::int64_t millis) { return WallTime{Millis{millis}}; }

/// Three every second, and two more that it holds.
constexpr Bucket kBucket{.tokens = 3, .per = Millis{1'000}, .burst = 2};
constexpr Window kWindow{.limit = 3, .window = Millis{1'000}};

/// The bucket, emptied at `time`.
BucketState emptied(const Bucket& rule, SteadyTime time) {
  BucketState state;
  take(rule, state, time, rule.capacity());
  return state;
}

}  // namespace

TEST_CASE("the capacity of a limit is what no wait exceeds") {
  CHECK(policy::capacity(kBucket) == 5);
  CHECK(policy::capacity(kWindow) == 3);
}

TEST_CASE("a bucket starts full, whatever the time") {
  for (const SteadyTime now : {steady(-5), steady(0), steady(1'000'000)}) {
    CHECK(available(kBucket, {}, now) == 5);
    CHECK(time_until(kBucket, {}, now, 5) == Millis{0});
  }
  CHECK(emptied(kBucket, steady(7)) == BucketState{.missing = 5, .at = steady(7)});
}

TEST_CASE("a bucket is refilled evenly, and says when a call of each cost may be made") {
  const BucketState state = emptied(kBucket, steady(0));
  std::vector<std::int64_t> waits;
  for (std::int64_t cost = 1; cost <= 5; ++cost) waits.push_back(time_until(kBucket, state, steady(0), cost).count());
  CHECK(waits == std::vector<std::int64_t>{334, 667, 1'000, 1'334, 1'667});
  CHECK(time_until(kBucket, state, steady(333), 1) == Millis{1});
  CHECK(available(kBucket, state, steady(333)) == 0);
  CHECK(available(kBucket, state, nanos(333'333'333)) == 0);
  CHECK(time_until(kBucket, state, nanos(333'333'333), 1) == Millis{1});
  CHECK(available(kBucket, state, nanos(333'333'334)) == 1);
  CHECK(time_until(kBucket, state, nanos(333'333'334), 1) == Millis{0});
  CHECK(available(kBucket, state, nanos(1'666'666'666)) == 4);
  CHECK(available(kBucket, state, steady(1'000'000)) == 5);
}

TEST_CASE("nothing is lost or won by rounding, however often it is taken from") {
  BucketState state = emptied(kBucket, steady(0));
  for (std::int64_t second = 0; second < 1'000; ++second) {
    for (const std::int64_t nano : {333'333'334, 666'666'667, 1'000'000'000}) {
      const SteadyTime now = nanos(second * 1'000'000'000 + nano);
      REQUIRE(available(kBucket, state, nanos(second * 1'000'000'000 + nano - 1)) == 0);
      REQUIRE(available(kBucket, state, now) == 1);
      take(kBucket, state, now, 1);
    }
  }
  CHECK(state == BucketState{.missing = 5, .at = steady(1'000'000)});
}

TEST_CASE("a bucket keeps what is there of the next token") {
  BucketState state = emptied(kBucket, steady(0));
  take(kBucket, state, steady(500), 1);
  CHECK(state == BucketState{.missing = 5, .part = 500'000'000, .at = steady(500)});
  CHECK(time_until(kBucket, state, steady(500), 1) == Millis{167});
}

TEST_CASE("to a bucket time that goes backwards is no time") {
  BucketState state = emptied(kBucket, steady(1'000));
  CHECK(available(kBucket, state, steady(10)) == 0);
  CHECK(time_until(kBucket, state, steady(10), 1) == Millis{990 + 334});
  take(kBucket, state, steady(2'000), 2);
  CHECK(available(kBucket, state, steady(1'500)) == 1);
  CHECK(time_until(kBucket, state, steady(1'500), 1) == Millis{0});
  take(kBucket, state, steady(1'500), 1);
  CHECK(state == BucketState{.missing = 5, .at = steady(2'000)});
}

TEST_CASE("a call that was not made is given back to a bucket, which never holds more than it can") {
  BucketState state;
  take(kBucket, state, steady(0), 3);
  give_back(kBucket, state, steady(0), 2);
  CHECK(state == BucketState{.missing = 1, .at = steady(0)});
  give_back(kBucket, state, steady(0), 2);
  CHECK(state == BucketState{});
}

TEST_CASE("what has come back to a bucket since a call is not given back again") {
  BucketState state = emptied(kBucket, steady(0));
  take(kBucket, state, steady(1'000), 3);
  SUBCASE("of five two are left to give back, after the time of three") {
    give_back(kBucket, state, steady(0), 5);
    CHECK(state == BucketState{.missing = 3, .at = steady(1'000)});
  }
  SUBCASE("of three nothing is left") {
    give_back(kBucket, state, steady(0), 3);
    CHECK(state == BucketState{.missing = 5, .at = steady(1'000)});
  }
  SUBCASE("a part is given back exactly") {
    give_back(kBucket, state, steady(500), 2);
    CHECK(state == BucketState{.missing = 5, .part = 500'000'000, .at = steady(1'000)});
  }
}

TEST_CASE("a bucket whose rule has changed holds no more, and misses no more, than the new rule says") {
  const BucketState state{.missing = 50, .part = 3'000'000'000, .at = steady(0)};
  CHECK(available(kBucket, state, steady(0)) == 0);
  CHECK(time_until(kBucket, state, steady(0), 1) == Millis{334});
  BucketState other{.missing = 2, .part = 3'000'000'000, .at = steady(0)};
  CHECK(available(kBucket, other, nanos(0)) == 3);
  CHECK(available(kBucket, other, nanos(1)) == 4);
  take(kBucket, other, steady(0), 1);
  CHECK(other == BucketState{.missing = 3, .part = 999'999'999, .at = steady(0)});
}

TEST_CASE("a call that finds no room, or costs more than the capacity, leaves a limit empty") {
  BucketState bucket = emptied(kBucket, steady(0));
  take(kBucket, bucket, steady(0), 1);
  CHECK(bucket == emptied(kBucket, steady(0)));
  CHECK(time_until(kBucket, bucket, steady(0), kFar) == Millis{1'667});
  WindowState window;
  CHECK(time_until(kWindow, window, wall(5), kFar) == Millis{0});
  take(kWindow, window, wall(5), kFar);
  CHECK(window == WindowState{.opened_at = wall(5), .used = 3});
  take(kWindow, window, wall(6), 1);
  CHECK(window == WindowState{.opened_at = wall(5), .used = 3});
  CHECK(time_until(kWindow, window, wall(6), kFar) == Millis{999});
}

TEST_CASE("the largest and slowest bucket is exact, and no wait is longer than a century") {
  constexpr Bucket kLargest{.tokens = kMostCalls, .per = kCentury, .burst = kMostCalls};
  const BucketState state = emptied(kLargest, steady(0));
  CHECK(time_until(kLargest, state, steady(0), 1) == Millis{3'156});  // 3'155.76
  CHECK(available(kLargest, state, nanos(3'155'759'999)) == 0);
  CHECK(available(kLargest, state, nanos(3'155'760'000)) == 1);
  CHECK(time_until(kLargest, state, steady(0), kMostCalls) == kCentury);
  CHECK(time_until(kLargest, state, steady(0), 2 * kMostCalls) == kCentury);
  CHECK(available(kLargest, state, nanos(kFar)) == 2 * kMostCalls);
  constexpr Bucket kFastest{.tokens = kMostCalls, .per = Millis{1}, .burst = kMostCalls};
  CHECK(available(kFastest, emptied(kFastest, nanos(0)), nanos(1)) == 1'000);
  CHECK(available(kFastest, emptied(kFastest, nanos(kPast)), nanos(kFar)) == 2 * kMostCalls);
}

TEST_CASE("a bucket may come from a file with anything in it") {
  constexpr Bucket kLargest{.tokens = kMostCalls, .per = kCentury, .burst = kMostCalls};
  for (const Bucket& rule : {kBucket, kLargest, Bucket{.tokens = 1, .per = Millis{1}}}) {
    for (const std::int64_t missing : {kPast, std::int64_t{-1}, std::int64_t{0}, kFar}) {
      for (const std::int64_t part : {kPast, std::int64_t{-1}, std::int64_t{0}, kFar}) {
        for (const std::int64_t at : {kPast, std::int64_t{0}, kFar}) {
          for (const std::int64_t now : {kPast, std::int64_t{0}, kFar}) {
            BucketState state{.missing = missing, .part = part, .at = nanos(at)};
            CAPTURE(missing);
            CAPTURE(part);
            const auto there = available(rule, state, nanos(now));
            CHECK((there >= 0 && there <= rule.capacity()));
            const Millis wait = time_until(rule, state, nanos(now), 1);
            CHECK((wait >= Millis{0} && wait <= kCentury && (wait == Millis{0}) == (there > 0)));
            give_back(rule, state, nanos(now), 1);
            take(rule, state, nanos(now), 1);
            CHECK((state.missing >= 0 && state.missing <= rule.capacity() && state.part >= 0));
            CHECK((state.part < rule.per.count() * 1'000'000 && state.at == nanos(std::max(at, now))));
          }
        }
      }
    }
  }
}

TEST_CASE("a window opens with the first call, and anew with the first one after its end") {
  WindowState state;
  CHECK(available(kWindow, state, wall(100)) == 3);
  take(kWindow, state, wall(100), 1);
  CHECK(state == WindowState{.opened_at = wall(100), .used = 1});
  CHECK(time_until(kWindow, state, wall(600), 2) == Millis{0});
  take(kWindow, state, wall(600), 2);
  CHECK(state == WindowState{.opened_at = wall(100), .used = 3});
  CHECK(available(kWindow, state, wall(1'099)) == 0);
  CHECK(time_until(kWindow, state, wall(1'099), 1) == Millis{1});
  CHECK(time_until(kWindow, state, wall(1'100), 3) == Millis{0});
  CHECK(available(kWindow, state, wall(1'100)) == 3);
  take(kWindow, state, wall(4'321), 1);
  CHECK(state == WindowState{.opened_at = wall(4'321), .used = 1});
}

TEST_CASE("a call that costs more than is left waits for the next window") {
  const WindowState state{.opened_at = wall(0), .used = 2};
  CHECK(time_until(kWindow, state, wall(300), 1) == Millis{0});
  CHECK(time_until(kWindow, state, wall(300), 2) == Millis{700});
}

// All lists of up to three costs.
template <class Take>
void for_each_queue(std::int64_t most, Take take) {
  for (std::int64_t a = 0; a <= most; ++a) {
    for (std::int64_t b = 0; b <= most; ++b) {
      for (std::int64_t c = 1; c <= most; ++c) {
        std::vector<std::int64_t> queue;
        for (const std::int64_t cost : {a, b, c}) {
          if (cost > 0) queue.push_back(cost);
        }
        take(queue);
      }
    }
  }
}

// How long until the last of them is made, where each is as soon as it may be.
template <class Rule, class State, class Time>
Millis made_in_turn(const Rule& rule, State state, Time now, const std::vector<std::int64_t>& queue) {
  const Time begin = now;
  for (const std::int64_t cost : queue) {
    now += time_until(rule, state, now, cost);
    take(rule, state, now, cost);
  }
  return std::chrono::duration_cast<Millis>(now - begin);
}

TEST_CASE("behind others a call waits as long as if each of them was made as soon as it may be") {
  const Bucket bucket{.tokens = 4, .per = Millis{1'000}, .burst = 1};
  for_each_queue(5, [&](const std::vector<std::int64_t>& queue) {
    const policy::Ahead ahead(queue.data(), queue.size() - 1);
    for (const std::int64_t used : {0, 2, 5}) {
      BucketState state;
      take(bucket, state, steady(0), used == 0 ? 1 : used);
      if (used == 0) give_back(bucket, state, steady(0), 1);
      for (const std::int64_t now : {0, 250, 600}) {
        CHECK(time_until(bucket, state, steady(now), queue.back(), ahead) ==
              made_in_turn(bucket, state, steady(now), queue));
      }
    }
  });
  for_each_queue(3, [&](const std::vector<std::int64_t>& queue) {
    const policy::Ahead ahead(queue.data(), queue.size() - 1);
    for (const std::int64_t used : {0, 1, 3}) {
      const WindowState state{.opened_at = wall(100), .used = used};
      for (const std::int64_t now : {100, 700, 1'099, 1'100}) {
        CHECK(time_until(kWindow, state, wall(now), queue.back(), ahead) ==
              made_in_turn(kWindow, state, wall(now), queue));
      }
    }
  });
}

TEST_CASE("behind whomever a call waits at most a century") {
  const std::vector<std::int64_t> ahead(3, kFar);
  const Bucket slow{.tokens = 1, .per = kCentury, .burst = kMostCalls};
  CHECK(time_until(slow, emptied(slow, steady(0)), steady(0), kMostCalls, ahead) == kCentury);
  const Window window{.limit = 1, .window = kCentury};
  CHECK(time_until(window, {.opened_at = wall(0), .used = 1}, wall(0), 1, ahead) == kCentury);
  CHECK(time_until(window, {.opened_at = wall(kPast), .used = 1}, wall(kFar), 1, std::vector<std::int64_t>{kPast}) ==
        kCentury);
}

TEST_CASE("a call that was not made is given back to its own window only") {
  const auto given_back = [](WindowState state, std::int64_t taken_at, std::int64_t cost) {
    give_back(kWindow, state, wall(taken_at), cost);
    return state;
  };
  const WindowState state{.opened_at = wall(1'000), .used = 3};
  CHECK(given_back(state, 999, 2) == state);
  CHECK(given_back(state, 1'000, 2) == WindowState{.opened_at = wall(1'000), .used = 1});
  CHECK(given_back(state, 1'999, 9) == WindowState{.opened_at = wall(1'000)});
  CHECK(given_back(state, 2'000, 2) == state);
  CHECK(given_back({}, 0, 2) == WindowState{});
}

TEST_CASE("a window whose every call was given back is not open") {
  WindowState state;
  take(kWindow, state, wall(0), 1);
  give_back(kWindow, state, wall(0), 1);
  take(kWindow, state, wall(900), 3);
  CHECK(state == WindowState{.opened_at = wall(900), .used = 3});
}

TEST_CASE("where the clock was set back a window ends its length from then on, and no later") {
  WindowState state{.opened_at = wall(50'000), .used = 3};
  CHECK(time_until(kWindow, state, wall(100), 1) == Millis{1'000});
  CHECK(follow_clock(state, wall(100)));
  CHECK(state == WindowState{.opened_at = wall(100), .used = 3});
  CHECK_FALSE(follow_clock(state, wall(100)));
  CHECK(time_until(kWindow, state, wall(1'099), 1) == Millis{1});
  CHECK(time_until(kWindow, state, wall(1'100), 1) == Millis{0});
}

TEST_CASE("a call that is made after the clock was set back takes the window along") {
  WindowState state{.opened_at = wall(50'000), .used = 1};
  take(kWindow, state, wall(100), 1);
  CHECK(state == WindowState{.opened_at = wall(100), .used = 2});
  give_back(kWindow, state, wall(100), 1);
  CHECK(state == WindowState{.opened_at = wall(100), .used = 1});
  WindowState unused{.opened_at = wall(50'000)};
  CHECK_FALSE(follow_clock(unused, wall(100)));
}

TEST_CASE("a window whose rule has changed counts what was used") {
  const WindowState state{.opened_at = wall(0), .used = 50};
  CHECK(available(kWindow, state, wall(10)) == 0);
  CHECK(time_until(kWindow, state, wall(10), 1) == Millis{990});
  CHECK(available({.limit = 60, .window = Millis{20}}, state, wall(10)) == 10);
}

TEST_CASE("a window may come from a file with anything in it") {
  for (const Window& rule : {kWindow, Window{.limit = kMostCalls, .window = kCentury}}) {
    for (const std::int64_t opened : {kPast, std::int64_t{0}, kFar}) {
      for (const std::int64_t used : {kPast, std::int64_t{-1}, std::int64_t{0}, kFar}) {
        for (const std::int64_t now : {kPast, std::int64_t{0}, kFar}) {
          WindowState state{.opened_at = wall(opened), .used = used};
          const auto there = available(rule, state, wall(now));
          CHECK((there >= 0 && there <= rule.limit));
          const Millis wait = time_until(rule, state, wall(now), 1);
          CHECK((wait >= Millis{0} && wait <= rule.window && (wait == Millis{0}) == (there > 0)));
          give_back(rule, state, wall(now), kFar);
          take(rule, state, wall(now), 1);
          CHECK((state.used >= 1 && state.opened_at <= wall(now)));
        }
      }
    }
  }
}
