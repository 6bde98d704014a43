// What one evaluation may cost: it bounds time and memory whatever the expression.
#pragma once

#include <cstddef>
#include <cstdint>

namespace canorun::expr {

/// The largest string or bytes that an expression may make.
inline constexpr std::size_t kMaxSize = std::size_t{64} << 20;
inline constexpr const char* kTextTooLarge = "the text would be larger than 64 MiB";

/// Counts down; once spent it stays spent.
class Budget {
 public:
  static constexpr std::uint64_t kSteps = 10'000'000;
  /// Bytes that are read or written count as one step per this many.
  static constexpr std::size_t kBytesPerStep = 16;

  /// False when there are no `steps` left.
  bool charge(std::uint64_t steps = 1) {
    if (steps > left_) {
      left_ = 0;
      spent_ = true;
      return false;
    }
    left_ -= steps;
    return true;
  }
  bool charge_bytes(std::size_t bytes) { return charge(1 + bytes / kBytesPerStep); }
  bool spent() const { return spent_; }

 private:
  std::uint64_t left_ = kSteps;
  bool spent_ = false;
};

}  // namespace canorun::expr
