#include "cli/counts.h"

#include <fmt/format.h>

#include <cmath>

#include "cli/text.h"
#include "engine/base/duration.h"

namespace canorun::cli {
namespace {

constexpr Millis kTooSoon{1'000};
constexpr std::size_t kBar = 20;

// `branch`, `item`, `step`, `window`, `poll`.
std::string noun(const std::string& unit, std::uint64_t count) {
  if (count == 1) return unit;
  return unit == "branch" ? "branches" : unit + "s";
}

}  // namespace

std::string Counts::text() const {
  std::string out = total > 0 ? fmt::format("{} of {} {}", ended, total, noun(unit, total))
                              : fmt::format("{} {}", ended, noun(unit, ended));
  if (items > 0) out += fmt::format(", {} {}", items, noun("item", items));
  if (failed > 0) out += fmt::format(", {} failed", failed);
  return out;
}

std::string Counts::pace(Millis elapsed) const {
  const std::uint64_t done = items > 0 ? items : ended - before;
  if (elapsed < kTooSoon || done == 0) return {};
  const double rate = static_cast<double>(done) / std::chrono::duration<double>(elapsed).count();
  std::string out = rate < 10 ? fmt::format(", {:.1f}/s", rate) : fmt::format(", {:.0f}/s", rate);
  if (total <= ended) return out;
  const double left = std::ceil(static_cast<double>(total - ended) / rate);
  if (left > 1e9) return out;
  return out + fmt::format(", {} left", human_duration(std::chrono::seconds(static_cast<std::int64_t>(left))));
}

std::string Counts::bar() const {
  if (total == 0) return {};
  const std::size_t full = std::min<std::uint64_t>(ended, total) * kBar / total;
  std::string out;
  for (std::size_t i = 0; i < kBar; ++i) out += i < full ? "█" : "░";
  return out;
}

}  // namespace canorun::cli
