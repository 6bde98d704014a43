// How often a failed attempt is tried again, and after which delay.
#pragma once

#include <cstdint>

#include "engine/base/clock.h"

namespace canorun::policy {

enum class Backoff : std::uint8_t { kExponential, kFixed };

/// A pure decision: time and randomness are passed in.
struct Retry {
  std::uint32_t max = 0;  ///< retries; attempts are one more
  Backoff backoff = Backoff::kExponential;
  Millis delay{100};
  double factor = 2.0;
  Millis cap{30'000};
  double jitter = 0.1;  ///< 0 to 1: the share of the delay that chance may add or take

  std::uint32_t attempts() const { return max + 1; }
};

/// The delay before retry `k` (from 0): min(delay · factor^k, cap) · (1 ± jitter), never above the cap.
/// `unit` is a random number in [0, 1). `at_least` is what the other side asked for (Retry-After): a
/// lower bound that the cap does not cut.
Millis delay_before(const Retry& retry, std::uint32_t k, double unit, Millis at_least = Millis{0});

}  // namespace canorun::policy
