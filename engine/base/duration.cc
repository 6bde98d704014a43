#include "engine/base/duration.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <optional>

namespace canorun {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t millis;
};
constexpr std::array<Unit, 5> kUnits{{{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};
constexpr std::int64_t kMaxMillis = 36'525LL * 86'400'000;  // 100 years

struct SizeUnit {
  std::string_view name;
  std::uint64_t bytes;
};
constexpr std::array<SizeUnit, 5> kSizes{
    {{"TiB", 1ULL << 40}, {"GiB", 1ULL << 30}, {"MiB", 1ULL << 20}, {"KiB", 1ULL << 10}, {"B", 1}}};

// A run of digits and the run of letters behind it, both taken off the front.
template <class Number>
std::optional<std::pair<Number, std::string_view>> number_and_unit(std::string_view& text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || text[0] == '-') return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  std::size_t letters = 0;
  while (letters < text.size() && (text[letters] < '0' || text[letters] > '9')) ++letters;
  const std::string_view unit = text.substr(0, letters);
  text.remove_prefix(letters);
  return std::pair{number, unit};
}

}  // namespace

Result<Millis> parse_duration(std::string_view text) {
  const auto bad = [&] {
    return fail(fmt::format("'{}' is not a duration", text), "write it like 250ms, 5s, 1m30s, 2h or 1d");
  };
  std::string_view rest = text;
  std::int64_t total = 0;
  std::size_t next_unit = 0;
  if (rest.empty()) return bad();
  while (!rest.empty()) {
    const auto part = number_and_unit<std::int64_t>(rest);
    if (!part) return bad();
    while (next_unit < kUnits.size() && kUnits[next_unit].name != part->second) ++next_unit;
    if (next_unit == kUnits.size()) return bad();
    const std::int64_t unit = kUnits[next_unit++].millis;
    if (part->first > (kMaxMillis - total) / unit) {
      return fail(fmt::format("'{}' is longer than 100 years", text), "the longest duration is 36525d");
    }
    total += part->first * unit;
  }
  return Millis{total};
}

std::string duration_pattern(bool above_zero) {
  std::string pattern = above_zero ? "(?=.*[1-9])" : "(?=.)";
  for (const Unit& unit : kUnits) pattern += fmt::format("([0-9]+{})?", unit.name);
  return pattern;
}

std::string format_duration(Millis duration) {
  std::int64_t rest = duration.count();
  if (rest <= 0) return "0s";
  std::string out;
  for (const Unit& unit : kUnits) {
    if (rest >= unit.millis) out += fmt::format("{}{}", rest / unit.millis, unit.name);
    rest %= unit.millis;
  }
  return out;
}

std::string human_duration(Millis duration) {
  const std::int64_t ms = duration.count();
  if (ms < 1'000) return fmt::format("{}ms", ms);
  if (ms < 60'000) return fmt::format("{}.{}s", ms / 1'000, ms % 1'000 / 100);
  if (ms < 3'600'000) return fmt::format("{}m {}s", ms / 60'000, ms % 60'000 / 1'000);
  if (ms < 86'400'000) return fmt::format("{}h {}m", ms / 3'600'000, ms % 3'600'000 / 60'000);
  return fmt::format("{}d {}h", ms / 86'400'000, ms % 86'400'000 / 3'600'000);
}

Result<std::uint64_t> parse_size(std::string_view text) {
  std::string_view rest = text;
  const auto part = text.empty() ? std::nullopt : number_and_unit<std::uint64_t>(rest);
  if (part && rest.empty()) {
    for (const SizeUnit& unit : kSizes) {
      if (part->second != unit.name && !(part->second.empty() && unit.name == "B")) continue;
      if (part->first > (1ULL << 40) / unit.bytes) return fail(fmt::format("'{}' is more than 1 TiB", text));
      return part->first * unit.bytes;
    }
  }
  return fail(fmt::format("'{}' is not a size", text), "write it like 512B, 64KiB, 1MiB or 2GiB");
}

std::string size_pattern() {
  std::string units;
  for (const SizeUnit& unit : kSizes) units += fmt::format("{}{}", units.empty() ? "" : "|", unit.name);
  return fmt::format("[0-9]+({})?", units);
}

std::string human_size(std::uint64_t bytes) {
  for (const SizeUnit& unit : kSizes) {
    if (bytes < unit.bytes || unit.bytes == 1) continue;
    return fmt::format("{:.1f} {}", static_cast<double>(bytes) / static_cast<double>(unit.bytes), unit.name);
  }
  return fmt::format("{} B", bytes);
}

}  // namespace canorun
