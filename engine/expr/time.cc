#include "engine/expr/time.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <utility>

#include "engine/base/clock.h"
#include "engine/base/time_zone.h"

namespace canorun::expr {
namespace {

constexpr std::int64_t kGiga = 1'000'000'000;
constexpr std::int64_t kFirstSecond = -62'135'596'800;
constexpr std::int64_t kLastSecond = 253'402'300'799;
// What 64 bits of nanoseconds hold, as in the reference implementation: about 292 years.
constexpr std::int64_t kLongestSeconds = 9'223'372'036;

// A unit is a number of seconds, or so many of it are one second.
struct Unit {
  std::string_view name;
  std::int64_t seconds;
  std::int64_t per_second;
};
// Longer names first where one begins like another.
constexpr std::array<Unit, 7> kUnits{{{"ns", 0, kGiga},
                                      {"us", 0, 1'000'000},
                                      {"µs", 0, 1'000'000},
                                      {"ms", 0, 1'000},
                                      {"h", 3600, 1},
                                      {"m", 60, 1},
                                      {"s", 1, 1}}};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Takes the digits at the front of `text`.
std::string_view take_digits(std::string_view& text) {
  std::size_t length = 0;
  while (length < text.size() && is_digit(text[length])) ++length;
  const std::string_view digits = text.substr(0, length);
  text.remove_prefix(length);
  return digits;
}

// Up to nine digits after the point, as nanoseconds.
std::int32_t fraction_nanos(std::string_view digits) {
  std::int32_t nanos = 0;
  for (std::size_t i = 0; i < 9; ++i) nanos = nanos * 10 + (i < digits.size() ? digits[i] - '0' : 0);
  return nanos;
}

std::string format_fraction(std::int32_t nanos) {
  if (nanos == 0) return {};
  std::string text = fmt::format(".{:09}", nanos);
  text.erase(text.find_last_not_of('0') + 1);
  return text;
}

Instant normal(std::int64_t seconds, std::int64_t nanos) {
  if (nanos < 0) return {seconds - 1, static_cast<std::int32_t>(nanos + kGiga)};
  if (nanos >= kGiga) return {seconds + 1, static_cast<std::int32_t>(nanos - kGiga)};
  return {seconds, static_cast<std::int32_t>(nanos)};
}

// `count` and `nanos` billionths of a unit; `count` is not negative.
std::optional<Instant> measure(std::int64_t count, std::int64_t nanos, const Unit& unit) {
  if (unit.seconds == 0) {
    const std::int64_t rest = count % unit.per_second * (kGiga / unit.per_second) + nanos / unit.per_second;
    return Instant{count / unit.per_second, static_cast<std::int32_t>(rest)};
  }
  if (count > kLongestSeconds / unit.seconds) return std::nullopt;
  const std::int64_t rest = nanos * unit.seconds;
  return Instant{count * unit.seconds + rest / kGiga, static_cast<std::int32_t>(rest % kGiga)};
}

// One `1.5h` at the front of `text`; nothing when there is none or it is too long.
std::optional<Instant> take_part(std::string_view& text) {
  const std::string_view whole = take_digits(text);
  std::string_view fraction;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    fraction = take_digits(text);
  }
  if (whole.size() + fraction.size() == 0) return std::nullopt;
  std::int64_t count = 0;
  if (!whole.empty() && std::from_chars(whole.data(), whole.data() + whole.size(), count).ec != std::errc{}) {
    return std::nullopt;
  }
  for (const auto& unit : kUnits) {
    if (!text.starts_with(unit.name)) continue;
    text.remove_prefix(unit.name.size());
    return measure(count, fraction_nanos(fraction), unit);
  }
  return std::nullopt;
}

// `+01:00`, `-02:30`, `02:00`.
std::optional<std::int64_t> fixed_offset(std::string_view zone) {
  const bool negative = zone.starts_with('-');
  if (negative || zone.starts_with('+')) zone.remove_prefix(1);
  const std::string_view hours = take_digits(zone);
  if (hours.size() != 2 || !zone.starts_with(':')) return std::nullopt;
  zone.remove_prefix(1);
  const std::string_view minutes = take_digits(zone);
  if (minutes.size() != 2 || !zone.empty()) return std::nullopt;
  const auto number = [](std::string_view two) { return (two[0] - '0') * 10 + (two[1] - '0'); };
  if (number(hours) > 23 || number(minutes) > 59) return std::nullopt;
  const std::int64_t offset = number(hours) * 3600 + number(minutes) * 60;
  return negative ? -offset : offset;
}

}  // namespace

bool in_timestamp_range(Instant instant) { return instant.seconds >= kFirstSecond && instant.seconds <= kLastSecond; }

bool in_duration_range(Instant length) {
  return length >= Instant{-kLongestSeconds, 0} && length <= Instant{kLongestSeconds, 0};
}

std::optional<Instant> parse_timestamp(std::string_view text) {
  // Stricter than times in flow files: RFC 3339 with capitals, and without leap seconds, as the reference has it.
  constexpr std::size_t kLongest = 64;
  if (text.size() < 20 || text.size() > kLongest || text[10] != 'T' || text[17] > '5' || text.ends_with('z'))
    return std::nullopt;
  std::string plain(text);
  std::int32_t nanos = 0;
  if (const std::size_t point = plain.find('.'); point != std::string::npos) {
    std::string_view rest = std::string_view(text).substr(point + 1);
    const std::string_view digits = take_digits(rest);
    if (digits.empty() || digits.size() > 9) return std::nullopt;
    nanos = fraction_nanos(digits);
    plain.erase(point, 1 + digits.size());
  }
  const auto time = parse_time(plain);
  if (!time) return std::nullopt;
  const Instant instant{std::chrono::floor<std::chrono::seconds>(*time).time_since_epoch().count(), nanos};
  if (!in_timestamp_range(instant)) return std::nullopt;
  return instant;
}

std::string format_timestamp(Instant instant) {
  // Not format_time: what fmt and the C library take for a time overflows outside of 1677 to 2262.
  using namespace std::chrono;
  const sys_seconds second{seconds{instant.seconds}};
  const sys_days day = floor<days>(second);
  const year_month_day date{day};
  const hh_mm_ss time{second - day};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), time.hours().count(),
                     time.minutes().count(), time.seconds().count(), format_fraction(instant.nanos));
}

std::optional<Instant> parse_cel_duration(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text == "0") return Instant{};
  Instant total;
  do {
    const auto part = take_part(text);
    if (!part) return std::nullopt;
    total = add(total, *part);
    if (!in_duration_range(total)) return std::nullopt;
  } while (!text.empty());
  return negative ? subtract({}, total) : total;
}

std::string format_cel_duration(Instant length) {
  const bool negative = length.seconds < 0;
  if (negative) length = subtract({}, length);
  return fmt::format("{}{}{}s", negative ? "-" : "", length.seconds, format_fraction(length.nanos));
}

Instant add(Instant a, Instant b) { return normal(a.seconds + b.seconds, std::int64_t{a.nanos} + b.nanos); }

Instant subtract(Instant a, Instant b) { return normal(a.seconds - b.seconds, std::int64_t{a.nanos} - b.nanos); }

std::int64_t read_field(Instant instant, TimeField field) {
  using namespace std::chrono;
  const sys_seconds second{seconds{instant.seconds}};
  const sys_days day = floor<days>(second);
  const year_month_day date{day};
  const hh_mm_ss time{second - day};
  switch (field) {
    case TimeField::kYear: return static_cast<int>(date.year());
    case TimeField::kMonth: return static_cast<unsigned>(date.month()) - 1;
    case TimeField::kDayOfYear: return (day - sys_days{date.year() / January / 1}).count();
    case TimeField::kDayOfMonth: return static_cast<unsigned>(date.day()) - 1;
    case TimeField::kDate: return static_cast<unsigned>(date.day());
    case TimeField::kDayOfWeek: return weekday{day}.c_encoding();
    case TimeField::kHours: return time.hours().count();
    case TimeField::kMinutes: return time.minutes().count();
    case TimeField::kSeconds: return time.seconds().count();
    case TimeField::kMilliseconds: return instant.nanos / 1'000'000;
  }
  return 0;
}

std::optional<std::int64_t> zone_offset(std::string_view zone, Instant at) {
  if (zone == "UTC" || zone == "Z") return 0;
  if (const auto fixed = fixed_offset(zone)) return fixed;
  const std::chrono::sys_seconds second{std::chrono::seconds{at.seconds}};
  const auto offset = canorun::zone_offset(zone, second);
  return offset ? std::optional(offset->count()) : std::nullopt;
}

}  // namespace canorun::expr
