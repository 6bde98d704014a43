// Timers of the event loop, on a clock that a test can hold.
#pragma once

#include <boost/asio/basic_waitable_timer.hpp>

#include "engine/base/clock.h"

namespace canorun::run {

/// The clock all waiting of the engine is measured with. A test sets `source` for its thread; the loop
/// then looks at the time at least once a millisecond instead of sleeping to a deadline.
struct LoopClock {
  using duration = std::chrono::steady_clock::duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = SteadyTime;
  static constexpr bool is_steady = true;

  static time_point now() { return source != nullptr ? source->steady() : std::chrono::steady_clock::now(); }
  static inline thread_local const Clock* source = nullptr;
};

struct LoopWaitTraits {
  static LoopClock::duration to_wait_duration(const LoopClock::duration& wait) {
    return LoopClock::source != nullptr ? std::min<LoopClock::duration>(wait, std::chrono::milliseconds(1)) : wait;
  }
  static LoopClock::duration to_wait_duration(const LoopClock::time_point& deadline) {
    return to_wait_duration(deadline - LoopClock::now());
  }
};

/// The wall clock may be set while something waits for a time of it: it is looked at again at least this often.
inline constexpr Millis kLongestSleep{60'000};

using Timer = boost::asio::basic_waitable_timer<LoopClock, LoopWaitTraits>;

}  // namespace canorun::run
