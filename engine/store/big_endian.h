// Numbers in keys and records: 8 bytes, big-endian, so that they sort.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace canorun::store {

inline constexpr std::size_t kNumberSize = 8;

inline std::string number_bytes(std::uint64_t number) {
  std::string bytes(kNumberSize, '\0');
  for (std::size_t i = kNumberSize; i-- > 0; number >>= 8) bytes[i] = static_cast<char>(number & 0xFF);
  return bytes;
}

/// The number at the beginning; of fewer bytes, what they say.
inline std::uint64_t number_from(std::string_view bytes) {
  std::uint64_t number = 0;
  for (const char byte : bytes.substr(0, kNumberSize)) number = (number << 8) | static_cast<unsigned char>(byte);
  return number;
}

}  // namespace canorun::store
