#include "workflows/scalar.h"

#include <algorithm>
#include <string>

namespace canorun::workflows {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t'; }

// How many bytes of UTF-8 the hex digits of an escape stand for.
std::size_t utf8_size(std::string_view hex) {
  unsigned long code = 0;
  for (const char c : hex) {
    const int digit = c >= '0' && c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
    code = code * 16 + static_cast<unsigned long>(digit);
  }
  return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
}

}  // namespace

ScalarStyle scalar_style(std::string_view source, std::uint32_t begin) {
  switch (begin < source.size() ? source[begin] : ' ') {
    case '\'': return ScalarStyle::kSingleQuoted;
    case '"': return ScalarStyle::kDoubleQuoted;
    case '|': return ScalarStyle::kLiteral;
    case '>': return ScalarStyle::kFolded;
    default: return ScalarStyle::kPlain;
  }
}

/// Walks source (`at_`) and value together. Each step says which bytes of the source gave the next
/// byte of the value; a step that does not fit ends the walk.
class ScalarWalk {
 public:
  ScalarWalk(std::string_view source, std::uint32_t begin, std::string_view value, ScalarMap& map)
      : source_(source), value_(value), at_(begin), map_(map) {
    map_.origin_.reserve(value.size());
  }

  void run() {
    const std::size_t begin = at_;
    const bool followed = walk(scalar_style(source_, static_cast<std::uint32_t>(at_)));
    if (!followed) {
      map_.origin_.clear();
      at_ = std::max(begin + 1, std::min(source_.find('\n', begin), source_.size()));
    }
    map_.whole_ = {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(std::min(at_, source_.size()))};
  }

 private:
  bool walk(ScalarStyle style) {
    switch (style) {
      case ScalarStyle::kPlain: return flow('\0');
      case ScalarStyle::kSingleQuoted: return ++at_, flow('\'');
      case ScalarStyle::kDoubleQuoted: return ++at_, flow('"');
      case ScalarStyle::kLiteral:
      case ScalarStyle::kFolded: return block();
    }
    return false;
  }

  std::size_t done() const { return map_.origin_.size(); }
  bool wants(char c) const { return done() < value_.size() && value_[done()] == c; }
  char here(std::size_t ahead = 0) const { return at_ + ahead < source_.size() ? source_[at_ + ahead] : '\0'; }
  bool at_break(std::size_t at) const {
    return at < source_.size() &&
           (source_[at] == '\n' || (source_[at] == '\r' && at + 1 < source_.size() && source_[at + 1] == '\n'));
  }
  std::size_t after_break(std::size_t at) const { return at + (source_[at] == '\r' ? 2 : 1); }

  // The next `bytes` of the value came from `length` bytes of the source from `from` on.
  void came_from(std::size_t from, std::size_t length, std::size_t bytes = 1) {
    for (std::size_t i = 0; i < bytes && done() < value_.size(); ++i) {
      map_.origin_.push_back({static_cast<std::uint32_t>(from), static_cast<std::uint32_t>(from + length)});
    }
  }

  bool same() {
    if (at_ >= source_.size() || !wants(source_[at_])) return false;
    came_from(at_++, 1);
    return true;
  }

  // Plain and quoted scalars fold their line breaks in the same way.
  bool flow(char quote) {
    while (done() < value_.size()) {
      std::size_t blanks = at_;
      while (blanks < source_.size() && is_blank(source_[blanks])) ++blanks;
      if (at_break(blanks)) {
        if (!fold(blanks)) return false;
      } else if (blanks > at_) {
        while (at_ < blanks) {
          if (!same()) return false;
        }
      } else if (quote != '\0' && here() == quote) {
        if (quote != '\'' || here(1) != '\'' || !wants('\'')) return false;
        came_from(at_, 2);
        at_ += 2;
      } else if (quote == '"' && here() == '\\') {
        if (!escape()) return false;
      } else if (!same()) {
        return false;
      }
    }
    return quote == '\0' || close(quote);
  }

  // Behind the last character there may be line breaks that were escaped away.
  bool close(char quote) {
    while (here() == '\\' && at_break(at_ + 1)) skip_escaped_break();
    while (at_ < source_.size() && (is_blank(here()) || at_break(at_))) ++at_;
    if (here() != quote) return false;
    ++at_;
    return true;
  }

  // One break is a blank, n breaks are n - 1 line feeds.
  bool fold(std::size_t blanks) {
    const std::size_t first = blanks;
    at_ = after_break(blanks);
    std::size_t breaks = 1;
    for (;;) {
      while (is_blank(here())) ++at_;
      if (!at_break(at_)) break;
      at_ = after_break(at_);
      ++breaks;
    }
    if (breaks == 1) return wants(' ') && (came_from(first, 1), true);
    for (std::size_t i = 1; i < breaks; ++i) {
      if (!wants('\n')) return false;
      came_from(first, 1);
    }
    return true;
  }

  void skip_escaped_break() {
    at_ = after_break(at_ + 1);
    while (is_blank(here())) ++at_;
    while (wants('\n') && at_break(at_)) {
      came_from(at_, 1);
      at_ = after_break(at_);
      while (is_blank(here())) ++at_;
    }
  }

  bool escape() {
    if (at_break(at_ + 1)) return skip_escaped_break(), true;
    const char kind = here(1);
    const std::size_t digits = kind == 'x' ? 2 : kind == 'u' ? 4 : kind == 'U' ? 8 : 0;
    if (at_ + 2 + digits > source_.size()) return false;
    const bool two_bytes = kind == 'N' || kind == '_';
    const bool three_bytes = kind == 'L' || kind == 'P';
    const std::size_t bytes = digits > 0    ? utf8_size(source_.substr(at_ + 2, digits))
                              : two_bytes   ? 2
                              : three_bytes ? 3
                                            : 1;
    came_from(at_, 2 + digits, bytes);
    at_ += 2 + digits;
    return true;
  }

  bool block() {
    const bool folded = here() == '>';
    at_ = std::min(source_.find('\n', at_), source_.size() - 1) + 1;
    std::size_t last = at_;
    std::size_t indent = 0;
    bool known = false;
    while (done() < value_.size() && at_ < source_.size()) {
      const std::size_t line = at_;
      const std::size_t end = std::min(source_.find('\n', at_), source_.size());
      const std::size_t content_end = end > line && source_[end - 1] == '\r' ? end - 1 : end;
      if (!known && is_empty(line, content_end)) {
        if (wants('\n')) came_from(content_end, 1);
        at_ = end + 1;
        continue;
      }
      if (!known) indent = indent_of(line, content_end);
      known = true;
      at_ = line + std::min(indent, leading_blanks(line, content_end));
      if (at_ < content_end) {
        while (done() < value_.size() && at_ < content_end) {
          if (!same()) return false;
        }
        last = at_;
      }
      if (wants('\n') || (folded && wants(' '))) came_from(content_end, 1);
      at_ = end + 1;
    }
    at_ = last;
    return done() == value_.size();
  }

  std::size_t leading_blanks(std::size_t from, std::size_t to) const {
    std::size_t at = from;
    while (at < to && source_[at] == ' ') ++at;
    return at - from;
  }
  bool is_empty(std::size_t from, std::size_t to) const { return leading_blanks(from, to) == to - from; }

  // What the first line has more of than its value.
  std::size_t indent_of(std::size_t from, std::size_t to) const {
    std::size_t kept = 0;
    while (done() + kept < value_.size() && value_[done() + kept] == ' ') ++kept;
    const std::size_t there = leading_blanks(from, to);
    return there > kept ? there - kept : 0;
  }

  std::string_view source_;
  std::string_view value_;
  std::size_t at_;
  ScalarMap& map_;
};

ScalarMap::ScalarMap(std::string_view source, std::uint32_t begin, std::string_view value) {
  ScalarWalk(source, begin, value, *this).run();
}

Span ScalarMap::part(Span in_value) const {
  if (origin_.empty()) return whole_;
  const auto size = static_cast<std::uint32_t>(origin_.size());
  if (in_value.begin >= size) return {origin_.back().end, origin_.back().end};
  const Span first = origin_[in_value.begin];
  if (in_value.end <= in_value.begin) return {first.begin, first.begin};
  return {first.begin, origin_[std::min(in_value.end, size) - 1].end};
}

}  // namespace canorun::workflows
