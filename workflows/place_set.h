// A set of places in an order, which is gone through both ways.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace canorun::workflows {

class PlaceSet {
 public:
  /// Holds places below `size`.
  explicit PlaceSet(std::size_t size) : words_(size / kBits + 1, 0) {}

  void add(std::size_t place) { words_[place / kBits] |= bit(place); }
  void remove(std::size_t place) { words_[place / kBits] &= ~bit(place); }

  /// The first place that is in it from `begin` on and before `end`.
  std::optional<std::size_t> first(std::size_t begin, std::size_t end) const {
    for (std::size_t at = begin; at < end; at = (at / kBits + 1) * kBits) {
      const std::uint64_t word = words_[at / kBits] & ~(bit(at) - 1);
      if (word == 0) continue;
      const std::size_t found = at / kBits * kBits + static_cast<std::size_t>(std::countr_zero(word));
      return found < end ? std::optional(found) : std::nullopt;
    }
    return std::nullopt;
  }

  /// The last one.
  std::optional<std::size_t> last(std::size_t begin, std::size_t end) const {
    for (std::size_t at = end; at > begin; at = (at - 1) / kBits * kBits) {
      const std::uint64_t word = words_[(at - 1) / kBits] & (bit(at - 1) | (bit(at - 1) - 1));
      if (word == 0) continue;
      const std::size_t found = (at - 1) / kBits * kBits + static_cast<std::size_t>(std::bit_width(word)) - 1;
      return found >= begin ? std::optional(found) : std::nullopt;
    }
    return std::nullopt;
  }

 private:
  static constexpr std::size_t kBits = 64;
  static std::uint64_t bit(std::size_t place) { return std::uint64_t{1} << place % kBits; }

  std::vector<std::uint64_t> words_;
};

}  // namespace canorun::workflows
