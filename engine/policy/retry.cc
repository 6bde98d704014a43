#include "engine/policy/retry.h"

#include <algorithm>
#include <cmath>

namespace canorun::policy {

Millis delay_before(const Retry& retry, std::uint32_t k, double unit, Millis at_least) {
  if (retry.delay <= Millis{0}) return at_least;
  const auto cap = static_cast<double>(retry.cap.count());
  const double grown = retry.backoff == Backoff::kFixed
                           ? static_cast<double>(retry.delay.count())
                           : static_cast<double>(retry.delay.count()) * std::pow(retry.factor, static_cast<double>(k));
  const double jittered = std::min(grown, cap) * (1.0 + retry.jitter * (2.0 * unit - 1.0));
  const double delay = std::max(0.0, std::min(cap, jittered));
  return std::max(at_least, Millis{static_cast<std::int64_t>(std::llround(delay))});
}

}  // namespace canorun::policy
