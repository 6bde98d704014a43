// Strings: places in them are counted in characters, not bytes.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "engine/base/source.h"
#include "engine/expr/functions.h"
#include "engine/expr/text.h"

namespace canorun::expr::functions {
namespace {

constexpr std::size_t kNowhere = std::string_view::npos;

// memmem is linear whatever the texts; std::string_view::find is not.
std::size_t find(std::string_view text, std::string_view wanted, std::size_t from = 0) {
  if (wanted.empty()) return from;
  const void* found = ::memmem(text.data() + from, text.size() - from, wanted.data(), wanted.size());
  return found == nullptr ? kNowhere : static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
}

std::unexpected<Error> out_of_range(std::int64_t index) {
  return fail(fmt::format("position {} is outside of the text", index));
}

// The last place, at most at `from`. Backwards and with memmem: rfind may look at all of `wanted` at every place.
std::size_t find_last(std::string_view text, std::string_view wanted, std::size_t from) {
  text = text.substr(0, std::min(text.size(), from + std::min(wanted.size(), text.size())));
  const std::size_t found = find(std::string(text.rbegin(), text.rend()), std::string(wanted.rbegin(), wanted.rend()));
  return found == kNowhere ? kNowhere : text.size() - wanted.size() - found;
}

// The byte at which a character begins; the end of the text is a position too.
Result<std::size_t> offset_of(std::string_view text, std::int64_t index) {
  if (index < 0) return out_of_range(index);
  const auto offset = character_offset(text, static_cast<std::size_t>(index));
  if (!offset) return out_of_range(index);
  return *offset;
}

Value position(std::string_view text, std::size_t offset) {
  return Value::integer(offset == kNowhere ? -1 : std::int64_t{count_characters(text.substr(0, offset))});
}

Result<Value> text_of(std::string text) {
  if (text.size() > kMaxSize) return fail(kTextTooLarge);
  return Value::string(std::move(text));
}

// Two texts, and for some functions a number after them.
bool are_texts(Call call, bool number_allowed = false) {
  call.budget.charge_bytes(call[0].is(Kind::kString) ? call[0].as_text().size() : 0);
  if (call.are({Kind::kString, Kind::kString})) return true;
  return number_allowed && call.are({Kind::kString, Kind::kString, Kind::kInt});
}

Result<Value> change_case(Call call, char from, char to) {
  if (!call.are({Kind::kString})) return call.mismatch();
  std::string text(call[0].as_text());
  call.budget.charge_bytes(text.size());
  for (char& c : text) {
    if (c >= from && c <= from + 25) c = static_cast<char>(c - from + to);
  }
  return Value::string(std::move(text));
}

// Unicode's White_Space.
constexpr std::string_view kBlanks[] = {" ",      "\t",     "\n",     "\v",     "\f",     "\r",     "\u0085",
                                        "\u00A0", "\u1680", "\u2000", "\u2001", "\u2002", "\u2003", "\u2004",
                                        "\u2005", "\u2006", "\u2007", "\u2008", "\u2009", "\u200A", "\u2028",
                                        "\u2029", "\u202F", "\u205F", "\u3000"};

}  // namespace

Result<Value> contains(Call call) {
  if (!are_texts(call)) return call.mismatch();
  return Value::boolean(find(call[0].as_text(), call[1].as_text()) != kNowhere);
}

Result<Value> starts_with(Call call) {
  if (!are_texts(call)) return call.mismatch();
  return Value::boolean(call[0].as_text().starts_with(call[1].as_text()));
}

Result<Value> ends_with(Call call) {
  if (!are_texts(call)) return call.mismatch();
  return Value::boolean(call[0].as_text().ends_with(call[1].as_text()));
}

Result<Value> char_at(Call call) {
  if (!call.are({Kind::kString, Kind::kInt})) return call.mismatch();
  const std::string_view text = call[0].as_text();
  call.budget.charge_bytes(text.size());
  const auto offset = offset_of(text, call[1].as_int());
  if (!offset) return std::unexpected(offset.error());
  const std::string_view rest = text.substr(*offset);
  return Value::string(std::string(rest.empty() ? rest : rest.substr(0, character_size(rest))));
}

Result<Value> index_of(Call call) {
  if (!are_texts(call, true)) return call.mismatch();
  const std::string_view text = call[0].as_text();
  const auto from = offset_of(text, call.size() == 3 ? call[2].as_int() : 0);
  if (!from) return std::unexpected(from.error());
  return position(text, find(text, call[1].as_text(), *from));
}

Result<Value> last_index_of(Call call) {
  if (!are_texts(call, true)) return call.mismatch();
  const std::string_view text = call[0].as_text();
  const std::string_view wanted = call[1].as_text();
  std::size_t from = text.size();
  if (call.size() == 3) {
    const auto offset = offset_of(text, call[2].as_int());
    if (!offset) return std::unexpected(offset.error());
    from = *offset;
  }
  return position(text, find_last(text, wanted, from));
}

Result<Value> join(Call call) {
  const bool separated = call.are({Kind::kList, Kind::kString});
  if (!separated && !call.are({Kind::kList})) return call.mismatch();
  const std::string_view separator = separated ? call[1].as_text() : "";
  std::string joined;
  for (std::size_t i = 0; i < call[0].size(); ++i) {
    const Value element = call[0].at(i);
    if (!element.is(Kind::kString)) return fail(fmt::format("join() joins strings, not {}", type_name(element)));
    if (i > 0) joined += separator;
    joined += element.as_text();
    if (joined.size() > kMaxSize || !call.budget.charge_bytes(element.as_text().size() + separator.size())) break;
  }
  return text_of(std::move(joined));
}

Result<Value> lower_ascii(Call call) { return change_case(call, 'A', 'a'); }

Result<Value> upper_ascii(Call call) { return change_case(call, 'a', 'A'); }

Result<Value> replace(Call call) {
  const bool limited = call.are({Kind::kString, Kind::kString, Kind::kString, Kind::kInt});
  if (!limited && !call.are({Kind::kString, Kind::kString, Kind::kString})) return call.mismatch();
  const std::string_view text = call[0].as_text();
  const std::string_view wanted = call[1].as_text();
  std::int64_t left = limited && call[3].as_int() >= 0 ? call[3].as_int() : std::numeric_limits<std::int64_t>::max();
  std::string replaced;
  std::size_t at = 0;
  for (; left > 0; --left) {
    const std::size_t found = find(text, wanted, at);
    if (found == kNowhere || replaced.size() > kMaxSize || !call.budget.charge_bytes(call[2].as_text().size())) break;
    replaced.append(text.substr(at, found - at)).append(call[2].as_text());
    at = found + wanted.size();
    if (!wanted.empty()) continue;
    // An empty text stands before every character and at the end.
    if (at == text.size()) break;
    const std::size_t size = character_size(text.substr(at));
    replaced.append(text.substr(at, size));
    at += size;
  }
  call.budget.charge_bytes(text.size());
  return text_of(std::move(replaced.append(text.substr(at))));
}

Result<Value> reverse(Call call) {
  if (!call.are({Kind::kString})) return call.mismatch();
  std::string_view text = call[0].as_text();
  call.budget.charge_bytes(text.size());
  std::string reversed(text.size(), '\0');
  for (std::size_t end = text.size(); !text.empty();) {
    const std::size_t size = character_size(text);
    end -= size;
    text.copy(reversed.data() + end, size);
    text.remove_prefix(size);
  }
  return Value::string(std::move(reversed));
}

Result<Value> split(Call call) {
  constexpr std::uint64_t kStepsPerPart = 8;  // each is a value of its own, of some 100 bytes
  if (!are_texts(call, true)) return call.mismatch();
  std::string_view text = call[0].as_text();
  const std::string_view separator = call[1].as_text();
  std::vector<Value> parts;
  const std::int64_t limit = call.size() == 3 ? call[2].as_int() : -1;
  if (limit == 0) return Value::list({});
  while (limit < 0 || static_cast<std::int64_t>(parts.size()) < limit - 1) {
    // Without a separator every character is a part of its own.
    const std::size_t cut = !separator.empty() ? find(text, separator) : text.empty() ? kNowhere : character_size(text);
    if (cut == kNowhere || (separator.empty() && cut == text.size()) || !call.budget.charge(kStepsPerPart)) break;
    parts.push_back(Value::string(std::string(text.substr(0, cut))));
    text.remove_prefix(cut + separator.size());
  }
  if (!separator.empty() || !text.empty()) parts.push_back(Value::string(std::string(text)));
  return Value::list(std::move(parts));
}

Result<Value> substring(Call call) {
  const bool ended = call.are({Kind::kString, Kind::kInt, Kind::kInt});
  if (!ended && !call.are({Kind::kString, Kind::kInt})) return call.mismatch();
  const std::string_view text = call[0].as_text();
  call.budget.charge_bytes(text.size());
  const auto begin = offset_of(text, call[1].as_int());
  if (!begin) return std::unexpected(begin.error());
  const auto end = ended ? offset_of(text, call[2].as_int()) : Result<std::size_t>(text.size());
  if (!end) return std::unexpected(end.error());
  if (*end < *begin) return fail("the end of substring() is before its begin");
  return Value::string(std::string(text.substr(*begin, *end - *begin)));
}

Result<Value> trim(Call call) {
  if (!call.are({Kind::kString})) return call.mismatch();
  std::string_view text = call[0].as_text();
  call.budget.charge_bytes(text.size() * std::size(kBlanks) / 4);
  const auto begins = [&](std::string_view blank) { return text.starts_with(blank); };
  const auto ends = [&](std::string_view blank) { return text.ends_with(blank); };
  const auto end = std::end(kBlanks);
  for (auto it = end; (it = std::find_if(std::begin(kBlanks), end, begins)) != end;) text.remove_prefix(it->size());
  for (auto it = end; (it = std::find_if(std::begin(kBlanks), end, ends)) != end;) text.remove_suffix(it->size());
  return Value::string(std::string(text));
}

Result<Value> quote(Call call) {
  if (!call.are({Kind::kString})) return call.mismatch();
  constexpr std::string_view kSpecial = "\a\b\f\n\r\t\v\\\"";
  constexpr std::string_view kNames = "abfnrtv\\\"";
  call.budget.charge_bytes(call[0].as_text().size());
  std::string quoted = "\"";
  for (const char c : call[0].as_text()) {
    const std::size_t special = kSpecial.find(c);
    if (special != kNowhere) quoted += '\\';
    quoted += special == kNowhere ? c : kNames[special];
    if (quoted.size() > kMaxSize) break;
  }
  return text_of(quoted + "\"");
}

}  // namespace canorun::expr::functions
