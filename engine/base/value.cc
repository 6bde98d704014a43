#include "engine/base/value.h"

#include <fmt/format.h>

#include <cstdint>
#include <limits>
#include <vector>

#include "engine/base/blanks.h"

namespace canorun {
namespace {

// The length of the well-formed UTF-8 sequence at the front of `text`, or 0 (Unicode 15, table 3-7).
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto tail = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xBF) {
    return i < text.size() && byte(i) >= low && byte(i) <= high;
  };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return tail(1) ? 2 : 0;
  if (first == 0xE0) return tail(1, 0xA0) && tail(2) ? 3 : 0;
  if (first == 0xED) return tail(1, 0x80, 0x9F) && tail(2) ? 3 : 0;
  if (first >= 0xE1 && first <= 0xEF) return tail(1) && tail(2) ? 3 : 0;
  if (first == 0xF0) return tail(1, 0x90) && tail(2) && tail(3) ? 4 : 0;
  if (first >= 0xF1 && first <= 0xF3) return tail(1) && tail(2) && tail(3) ? 4 : 0;
  if (first == 0xF4) return tail(1, 0x80, 0x8F) && tail(2) && tail(3) ? 4 : 0;
  return 0;
}

std::size_t well_formed_prefix(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t length = sequence_length(text.substr(at));
    if (length == 0) break;
    at += length;
  }
  return at;
}

// Nesting of JSON text before it is parsed: the parser recurses when it frees a deep value.
std::size_t text_depth(std::string_view text) {
  std::size_t depth = 0;
  std::size_t deepest = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') ++i;
      if (c == '"') quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '[' || c == '{') {
      deepest = std::max(deepest, ++depth);
    } else if ((c == ']' || c == '}') && depth > 0) {
      --depth;
    }
  }
  return deepest;
}

}  // namespace

bool is_utf8(std::string_view text) { return well_formed_prefix(text) == text.size(); }

std::string to_utf8(std::string_view text) {
  std::size_t good = well_formed_prefix(text);
  if (good == text.size()) return std::string(text);
  std::string out;
  out.reserve(text.size() + 16);
  while (!text.empty()) {
    out.append(text.substr(0, good));
    text.remove_prefix(good);
    if (text.empty()) break;
    out.append("\xEF\xBF\xBD");
    text.remove_prefix(1);
    good = well_formed_prefix(text);
  }
  return out;
}

std::string beginning(std::string_view text, std::size_t most) {
  if (text.size() <= most) return to_utf8(text);
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0) == 0x80) --most;
  return to_utf8(text.substr(0, most)) + "…";
}

Result<Json> parse_json(std::string_view text, std::size_t max_depth) {
  if (text_depth(text) > max_depth) {
    return fail(fmt::format("JSON is nested deeper than {} levels", max_depth));
  }
  Json value;
  try {
    value = Json::parse(to_utf8(text));
  } catch (const Json::parse_error& error) {
    return fail(trimmed(text).empty() ? std::string("empty text is not JSON")
                                      : fmt::format("not JSON: syntax error at byte {}", error.byte));
  } catch (const Json::exception&) {
    return fail("not JSON: a number is out of range");
  }
  normalize(value);
  return value;
}

std::string to_json_text(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

std::string to_text(const Json& value) {
  if (const auto* text = value.get_ptr<const Json::string_t*>()) return *text;
  return to_json_text(value);
}

std::string_view type_name(const Json& value) {
  switch (value.type()) {
    case Json::value_t::null:
    case Json::value_t::discarded: return "null";
    case Json::value_t::boolean: return "bool";
    case Json::value_t::number_integer:
    case Json::value_t::number_unsigned: return "int";
    case Json::value_t::number_float: return "double";
    case Json::value_t::string:
    case Json::value_t::binary: return "string";
    case Json::value_t::array: return "list";
    case Json::value_t::object: return "map";
  }
  return "null";
}

void normalize(Json& value) {
  if (value.is_number_unsigned()) {
    const auto number = value.get<std::uint64_t>();
    if (number <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
      value = static_cast<std::int64_t>(number);
    }
  } else if (value.is_structured()) {
    for (auto& element : value) normalize(element);
  }
}

std::size_t depth(const Json& value) {
  std::size_t deepest = 0;
  std::vector<std::pair<const Json*, std::size_t>> open{{&value, 0}};
  while (!open.empty()) {
    const auto [node, level] = open.back();
    open.pop_back();
    if (!node->is_structured()) continue;
    deepest = std::max(deepest, level + 1);
    for (const auto& element : *node) open.emplace_back(&element, level + 1);
  }
  return deepest;
}

}  // namespace canorun
