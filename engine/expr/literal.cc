#include "engine/expr/literal.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include "engine/expr/text.h"

namespace canorun::expr {
namespace {

std::unexpected<Problem> syntax(Span span, std::string message, std::string hint = {}) {
  return std::unexpected(Problem{ProblemKind::kSyntax, std::move(message), std::move(hint), span});
}

std::optional<std::uint64_t> parse_digits(std::string_view digits) {
  const bool hex = digits.starts_with("0x") || digits.starts_with("0X");
  if (hex) digits.remove_prefix(2);
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number, hex ? 16 : 10);
  if (error != std::errc{}) return std::nullopt;
  return number;
}

std::expected<Value, Problem> int_value(const Token& token, bool negative) {
  constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  const auto number = parse_digits(token.text);
  if (!number || *number > kMax + (negative ? 1 : 0)) {
    return syntax(token.span,
                  fmt::format("{}{} does not fit into an int", negative ? "-" : "", token.text.substr(0, 64)),
                  "ints have 64 bits");
  }
  return Value::integer(static_cast<std::int64_t>(negative ? 0 - *number : *number));
}

std::expected<Value, Problem> uint_value(const Token& token) {
  const auto number = parse_digits(token.text.substr(0, token.text.size() - 1));
  if (!number)
    return syntax(token.span, fmt::format("{} does not fit into a uint", token.text.substr(0, 64)),
                  "uints have 64 bits");
  return Value::unsigned_integer(*number);
}

std::expected<Value, Problem> double_value(const Token& token, bool negative) {
  const auto number = parse_double(token.text);
  if (!number) return syntax(token.span, fmt::format("{} does not fit into a double", token.text.substr(0, 64)));
  return Value::floating(negative ? -*number : *number);
}

// Reads the inside of a quoted text with escapes.
class Unescaper {
 public:
  Unescaper(std::string_view text, std::uint32_t offset, bool bytes) : text_(text), offset_(offset), bytes_(bytes) {}

  std::expected<std::string, Problem> run() {
    while (at_ < text_.size()) {
      const std::size_t slash = std::min(text_.find('\\', at_), text_.size());
      out_.append(text_.substr(at_, slash - at_));
      at_ = slash;
      if (at_ < text_.size() && !escape()) {
        const std::size_t end = std::min(at_, text_.size());
        return syntax({offset_ + static_cast<std::uint32_t>(slash), offset_ + static_cast<std::uint32_t>(end)},
                      fmt::format("'{}' is not an escape", text_.substr(slash, end - slash)),
                      "write '\\\\' for a backslash, or r'…' for a text without escapes");
      }
    }
    return std::move(out_);
  }

 private:
  static std::optional<char> simple(char c) {
    constexpr std::string_view kNames = "abfnrtv\\?\"'`";
    constexpr std::string_view kValues = "\a\b\f\n\r\t\v\\?\"'`";
    const std::size_t at = kNames.find(c);
    if (at == std::string_view::npos) return std::nullopt;
    return kValues[at];
  }

  // At a backslash: appends what it stands for and moves past it.
  bool escape() {
    ++at_;
    if (at_ >= text_.size()) return false;
    const char kind = text_[at_++];
    if (const auto c = simple(kind)) {
      out_ += *c;
      return true;
    }
    switch (kind) {
      case 'x':
      case 'X': return code(2, 16);
      case 'u': return !bytes_ && code(4, 16);
      case 'U': return !bytes_ && code(8, 16);
      default:
        if (kind < '0' || kind > '3') return false;
        --at_;
        return code(3, 8);
    }
  }

  // `digits` digits: a byte of bytes, a code point of a string.
  bool code(std::size_t digits, int base) {
    const std::string_view written = text_.substr(at_, digits);
    at_ += written.size();
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(written.data(), written.data() + written.size(), number, base);
    if (written.size() != digits || error != std::errc{} || end != written.data() + digits) return false;
    if (bytes_) {
      out_ += static_cast<char>(number);
      return true;
    }
    if (number > 0x10FFFF || (number >= 0xD800 && number <= 0xDFFF)) return false;
    append_utf8(out_, number);
    return true;
  }

  std::string_view text_;
  std::uint32_t offset_;
  bool bytes_;
  std::size_t at_ = 0;
  std::string out_;
};

// A line end is one newline, however the file writes it.
std::string with_plain_line_ends(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\r') {
      out += text[i];
    } else if (i + 1 >= text.size() || text[i + 1] != '\n') {
      out += '\n';
    }
  }
  return out;
}

std::expected<Value, Problem> text_value(const Token& token) {
  const bool bytes = token.kind == TokenKind::kBytes;
  const std::size_t prefix = token.text.find_first_of("'\"");
  const bool raw = token.text.substr(0, prefix).find_first_of("rR") != std::string_view::npos;
  const char quote = token.text[prefix];
  std::string_view inside = token.text.substr(prefix);
  const bool triple = inside.size() >= 6 && inside[1] == quote && inside[2] == quote;
  const std::size_t width = triple ? 3 : 1;
  inside = inside.substr(width, inside.size() - 2 * width);
  std::string plain = with_plain_line_ends(inside);
  if (!raw) {
    auto unescaped = Unescaper(plain, token.span.begin + static_cast<std::uint32_t>(prefix + width), bytes).run();
    if (!unescaped) return std::unexpected(std::move(unescaped.error()));
    plain = std::move(*unescaped);
  }
  return bytes ? Value::bytes(std::move(plain)) : Value::string(std::move(plain));
}

}  // namespace

std::expected<Value, Problem> literal_value(const Token& token, bool negative) {
  switch (token.kind) {
    case TokenKind::kInt: return int_value(token, negative);
    case TokenKind::kUint: return uint_value(token);
    case TokenKind::kDouble: return double_value(token, negative);
    default: return text_value(token);
  }
}

}  // namespace canorun::expr
