#include "workflows/text_check.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/base/duration.h"
#include "engine/base/value.h"

namespace canorun::workflows {
namespace {

// yaml-cpp reads all of a flow collection ([…] or {…}) into memory, some 250 bytes for each of these
// characters, before it tells of the first element. No flow that is meant to be one comes near.
constexpr std::size_t kMaxIndicators = 500'000;
constexpr std::size_t kMaxOpenBrackets = 50'000;

TextProblem at(std::size_t offset, std::size_t length, Code code, std::string message, std::string hint = {}) {
  return {code,
          {static_cast<std::uint32_t>(offset), static_cast<std::uint32_t>(offset + length)},
          std::move(message),
          std::move(hint)};
}

std::optional<TextProblem> check_encoding(std::string_view text) {
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) {
    return at(0, 0, Code::kYamlSyntax, "the file is UTF-16", "save it as UTF-8");
  }
  if (text.find('\0') != std::string_view::npos) {
    return at(text.find('\0'), 1, Code::kYamlSyntax, "the file is binary: it holds a NUL byte", "a flow is YAML text");
  }
  if (is_utf8(text)) return std::nullopt;
  const std::string repaired = to_utf8(text);
  const auto bad = std::mismatch(text.begin(), text.end(), repaired.begin(), repaired.end()).first - text.begin();
  return at(static_cast<std::size_t>(bad), 1, Code::kYamlSyntax, "the file is not UTF-8", "save it as UTF-8");
}

std::optional<TextProblem> check_characters(std::string_view text) {
  std::size_t indicators = 0;
  std::size_t open = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      if (c == '\n' || c == '\t' || (c == '\r' && i + 1 < text.size() && text[i + 1] == '\n')) continue;
      if (c == '\r')
        return at(i, 1, Code::kYamlSyntax, "a carriage return without a line feed", "end lines with LF or CRLF");
      return at(i, 1, Code::kYamlSyntax, fmt::format("a control character (U+{:04X})", static_cast<int>(c)),
                "inside double quotes it can be written as an escape: \"\\x1B\"");
    }
    if (c == '[' || c == '{') ++open;
    if ((c == ']' || c == '}') && open > 0) --open;
    if (open > kMaxOpenBrackets) {
      return at(i, 1, Code::kYamlSyntax, fmt::format("nested deeper than {} levels", kMaxNesting));
    }
    if (std::string_view(",[]{}?&!*").find(c) != std::string_view::npos && ++indicators > kMaxIndicators) {
      return at(i, 1, Code::kFileTooLarge, fmt::format("more than {} brackets and commas", kMaxIndicators),
                "keep data in files of their own");
    }
  }
  return std::nullopt;
}

}  // namespace

std::size_t byte_order_mark(std::string_view text) { return text.starts_with("\xEF\xBB\xBF") ? 3 : 0; }

std::optional<TextProblem> check_size(std::string_view text) {
  if (text.size() <= kMaxFileSize) return std::nullopt;
  return at(0, 0, Code::kFileTooLarge, fmt::format("the file is larger than {}", human_size(kMaxFileSize)),
            "keep data in files of their own");
}

std::optional<TextProblem> check_text(std::string_view text) {
  if (auto problem = check_size(text)) return problem;
  if (auto problem = check_encoding(text)) return problem;
  return check_characters(text);
}

}  // namespace canorun::workflows
