// The blanks around a text.
#pragma once

#include <cstdint>
#include <string_view>

#include "engine/base/source.h"

namespace canorun {

inline constexpr std::string_view kBlanks = " \t\r\n";

/// What of a text has no blanks around it; empty where there are only blanks.
inline Span trimmed_span(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(text.find_last_not_of(kBlanks) + 1)};
}

inline std::string_view trimmed(std::string_view text) {
  const Span span = trimmed_span(text);
  return text.substr(span.begin, span.end - span.begin);
}

}  // namespace canorun
