// A clock that moves when a test says so.
#pragma once

#include "engine/base/clock.h"

namespace canorun::test {

/// Begins at 2026-11-23T08:15:00.000Z. For one thread.
class ManualClock final : public Clock {
 public:
  WallTime now() const override { return wall_; }
  SteadyTime steady() const override { return steady_; }
  void advance(Millis by) {
    wall_ += by;
    steady_ += by;
  }
  /// The wall clock is set, as by a person or NTP; monotonic time goes on.
  void set_wall(WallTime to) { wall_ = to; }

 private:
  WallTime wall_{std::chrono::sys_days{std::chrono::year{2026} / 11 / 23} + std::chrono::hours{8} +
                 std::chrono::minutes{15}};
  SteadyTime steady_{};
};

}  // namespace canorun::test
