// Text as a terminal may have it: no control characters, cut to a width, painted, quoted for a shell.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/value.h"

namespace canorun::cli {

/// Paints where colour is wanted; otherwise text stays as it is.
struct Style {
  bool color = false;

  std::string error(std::string_view text) const { return paint("1;31", text); }
  std::string warning(std::string_view text) const { return paint("1;33", text); }
  std::string good(std::string_view text) const { return paint("32", text); }
  std::string bad(std::string_view text) const { return paint("31", text); }
  std::string pending(std::string_view text) const { return paint("33", text); }
  std::string bold(std::string_view text) const { return paint("1", text); }
  std::string dim(std::string_view text) const { return paint("2", text); }

 private:
  std::string paint(std::string_view code, std::string_view text) const;
};

/// Control characters other than newline and tab, and bytes that are not UTF-8, become U+FFFD.
std::string printable(std::string_view text);

/// `printable`, on one line: newlines and tabs become blanks; above `most` characters it ends in `…`.
std::string one_line(std::string_view text, std::size_t most);

/// A value as JSON on one line.
std::string brief(const Json& value, std::size_t most);

/// The columns of a terminal that text takes at most: what is not ASCII may be wide.
std::size_t widest(std::string_view text);

/// A word of a shell command: quoted where it must be.
std::string shell_word(std::string_view text);

/// `, visit 2`; empty of the first one.
std::string visit_note(std::uint64_t visit);

/// `a, b, c and 5 more`.
std::string listed(const std::vector<std::string_view>& all, std::size_t most);

/// `1 state`, `3 states`.
std::string counted(std::size_t count, std::string_view noun);

/// Columns side by side, two blanks between them, no blanks at the ends of lines. Cells are plain;
/// `Cell::painted` replaces a cell's text without changing its width.
class Table {
 public:
  struct Cell {
    std::string text;
    std::string painted = {};
    bool right = false;
  };

  void row(std::vector<Cell> cells) { rows_.push_back(std::move(cells)); }
  bool empty() const { return rows_.empty(); }
  /// Every line begins with `indent`.
  std::string text(std::string_view indent = {}) const;

 private:
  std::vector<std::vector<Cell>> rows_;
};

}  // namespace canorun::cli
