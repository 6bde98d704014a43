// Cuts the text of an expression into tokens.
#pragma once

#include <expected>
#include <string_view>

#include "engine/expr/problem.h"
#include "engine/expr/token.h"

namespace canorun::expr {

/// Borrows the text. Spans count from the text's begin, wherever reading started.
class Lexer {
 public:
  explicit Lexer(std::string_view text, std::size_t from = 0) : text_(text), at_(from) {}

  /// The next token; `kEnd` at the end, again and again.
  std::expected<Token, Problem> next();

 private:
  void skip_blanks();
  Token token(TokenKind kind, std::size_t begin) const;
  std::string_view rest() const { return text_.substr(at_); }
  char peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
  void skip_digits();
  Token number();
  std::expected<Token, Problem> quoted(std::size_t begin, std::size_t prefix);
  std::expected<Token, Problem> quoted_identifier();
  std::expected<Token, Problem> symbol();

  std::string_view text_;
  std::size_t at_;
};

}  // namespace canorun::expr
