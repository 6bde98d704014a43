// How many calls may be made in which time: a token bucket, or a window.
#pragma once

#include <cstdint>
#include <span>
#include <variant>

#include "engine/base/clock.h"

namespace canorun::policy {

/// Starts full and is refilled by the clock, evenly.
struct Bucket {
  std::int64_t tokens = 1;  ///< so many come back `per` this time; 1 to kMostCalls
  Millis per{1'000};        ///< 1 ms to 100 years
  std::int64_t burst = 0;   ///< so many more it holds; 0 to kMostCalls
  std::int64_t capacity() const { return tokens + burst; }
  bool operator==(const Bucket&) const = default;
};

/// Begins with the first call, and anew, all at once, with the first one after its end.
struct Window {
  std::int64_t limit = 1;  ///< 1 to kMostCalls
  Millis window{1'000};    ///< from 1 ms
  std::int64_t capacity() const { return limit; }
  bool operator==(const Window&) const = default;
};

using LimitRule = std::variant<Bucket, Window>;

inline constexpr std::int64_t kMostCalls = 1'000'000'000;
inline constexpr Millis kLongestWait{36'525LL * 86'400'000};  ///< 100 years: it can be added to any time of today

/// What no wait ever lets through.
std::int64_t capacity(const LimitRule& rule);

/// Monotonic time: a bucket lasts no longer than the machine runs. Exact: nothing is lost or won by rounding, however
/// often it is asked. Any values are taken as the nearest that make sense for the rule, so that rules may change and a
/// file may hold anything; one who uses a bucket with a smaller capacity forgets what is missing beyond it.
struct BucketState {
  std::int64_t missing = 0;  ///< whole tokens that are not there
  std::int64_t part = 0;     ///< and what is there of the next one, in tokens · ns: 0 to `per`, exclusive
  SteadyTime at{};           ///< when that was so; a `now` before it counts as it, as nothing flows back
  bool operator==(const BucketState&) const = default;
};

/// Wall-clock time: a window outlives the machine's restart.
struct WindowState {
  WallTime opened_at{};
  std::int64_t used = 0;  ///< 0: no call was made in it
  bool operator==(const WindowState&) const = default;
};

/// The costs of calls that come first, each as soon as it may be made, in their order.
using Ahead = std::span<const std::int64_t>;

/// How long until a call of this cost may be made, rounded up, at most 100 years; 0: now. The cost is 1 to the
/// capacity. Of a window, with no call ahead, never above its length, also where the wall clock was set back.
Millis time_until(const Bucket& rule, const BucketState& state, SteadyTime now, std::int64_t cost, Ahead ahead = {});
Millis time_until(const Window& rule, const WindowState& state, WallTime now, std::int64_t cost, Ahead ahead = {});

/// Makes the call: only where there is no time left until it. (Otherwise it leaves nothing.)
void take(const Bucket& rule, BucketState& state, SteadyTime now, std::int64_t cost);
void take(const Window& rule, WindowState& state, WallTime now, std::int64_t cost);

/// The call that was taken at `taken_at` was not made after all: it may be made again by another, as far as neither the
/// refill since then nor the window's end has done so already.
void give_back(const Bucket& rule, BucketState& state, SteadyTime taken_at, std::int64_t cost);
void give_back(const Window& rule, WindowState& state, WallTime taken_at, std::int64_t cost);

/// Where the wall clock was set back before the window's beginning, it begins now, and true is returned: then the state
/// is worth keeping even if no call is made. Without this a full window lasts until the clock is where it was, too.
bool follow_clock(WindowState& state, WallTime now);

/// How many calls of cost 1 could be made now.
std::int64_t available(const Bucket& rule, const BucketState& state, SteadyTime now);
std::int64_t available(const Window& rule, const WindowState& state, WallTime now);

}  // namespace canorun::policy
