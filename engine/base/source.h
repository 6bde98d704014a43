// A text that was read, and places in it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace canorun {

/// Bytes [begin, end) of a text.
struct Span {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  bool operator==(const Span&) const = default;
};

/// A place for people: both count from 1; `column` counts characters, not bytes.
struct Position {
  std::uint32_t line = 1;
  std::uint32_t column = 1;
  bool operator==(const Position&) const = default;
};

/// A named text with an index of its lines. Immutable.
class Source {
 public:
  /// `name` is what diagnostics print, as the user wrote it.
  Source(std::string name, std::string text);

  const std::string& name() const { return name_; }
  std::string_view text() const { return text_; }

  /// Offsets past the end are taken as the end.
  Position position(std::uint32_t offset) const;

  /// The text of a line (from 1) without its line end; empty when there is none.
  std::string_view line(std::uint32_t number) const;

  /// Where a line (from 1) begins, in bytes.
  std::uint32_t line_begin(std::uint32_t number) const;

 private:
  std::string name_;
  std::string text_;
  std::vector<std::uint32_t> line_begins_;
};

/// How many characters a UTF-8 text has: bytes that do not continue a character.
std::uint32_t count_characters(std::string_view text);

}  // namespace canorun
