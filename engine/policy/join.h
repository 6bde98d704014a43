// When the branches of a split have done enough, or can no longer do enough.
#pragma once

#include <cstdint>
#include <optional>

#include "engine/base/result.h"

namespace canorun::policy {

/// A part of a whole, in hundredths of a percent: 10,000 is all of it.
struct Share {
  std::uint32_t hundredths = 10'000;

  /// The smallest count that is at least this share of `total`, computed exactly.
  std::uint64_t of(std::uint64_t total) const;
  bool operator==(const Share&) const = default;
};

/// How many branches there are, and what became of those that have ended.
struct Tally {
  std::uint64_t total = 0;
  std::uint64_t succeeded = 0;
  std::uint64_t failed = 0;

  std::uint64_t ended() const { return succeeded + failed; }
};

enum class JoinKind : std::uint8_t {
  kAll,             ///< every branch succeeded
  kAny,             ///< one succeeded
  kQuorum,          ///< `count` succeeded
  kPercentage,      ///< `share` of all succeeded
  kPartialResults,  ///< `count` ended, either way
  kPartialTimeout,  ///< all ended, or the time was up and one had
};

enum class Verdict : std::uint8_t { kOpen, kSatisfied, kFailed };

/// A pure decision: it is asked after every branch that ends, and its first verdict stands.
struct Join {
  JoinKind kind = JoinKind::kAll;
  std::uint64_t count = 0;
  Share share = {};

  Verdict judge(const Tally& tally) const;
  /// Once the state's time is up; never kOpen.
  Verdict judge_late(const Tally& tally) const;
  /// What makes the join impossible with so many branches, whatever they do. A list without elements is
  /// not impossible: the join is judged as it is.
  std::optional<Error> impossible(std::uint64_t total) const;
  bool operator==(const Join&) const = default;
};

}  // namespace canorun::policy
