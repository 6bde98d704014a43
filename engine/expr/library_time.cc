// Parts of timestamps and durations.
#include <fmt/format.h>

#include "engine/expr/functions.h"

namespace canorun::expr::functions {
namespace {

// A duration has no calendar: it is counted in whole hours, minutes or seconds, the milliseconds are the rest.
std::optional<std::int64_t> read_duration(Instant length, TimeField field) {
  const bool negative = length.seconds < 0;
  const Instant size = negative ? subtract({}, length) : length;
  const std::int64_t sign = negative ? -1 : 1;
  switch (field) {
    case TimeField::kHours: return sign * (size.seconds / 3600);
    case TimeField::kMinutes: return sign * (size.seconds / 60);
    case TimeField::kSeconds: return sign * size.seconds;
    case TimeField::kMilliseconds: return sign * (size.nanos / 1'000'000);
    default: return std::nullopt;
  }
}

Result<Value> read(Call call, TimeField field) {
  if (call.are({Kind::kDuration})) {
    const auto number = read_duration(call[0].as_instant(), field);
    if (!number) return call.mismatch();
    return Value::integer(*number);
  }
  if (call.are({Kind::kTimestamp})) return Value::integer(read_field(call[0].as_instant(), field));
  if (!call.are({Kind::kTimestamp, Kind::kString})) return call.mismatch();
  const auto offset = zone_offset(call[1].as_text(), call[0].as_instant());
  if (!offset) {
    return fail(fmt::format("'{}' is not a known time zone", call[1].as_text()),
                "write it like UTC, +02:00 or Europe/Berlin");
  }
  return Value::integer(read_field(add(call[0].as_instant(), {*offset, 0}), field));
}

}  // namespace

template <TimeField field>
Result<Value> part(Call call) {
  return read(call, field);
}

template Result<Value> part<TimeField::kYear>(Call);
template Result<Value> part<TimeField::kMonth>(Call);
template Result<Value> part<TimeField::kDayOfYear>(Call);
template Result<Value> part<TimeField::kDayOfMonth>(Call);
template Result<Value> part<TimeField::kDate>(Call);
template Result<Value> part<TimeField::kDayOfWeek>(Call);
template Result<Value> part<TimeField::kHours>(Call);
template Result<Value> part<TimeField::kMinutes>(Call);
template Result<Value> part<TimeField::kSeconds>(Call);
template Result<Value> part<TimeField::kMilliseconds>(Call);

}  // namespace canorun::expr::functions
