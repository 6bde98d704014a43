// What is refused before a YAML parser sees it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/base/diagnostic.h"

namespace canorun::workflows {

/// A flow file is no larger than this.
inline constexpr std::size_t kMaxFileSize = std::size_t{4} << 20;
/// Lists and maps nest no deeper than this.
inline constexpr std::size_t kMaxNesting = 100;

struct TextProblem {
  Code code;
  Span span;
  std::string message;
  std::string hint = {};
};

/// Refuses what is larger than `kMaxFileSize`.
std::optional<TextProblem> check_size(std::string_view text);

/// Refuses what is too large or no text, and what would cost the YAML parser far more memory
/// than the file has bytes. What passes is parsed in bounded memory and time.
std::optional<TextProblem> check_text(std::string_view text);

/// How many bytes a byte order mark takes at the front of `text`: 0 or 3.
std::size_t byte_order_mark(std::string_view text);

}  // namespace canorun::workflows
