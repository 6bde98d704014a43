// How the types of arguments and of the result stand in the tables of functions and operators.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/expr/type.h"

namespace canorun::expr {

/// A signature as types: its variables are numbered from 0.
struct Overload {
  std::vector<Type> parameters;
  Type result;
  std::uint32_t variables = 0;
};

/// `(list(A), int) -> optional(A)`: a capital letter stands for any type, the same one everywhere.
/// Read when it is compiled: a mistake in a table does not build.
class Signature {
 public:
  template <std::size_t size>
  consteval Signature(const char (&text)[size]) : text_(text, size - 1) {  // NOLINT: reads as a literal
    take("(");
    while (!at(")")) {
      if (parameters_ > 0) take(", ");
      type();
      ++parameters_;
    }
    take(") -> ");
    type();
    if (next_ != text_.size()) throw "something stands after the result";
  }

  constexpr std::size_t parameters() const { return parameters_; }
  Overload overload() const;

 private:
  struct Word {
    std::string_view text;
    TypeKind kind;
    std::size_t parameters;
  };
  static constexpr std::array<Word, 14> kWords{{{"dyn", TypeKind::kDyn, 0},
                                                {"null", TypeKind::kNull, 0},
                                                {"bool", TypeKind::kBool, 0},
                                                {"int", TypeKind::kInt, 0},
                                                {"uint", TypeKind::kUint, 0},
                                                {"double", TypeKind::kDouble, 0},
                                                {"string", TypeKind::kString, 0},
                                                {"bytes", TypeKind::kBytes, 0},
                                                {"timestamp", TypeKind::kTimestamp, 0},
                                                {"duration", TypeKind::kDuration, 0},
                                                {"type", TypeKind::kType, 1},
                                                {"list", TypeKind::kList, 1},
                                                {"map", TypeKind::kMap, 2},
                                                {"optional", TypeKind::kOptional, 1}}};

  constexpr bool at(std::string_view word) const { return text_.substr(next_).starts_with(word); }

  constexpr void take(std::string_view word) {
    if (!at(word)) throw "something else is expected here";
    next_ += word.size();
  }

  constexpr void type() {
    if (text_[next_] >= 'A' && text_[next_] <= 'Z') {
      put(static_cast<std::uint8_t>(kFirstVariable + text_[next_++] - 'A'));
      return;
    }
    const std::size_t begin = next_;
    while (next_ < text_.size() && text_[next_] >= 'a' && text_[next_] <= 'z') ++next_;
    for (const Word& word : kWords) {
      if (word.text != text_.substr(begin, next_ - begin)) continue;
      put(static_cast<std::uint8_t>(word.kind));
      for (std::size_t i = 0; i < word.parameters; ++i) {
        take(i == 0 ? "(" : ", ");
        type();
      }
      if (word.parameters > 0) take(")");
      return;
    }
    throw "there is no such type";
  }

  constexpr void put(std::uint8_t code) { codes_.at(size_++) = code; }

  Type read(std::size_t& code, std::uint32_t& variables) const;

  static constexpr std::uint8_t kFirstVariable = 100;
  std::string_view text_;
  std::size_t next_ = 0;
  std::size_t parameters_ = 0;
  std::size_t size_ = 0;
  std::array<std::uint8_t, 12> codes_{};  ///< every type with what is inside after it
};

}  // namespace canorun::expr
