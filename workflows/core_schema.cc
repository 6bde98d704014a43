#include "workflows/core_schema.h"

#include <charconv>

namespace canorun::workflows {
namespace {

constexpr auto one_of(std::string_view text, const auto&... allowed) { return ((text == allowed) || ...); }

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::size_t skip_digits(std::string_view text, std::size_t at) {
  while (at < text.size() && is_digit(text[at])) ++at;
  return at;
}

// A number that no double can hold is left a string.
std::optional<Json> floating(std::string_view digits, bool negative) {
  double number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc()) return std::nullopt;
  return Json(negative ? -number : number);
}

std::optional<Json> integer(std::string_view digits, int base, bool negative) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number, base);
  if (end != digits.data() + digits.size() || digits.empty()) return std::nullopt;
  constexpr auto kLargest = static_cast<std::uint64_t>(INT64_MAX);
  if (error == std::errc() && number <= kLargest) {
    const auto value = static_cast<std::int64_t>(number);
    return Json(negative ? -value : value);
  }
  if (error == std::errc() && negative && number == kLargest + 1) return Json(INT64_MIN);
  if (error == std::errc() && !negative) return Json(number);
  if (base != 10) return std::nullopt;
  return floating(digits, negative);
}

// [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?
bool is_float(std::string_view text) {
  std::size_t at = 0;
  const std::size_t whole = skip_digits(text, at);
  const bool has_whole = whole > at;
  at = whole;
  if (at < text.size() && text[at] == '.') {
    const std::size_t fraction = skip_digits(text, at + 1);
    if (!has_whole && fraction == at + 1) return false;
    at = fraction;
  } else if (!has_whole) {
    return false;
  }
  if (at == text.size()) return true;
  if (text[at] != 'e' && text[at] != 'E') return false;
  ++at;
  if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
  return at < text.size() && skip_digits(text, at) == text.size();
}

}  // namespace

bool is_not_finite(std::string_view text) {
  if (one_of(text, ".nan", ".NaN", ".NAN")) return true;
  if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
  return one_of(text, ".inf", ".Inf", ".INF");
}

std::optional<Json> resolve_plain(std::string_view text) {
  if (one_of(text, "", "~", "null", "Null", "NULL")) return Json();
  if (one_of(text, "true", "True", "TRUE")) return Json(true);
  if (one_of(text, "false", "False", "FALSE")) return Json(false);
  if (text.starts_with("0x")) return integer(text.substr(2), 16, false);
  if (text.starts_with("0o")) return integer(text.substr(2), 8, false);
  const bool negative = text[0] == '-';
  if (negative || text[0] == '+') text.remove_prefix(1);
  if (text.empty() || !(is_digit(text[0]) || text[0] == '.')) return std::nullopt;
  if (skip_digits(text, 0) == text.size()) return integer(text, 10, negative);
  if (!is_float(text)) return std::nullopt;
  return floating(text, negative);
}

}  // namespace canorun::workflows
