// A clock that moves when a test says so.
#pragma once

#include <mutex>

#include "engine/base/clock.h"

namespace canorun::test {

/// Begins at 2026-11-23T08:15:00.000Z. Any thread: a store reads it on its own.
class ManualClock final : public Clock {
 public:
  WallTime now() const override {
    const std::lock_guard lock(mutex_);
    return wall_;
  }
  SteadyTime steady() const override {
    const std::lock_guard lock(mutex_);
    return steady_;
  }
  void advance(Millis by) {
    const std::lock_guard lock(mutex_);
    wall_ += by;
    steady_ += by;
  }
  /// The wall clock is set, as by a person or NTP; monotonic time goes on.
  void set_wall(WallTime to) {
    const std::lock_guard lock(mutex_);
    wall_ = to;
  }

 private:
  mutable std::mutex mutex_;
  WallTime wall_{std::chrono::sys_days{std::chrono::year{2026} / 11 / 23} + std::chrono::hours{8} +
                 std::chrono::minutes{15}};
  SteadyTime steady_{};
};

}  // namespace canorun::test
