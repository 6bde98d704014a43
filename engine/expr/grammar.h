// The words and operators of the language.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

#include "engine/expr/ast.h"
#include "engine/expr/token.h"

namespace canorun::expr {

/// Values that are written as words.
constexpr bool is_keyword(std::string_view word) { return word == "true" || word == "false" || word == "null"; }

/// Words that the language keeps for later: no names, but they may be fields.
constexpr bool is_reserved(std::string_view word) {
  constexpr std::array<std::string_view, 17> kReserved{"as",       "break",  "const",  "continue", "else", "for",
                                                       "function", "if",     "import", "let",      "loop", "namespace",
                                                       "package",  "return", "var",    "void",     "while"};
  return std::find(kReserved.begin(), kReserved.end(), word) != kReserved.end();
}

/// Levels of precedence: a higher one binds tighter.
inline constexpr int kOrLevel = 1;
inline constexpr int kAndLevel = 2;
inline constexpr int kLowest = kOrLevel;

struct Infix {
  TokenKind token;
  int level;
  Operator op;  ///< unused for && and ||
};
inline constexpr std::array<Infix, 14> kInfixes{{{TokenKind::kOr, kOrLevel, {}},
                                                 {TokenKind::kAnd, kAndLevel, {}},
                                                 {TokenKind::kEqual, 3, Operator::kEqual},
                                                 {TokenKind::kNotEqual, 3, Operator::kNotEqual},
                                                 {TokenKind::kLess, 3, Operator::kLess},
                                                 {TokenKind::kLessEqual, 3, Operator::kLessEqual},
                                                 {TokenKind::kGreater, 3, Operator::kGreater},
                                                 {TokenKind::kGreaterEqual, 3, Operator::kGreaterEqual},
                                                 {TokenKind::kIn, 3, Operator::kIn},
                                                 {TokenKind::kPlus, 4, Operator::kAdd},
                                                 {TokenKind::kMinus, 4, Operator::kSubtract},
                                                 {TokenKind::kStar, 5, Operator::kMultiply},
                                                 {TokenKind::kSlash, 5, Operator::kDivide},
                                                 {TokenKind::kPercent, 5, Operator::kModulo}}};

/// Null when the token is no operator between two values.
constexpr const Infix* infix(TokenKind kind) {
  const auto found = std::find_if(kInfixes.begin(), kInfixes.end(), [&](const Infix& i) { return i.token == kind; });
  return found == kInfixes.end() ? nullptr : &*found;
}

}  // namespace canorun::expr
