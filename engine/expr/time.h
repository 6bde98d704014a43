// Timestamps and durations as CEL reads and writes them.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "engine/expr/value.h"

namespace canorun::expr {

/// From 0001-01-01 to the end of 9999, as the language bounds them.
bool in_timestamp_range(Instant instant);
/// Within about 292 years either way.
bool in_duration_range(Instant length);

/// RFC 3339 with a zone and up to nine digits of a fraction; nothing when it is no such text or out of range.
std::optional<Instant> parse_timestamp(std::string_view text);
/// In UTC, with as many digits of a fraction as it needs: `2026-11-23T08:15:00.5Z`.
std::string format_timestamp(Instant instant);

/// `1h30m`, `-1.5s`, `250ms`, `0`: units h m s ms us ns, each with a fraction if need be.
std::optional<Instant> parse_cel_duration(std::string_view text);
/// In seconds: `3.5s`.
std::string format_cel_duration(Instant length);

/// Sum and difference, with carries; the operands are in range, so nothing overflows.
Instant add(Instant a, Instant b);
Instant subtract(Instant a, Instant b);

/// A part of a date or time of day: `getHours` and the like.
enum class TimeField : std::uint8_t {
  kYear,
  kMonth,       ///< from 0
  kDayOfYear,   ///< from 0
  kDayOfMonth,  ///< from 0
  kDate,        ///< from 1
  kDayOfWeek,   ///< from 0, Sunday
  kHours,
  kMinutes,
  kSeconds,
  kMilliseconds,
};
std::int64_t read_field(Instant instant, TimeField field);

/// The offset from UTC in seconds of a zone at that moment: `UTC`, `+01:00`, `-02:30`, `Europe/Berlin`.
std::optional<std::int64_t> zone_offset(std::string_view zone, Instant at);

}  // namespace canorun::expr
