// Randomness: the seam through which it comes in.
#pragma once

#include <cstdint>
#include <random>

namespace canorun {

/// Implementations need not be safe for several threads.
class Random {
 public:
  virtual ~Random() = default;
  virtual std::uint64_t bits() = 0;
  /// In [0, 1).
  double unit() { return static_cast<double>(bits() >> 11) * 0x1.0p-53; }
};

/// The operating system's source.
class SystemRandom final : public Random {
 public:
  std::uint64_t bits() override {
    return (static_cast<std::uint64_t>(device_()) << 32) | static_cast<std::uint64_t>(device_());
  }

 private:
  std::random_device device_;
};

}  // namespace canorun
