#include "engine/expr/lexer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "engine/expr/text.h"

namespace canorun::expr {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f'; }

struct Symbol {
  std::string_view text;
  TokenKind kind;
};
// Two characters before one, so that the first that fits is the longest.
constexpr std::array<Symbol, 24> kSymbols{
    {{"&&", TokenKind::kAnd},         {"||", TokenKind::kOr},        {"==", TokenKind::kEqual},
     {"!=", TokenKind::kNotEqual},    {"<=", TokenKind::kLessEqual}, {">=", TokenKind::kGreaterEqual},
     {"<", TokenKind::kLess},         {">", TokenKind::kGreater},    {"!", TokenKind::kNot},
     {"(", TokenKind::kLeftParen},    {")", TokenKind::kRightParen}, {"[", TokenKind::kLeftBracket},
     {"]", TokenKind::kRightBracket}, {"{", TokenKind::kLeftBrace},  {"}", TokenKind::kRightBrace},
     {".", TokenKind::kDot},          {",", TokenKind::kComma},      {":", TokenKind::kColon},
     {"?", TokenKind::kQuestion},     {"+", TokenKind::kPlus},       {"-", TokenKind::kMinus},
     {"*", TokenKind::kStar},         {"/", TokenKind::kSlash},      {"%", TokenKind::kPercent}}};

// How many letters before a quote belong to the string: r, b, rb or br, in any case.
std::optional<std::size_t> string_prefix(std::string_view text) {
  std::size_t length = 0;
  bool raw = false;
  bool bytes = false;
  for (; length < text.size(); ++length) {
    const char c = text[length];
    if (c == '"' || c == '\'') return length;
    bool& seen = c == 'r' || c == 'R' ? raw : bytes;
    if ((&seen == &bytes && c != 'b' && c != 'B') || seen) return std::nullopt;
    seen = true;
  }
  return std::nullopt;
}

std::unexpected<Problem> syntax(std::size_t begin, std::size_t end, std::string message, std::string hint = {}) {
  return std::unexpected(Problem{ProblemKind::kSyntax, std::move(message), std::move(hint),
                                 Span{static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)}});
}

std::string_view hint_for(char c) {
  switch (c) {
    case '=': return "write '==' to compare";
    case '&': return "write '&&'";
    case '|': return "write '||'";
    case '$': return "names are written without '$'";
    default: return "";
  }
}

}  // namespace

std::expected<Token, Problem> Lexer::next() {
  skip_blanks();
  const std::size_t begin = at_;
  if (at_ >= text_.size()) return token(TokenKind::kEnd, at_);
  if (const auto prefix = string_prefix(rest())) return quoted(begin, *prefix);
  const char c = peek();
  if (is_digit(c) || (c == '.' && is_digit(peek(1)))) return number();
  if (c == '`') return quoted_identifier();
  if (!is_letter(c)) return symbol();
  while (is_letter(peek()) || is_digit(peek())) ++at_;
  const Token word = token(TokenKind::kIdentifier, begin);
  return word.text == "in" ? token(TokenKind::kIn, begin) : word;
}

Token Lexer::token(TokenKind kind, std::size_t begin) const {
  return {kind, Span{static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(at_)},
          text_.substr(begin, at_ - begin)};
}

void Lexer::skip_blanks() {
  while (at_ < text_.size()) {
    if (rest().starts_with("//")) {
      at_ = std::min(text_.find('\n', at_), text_.size());
    } else if (is_blank(text_[at_])) {
      ++at_;
    } else {
      return;
    }
  }
}

void Lexer::skip_digits() {
  while (is_digit(peek())) ++at_;
}

Token Lexer::number() {
  const std::size_t begin = at_;
  if (peek() == '0' && (peek(1) == 'x' || peek(1) == 'X') && is_hex(peek(2))) {
    at_ += 2;
    while (is_hex(peek())) ++at_;
  } else {
    skip_digits();
    bool floating = false;
    if (peek() == '.' && is_digit(peek(1))) {
      floating = true;
      ++at_;
      skip_digits();
    }
    const std::size_t sign = peek(1) == '+' || peek(1) == '-' ? 1 : 0;
    if ((peek() == 'e' || peek() == 'E') && is_digit(peek(1 + sign))) {
      floating = true;
      at_ += 1 + sign;
      skip_digits();
    }
    if (floating) return token(TokenKind::kDouble, begin);
  }
  if (peek() != 'u' && peek() != 'U') return token(TokenKind::kInt, begin);
  ++at_;
  return token(TokenKind::kUint, begin);
}

std::expected<Token, Problem> Lexer::quoted(std::size_t begin, std::size_t prefix) {
  bool raw = false;
  bool bytes = false;
  for (std::size_t i = 0; i < prefix; ++i) (peek(i) == 'r' || peek(i) == 'R' ? raw : bytes) = true;
  at_ += prefix;
  const char quote = peek();
  const bool triple = peek(1) == quote && peek(2) == quote;
  const std::size_t width = triple ? 3 : 1;
  at_ += width;
  while (at_ < text_.size()) {
    if (peek() == quote && (!triple || (peek(1) == quote && peek(2) == quote))) {
      at_ += width;
      return token(bytes ? TokenKind::kBytes : TokenKind::kString, begin);
    }
    if (!triple && (peek() == '\n' || peek() == '\r')) break;
    at_ += peek() == '\\' && !raw ? 2 : 1;
  }
  at_ = std::min(at_, text_.size());
  return syntax(begin, begin + prefix + width, "a string is not closed",
                fmt::format("end it with {}", std::string(width, quote)));
}

std::expected<Token, Problem> Lexer::quoted_identifier() {
  const std::size_t begin = at_;
  const std::size_t close = text_.find_first_of("`\n", at_ + 1);
  if (close == std::string_view::npos || text_[close] == '\n') {
    at_ = text_.size();
    return syntax(begin, begin + 1, "a quoted field name is not closed", "end it with `");
  }
  at_ = close + 1;
  if (at_ - begin == 2) return syntax(begin, at_, "a quoted field name is empty");
  return token(TokenKind::kQuotedIdentifier, begin);
}

std::expected<Token, Problem> Lexer::symbol() {
  const std::size_t begin = at_;
  for (const auto& symbol : kSymbols) {
    if (!rest().starts_with(symbol.text)) continue;
    at_ += symbol.text.size();
    return token(symbol.kind, begin);
  }
  at_ = std::min(text_.size(), at_ + character_size(rest()));
  const std::string_view found = text_.substr(begin, at_ - begin);
  if (static_cast<unsigned char>(found[0]) < 0x20) return syntax(begin, at_, "unexpected control character");
  return syntax(begin, at_, fmt::format("unexpected character '{}'", found), std::string(hint_for(found[0])));
}

}  // namespace canorun::expr
