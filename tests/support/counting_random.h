// Randomness that repeats.
#pragma once

#include "engine/base/random.h"

namespace canorun::test {

/// SplitMix64 from a seed: the same numbers in every run of a test.
class CountingRandom final : public Random {
 public:
  explicit CountingRandom(std::uint64_t seed = 1) : state_(seed) {}
  std::uint64_t bits() override {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15ULL);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
  }

 private:
  std::uint64_t state_;
};

}  // namespace canorun::test
