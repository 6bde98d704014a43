#include "shared_lines.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <vector>

namespace canorun::test {

std::string breakers_of(store::CheckpointStore& store) {
  constexpr std::array kPhases{"closed", "open", "half-open"};
  std::vector<std::string> lines;
  const auto breakers = store.shared().breakers();
  REQUIRE(breakers);
  for (const auto& [key, rule, state] : *breakers) {
    lines.push_back(fmt::format("{} {} {}: {} failures{}", key, kPhases[static_cast<std::size_t>(state.phase)],
                                state.epoch, state.failures,
                                state.trials.empty() ? "" : fmt::format(", {} trials", state.trials.size())));
  }
  return fmt::format("{}", fmt::join(lines, "; "));
}

std::string limits_of(store::CheckpointStore& store) {
  std::vector<std::string> lines;
  const auto limits = store.shared().limits();
  REQUIRE(limits);
  for (const store::LimitRecord& limit : *limits) {
    const auto* bucket = std::get_if<policy::BucketState>(&limit.state);
    const std::int64_t used = bucket != nullptr ? bucket->missing : std::get<policy::WindowState>(limit.state).used;
    lines.push_back(fmt::format("{} {} used, {} waiting", limit.key, used, limit.waiting));
  }
  return fmt::format("{}", fmt::join(lines, "; "));
}

}  // namespace canorun::test
