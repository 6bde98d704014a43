// Time: the seam through which it comes in, and the one place that formats and parses it.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "engine/base/result.h"

namespace canorun {

using Millis = std::chrono::milliseconds;
/// Wall-clock time, UTC, milliseconds: what is stored and shown.
using WallTime = std::chrono::sys_time<Millis>;
/// Monotonic time: what durations are measured with.
using SteadyTime = std::chrono::steady_clock::time_point;

/// Reads time. Implementations are safe to call from any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual WallTime now() const = 0;
  virtual SteadyTime steady() const = 0;
};

/// The machine's clocks.
class SystemClock final : public Clock {
 public:
  WallTime now() const override;
  SteadyTime steady() const override;
};

/// `2026-11-23T08:15:00.123Z`.
std::string format_time(WallTime time);

/// Parses an RFC 3339 time; digits of the second below milliseconds are cut. A zone is required.
Result<WallTime> parse_time(std::string_view text);

/// A regular expression of what `parse_time` takes, but for the ranges of its numbers.
inline constexpr std::string_view kTimePattern =
    "[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})";

}  // namespace canorun
