// The bytes of CBOR (RFC 8949) around the values that nlohmann encodes: maps written without building
// them in memory first, and a look at foreign bytes before they are decoded.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/value.h"

namespace canorun::store {

/// Appends to a string.
class CborWriter {
 public:
  /// The next `count` values are in it.
  void list(std::size_t count) { head(4, count); }
  /// A map of at most 23 keys, which has no other begun in it.
  void begin_map();
  void key(std::string_view name);
  void end_map();
  void number(std::uint64_t value) { head(0, value); }
  void signed_number(std::int64_t value);
  void boolean(bool value) { bytes_ += static_cast<char>(value ? 0xF5 : 0xF4); }
  void text(std::string_view value);
  void json(const Json& value);

  std::string take() { return std::move(bytes_); }

 private:
  void head(unsigned major, std::uint64_t value);

  std::string bytes_;
  std::size_t map_at_ = 0;
  unsigned map_keys_ = 0;
};

/// Decodes exactly one value that nests at most `max_depth` deep; none for any other bytes. Integers
/// are normalised. Never throws, and recurses no deeper than `max_depth`.
std::optional<Json> parse_cbor(std::string_view bytes, std::size_t max_depth);

}  // namespace canorun::store
