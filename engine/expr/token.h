// A word of the expression language and where it stands.
#pragma once

#include <cstdint>
#include <string_view>

#include "engine/base/source.h"

namespace canorun::expr {

enum class TokenKind : std::uint8_t {
  kEnd,
  kIdentifier,
  kQuotedIdentifier,  ///< `` `content-type` ``, only after a dot
  kInt,
  kUint,
  kDouble,
  kString,
  kBytes,
  kLeftParen,
  kRightParen,
  kLeftBracket,
  kRightBracket,
  kLeftBrace,
  kRightBrace,
  kDot,
  kComma,
  kColon,
  kQuestion,
  kNot,
  kPlus,
  kMinus,
  kStar,
  kSlash,
  kPercent,
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kIn,
  kAnd,
  kOr,
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  Span span;
  std::string_view text;  ///< as written
};

}  // namespace canorun::expr
