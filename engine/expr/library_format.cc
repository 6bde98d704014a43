// `format` of the strings extension: %s %d %f %e %b %x %X %o %%.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>
#include <vector>

#include "engine/expr/functions.h"
#include "engine/expr/text.h"

namespace canorun::expr::functions {
namespace {

constexpr int kDefaultPrecision = 6;
constexpr int kMaxPrecision = 1000;

struct Clause {
  char kind;
  std::optional<int> precision;
};

std::unexpected<Error> unfit(char kind, const Value& value) {
  return fail(fmt::format("'%{}' does not go with {}", kind, type_name(value)));
}

// How `%s` shows a value.
class Writer {
 public:
  explicit Writer(Budget& budget) : budget_(budget) {}

  // False when it has become too much.
  bool write(const Value& value, std::size_t depth = 0) {
    if (depth > kMaxJsonDepth || out_.size() > kMaxSize || !budget_.charge()) return false;
    switch (value.kind()) {
      case Kind::kNull: return put("null");
      case Kind::kBool: return put(value.as_bool() ? "true" : "false");
      case Kind::kInt: return put(std::to_string(value.as_int()));
      case Kind::kUint: return put(std::to_string(value.as_uint()));
      case Kind::kDouble: return put(format_double_plain(value.as_double()));
      case Kind::kString: return put(value.as_text());
      case Kind::kBytes: return put(to_utf8(value.as_text()));
      case Kind::kList: return list(value, depth);
      case Kind::kMap: return map(value, depth);
      case Kind::kTimestamp: return put(format_timestamp(value.as_instant()));
      case Kind::kDuration: return put(format_cel_duration(value.as_instant()));
      case Kind::kType: return put(type_name(value.as_type()));
      case Kind::kOptional:
        return value.as_optional() == nullptr ? put("none") : write(*value.as_optional(), depth + 1);
    }
    return true;
  }

  std::string take() { return std::move(out_); }

 private:
  bool put(std::string_view text) {
    out_ += text;
    return budget_.charge_bytes(text.size());
  }

  bool list(const Value& value, std::size_t depth) {
    put("[");
    for (std::size_t i = 0; i < value.size(); ++i) {
      if (i > 0) put(", ");
      if (!write(value.at(i), depth + 1)) return false;
    }
    return put("]");
  }

  // Sorted by the text of the keys.
  bool map(const Value& value, std::size_t depth) {
    std::vector<std::pair<std::string, Value>> entries;
    for (const Value& key : value.keys()) {
      Writer name(budget_);
      if (!name.write(key)) return false;
      entries.emplace_back(name.take(), value.get(key).value_or(Value()));
    }
    std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    put("{");
    for (std::size_t i = 0; i < entries.size(); ++i) {
      put(i > 0 ? ", " : "");
      put(entries[i].first);
      put(": ");
      if (!write(entries[i].second, depth + 1)) return false;
    }
    return put("}");
  }

  Budget& budget_;
  std::string out_;
};

template <class Unsigned>
std::string in_base(bool negative, Unsigned magnitude, char kind) {
  const std::string digits = kind == 'b'   ? fmt::format("{:b}", magnitude)
                             : kind == 'o' ? fmt::format("{:o}", magnitude)
                             : kind == 'x' ? fmt::format("{:x}", magnitude)
                                           : fmt::format("{:X}", magnitude);
  return negative ? "-" + digits : digits;
}

Result<std::string> based(const Value& value, char kind) {
  if (value.is(Kind::kUint)) return in_base(false, value.as_uint(), kind);
  if (value.is(Kind::kInt)) {
    const bool negative = value.as_int() < 0;
    const auto bits = static_cast<std::uint64_t>(value.as_int());
    return in_base(negative, negative ? 0 - bits : bits, kind);
  }
  if (value.is(Kind::kBool) && kind == 'b') return std::string(value.as_bool() ? "1" : "0");
  if ((kind != 'x' && kind != 'X') || !(value.is(Kind::kString) || value.is(Kind::kBytes))) return unfit(kind, value);
  const std::string_view names = kind == 'x' ? "0123456789abcdef" : "0123456789ABCDEF";
  std::string digits;
  for (const char c : value.as_text()) {
    const auto octet = static_cast<unsigned char>(c);
    digits += names[octet >> 4];
    digits += names[octet & 15];
  }
  return digits;
}

Result<std::string> decimal(const Value& value, char kind) {
  if (value.is(Kind::kInt)) return std::to_string(value.as_int());
  if (value.is(Kind::kUint)) return std::to_string(value.as_uint());
  if (value.is(Kind::kDouble)) return format_double_plain(value.as_double());
  return unfit(kind, value);
}

Result<std::string> floating(const Value& value, Clause clause) {
  double number = 0;
  switch (value.kind()) {
    case Kind::kDouble: number = value.as_double(); break;
    case Kind::kInt: number = static_cast<double>(value.as_int()); break;
    case Kind::kUint: number = static_cast<double>(value.as_uint()); break;
    default: return unfit(clause.kind, value);
  }
  if (!std::isfinite(number)) return format_double_plain(number);
  const int precision = clause.precision.value_or(kDefaultPrecision);
  return clause.kind == 'f' ? fmt::format("{:.{}f}", number, precision) : fmt::format("{:.{}e}", number, precision);
}

Result<std::string> format_one(Clause clause, const Value& value, Budget& budget) {
  switch (clause.kind) {
    case 's': {
      Writer writer(budget);
      if (!writer.write(value)) return fail(kTextTooLarge);
      return writer.take();
    }
    case 'd': return decimal(value, clause.kind);
    case 'f':
    case 'e': return floating(value, clause);
    default: return based(value, clause.kind);
  }
}

// After a '%'.
Result<Clause> take_clause(std::string_view& pattern) {
  Clause clause{'%', std::nullopt};
  if (pattern.starts_with('.')) {
    int precision = 0;
    const auto [end, error] = std::from_chars(pattern.data() + 1, pattern.data() + pattern.size(), precision);
    if (error != std::errc{} || precision < 0 || precision > kMaxPrecision) {
      return fail(fmt::format("a precision must be a number from 0 to {}", kMaxPrecision));
    }
    clause.precision = precision;
    pattern.remove_prefix(static_cast<std::size_t>(end - pattern.data()));
  }
  constexpr std::string_view kKinds = "sdfebxXo";
  if (pattern.empty()) return fail("'%' stands at the end", "write '%%' for a percent sign");
  if (kKinds.find(pattern[0]) == std::string_view::npos) {
    return fail(fmt::format("'%{}' is not known", pattern.substr(0, character_size(pattern))),
                "known: %s %d %f %e %b %o %x %X %%");
  }
  clause.kind = pattern[0];
  pattern.remove_prefix(1);
  return clause;
}

}  // namespace

Result<Value> format(Call call) {
  if (!call.are({Kind::kString, Kind::kList})) return call.mismatch();
  std::string_view pattern = call[0].as_text();
  call.budget.charge_bytes(pattern.size());
  std::string out;
  std::size_t next = 0;
  while (!pattern.empty()) {
    const std::size_t percent = std::min(pattern.find('%'), pattern.size());
    out += pattern.substr(0, percent);
    pattern.remove_prefix(percent);
    if (pattern.empty()) break;
    pattern.remove_prefix(1);
    if (pattern.starts_with('%')) {
      out += '%';
      pattern.remove_prefix(1);
      continue;
    }
    const auto clause = take_clause(pattern);
    if (!clause) return std::unexpected(clause.error());
    if (next >= call[1].size()) return fail(fmt::format("format() has no value for '%{}'", clause->kind));
    auto text = format_one(*clause, call[1].at(next++), call.budget);
    if (!text) return std::unexpected(std::move(text.error()));
    out += *text;
    if (out.size() > kMaxSize) return fail(kTextTooLarge);
    if (!call.budget.charge_bytes(text->size())) break;
  }
  return Value::string(std::move(out));
}

}  // namespace canorun::expr::functions
