#include "engine/policy/retry.h"

#include <doctest/doctest.h>

#include <limits>

using namespace canorun;
using policy::Backoff;
using policy::delay_before;
using policy::Retry;

TEST_CASE("exponential backoff grows by the factor up to the cap") {
  const Retry retry{.max = 9, .delay = Millis{100}, .factor = 2, .cap = Millis{1'000}, .jitter = 0};
  std::vector<std::int64_t> delays;
  for (std::uint32_t k = 0; k < 6; ++k) delays.push_back(delay_before(retry, k, 0.5).count());
  CHECK(delays == std::vector<std::int64_t>{100, 200, 400, 800, 1'000, 1'000});
  CHECK(retry.attempts() == 10);
}

TEST_CASE("fixed backoff stays") {
  const Retry retry{.max = 3, .backoff = Backoff::kFixed, .delay = Millis{700}, .factor = 9, .jitter = 0};
  CHECK(delay_before(retry, 0, 0) == Millis{700});
  CHECK(delay_before(retry, 50, 0) == Millis{700});
}

TEST_CASE("jitter goes both ways and never above the cap") {
  const Retry retry{.max = 1, .delay = Millis{1'000}, .cap = Millis{1'050}, .jitter = 0.1};
  CHECK(delay_before(retry, 0, 0.0) == Millis{900});
  CHECK(delay_before(retry, 0, 0.5) == Millis{1'000});
  CHECK(delay_before(retry, 0, 0.999999) == Millis{1'050});
}

TEST_CASE("no number of retries overflows") {
  const Retry retry{.max = 4'000'000'000, .delay = Millis{1}, .factor = 1e300, .cap = Millis{60'000}, .jitter = 1};
  CHECK(delay_before(retry, std::numeric_limits<std::uint32_t>::max(), 0.5) == Millis{60'000});
  CHECK(delay_before({.delay = Millis{0}, .factor = 1e300}, 4'000'000'000, 0.5) == Millis{0});
}

TEST_CASE("what the other side asks to wait is a lower bound that the cap does not cut") {
  const Retry retry{.max = 1, .delay = Millis{100}, .cap = Millis{200}, .jitter = 0};
  CHECK(delay_before(retry, 0, 0.5, Millis{5'000}) == Millis{5'000});
  CHECK(delay_before(retry, 0, 0.5, Millis{50}) == Millis{100});
}
