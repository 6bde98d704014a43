#include "engine/policy/join.h"

#include <fmt/format.h>

namespace canorun::policy {
namespace {

constexpr std::uint64_t kWhole = 10'000;

// How many have to succeed; none where it does not depend on success.
std::optional<std::uint64_t> wanted(const Join& join, std::uint64_t total) {
  switch (join.kind) {
    case JoinKind::kAll: return total;
    case JoinKind::kAny: return 1;
    case JoinKind::kQuorum: return join.count;
    case JoinKind::kPercentage: return join.share.of(total);
    case JoinKind::kPartialResults:
    case JoinKind::kPartialTimeout: return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

// In parts, so that no product leaves 64 bits.
std::uint64_t Share::of(std::uint64_t total) const {
  const std::uint64_t rest = total % kWhole * hundredths;
  return total / kWhole * hundredths + (rest + kWhole - 1) / kWhole;
}

Verdict Join::judge(const Tally& tally) const {
  if (const auto needed = wanted(*this, tally.total)) {
    if (tally.succeeded >= *needed) return Verdict::kSatisfied;
    return tally.total - tally.failed < *needed ? Verdict::kFailed : Verdict::kOpen;
  }
  if (kind == JoinKind::kPartialResults) {
    if (tally.ended() >= count) return Verdict::kSatisfied;
    return tally.total < count ? Verdict::kFailed : Verdict::kOpen;
  }
  if (tally.total == 0) return Verdict::kFailed;
  return tally.ended() == tally.total ? Verdict::kSatisfied : Verdict::kOpen;
}

Verdict Join::judge_late(const Tally& tally) const {
  if (const Verdict now = judge(tally); now != Verdict::kOpen) return now;
  return kind == JoinKind::kPartialTimeout && tally.ended() > 0 ? Verdict::kSatisfied : Verdict::kFailed;
}

std::optional<Error> Join::impossible(std::uint64_t total) const {
  const bool counts = kind == JoinKind::kQuorum || kind == JoinKind::kPartialResults;
  if (counts && count == 0) return Error{"a join of 0 branches waits for nothing", "write how many, from 1"};
  if (kind == JoinKind::kPercentage && (share.hundredths == 0 || share.hundredths > kWhole)) {
    return Error{"a percentage is more than 0 and at most 100"};
  }
  if (counts && total > 0 && count > total) {
    return Error{fmt::format("the join wants {} branches, and there {} {}", count, total == 1 ? "is" : "are", total),
                 "want fewer, or add branches"};
  }
  return std::nullopt;
}

}  // namespace canorun::policy
