#include "engine/base/suggest.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

namespace canorun {
namespace {

constexpr std::size_t kLongestName = 128;
constexpr std::size_t kMostListed = 12;

// Optimal string alignment distance (Damerau-Levenshtein with adjacent swaps).
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

}  // namespace

std::optional<std::string_view> nearest(std::string_view name, std::span<const std::string_view> known) {
  if (name.size() > kLongestName) return std::nullopt;
  std::optional<std::string_view> best;
  // Never all of the name: one letter is near to every other.
  std::size_t limit = std::min(std::max<std::size_t>(1, name.size() / 3) + 1, name.size());
  for (const std::string_view candidate : known) {
    const std::size_t gap =
        candidate.size() > name.size() ? candidate.size() - name.size() : name.size() - candidate.size();
    if (gap >= limit) continue;
    const std::size_t found = distance(name, candidate);
    if (found < limit) {
      limit = found;
      best = candidate;
    }
  }
  return best;
}

std::string suggestion(std::string_view name, std::span<const std::string_view> known) {
  return suggestion_of(nearest(name, known), known);
}

std::string suggestion_of(std::optional<std::string_view> nearest, std::span<const std::string_view> known) {
  if (nearest) return fmt::format("did you mean '{}'?", *nearest);
  if (known.empty()) return {};
  if (known.size() <= kMostListed) return fmt::format("known: {}", fmt::join(known, ", "));
  return fmt::format("known: {}, and {} more", fmt::join(known.first(kMostListed), ", "), known.size() - kMostListed);
}

}  // namespace canorun
