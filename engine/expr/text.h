// Characters and encodings of text: UTF-8, base64, numbers.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace canorun::expr {

/// How many bytes the character at the front of `text` takes. `text` is UTF-8 and not empty.
std::size_t character_size(std::string_view text);

/// The byte at which character `index` begins; `text.size()` for the end, nothing past it.
std::optional<std::size_t> character_offset(std::string_view text, std::size_t index);

/// Appends a code point, which must be one that UTF-8 can hold.
void append_utf8(std::string& out, char32_t code_point);

/// RFC 4648, with padding.
std::string encode_base64(std::string_view octets);
/// Padding may be left out.
std::optional<std::string> decode_base64(std::string_view text);

/// The shortest text that reads back as the same number: `1.5`, `1e+100`, `NaN`, `-Infinity`. With an
/// exponent below 1e-4 and from 1e6 on, as the reference implementation (Go's %g) has it.
std::string format_double(double number);
/// The same, never with an exponent.
std::string format_double_plain(double number);

/// All of `text` as a double. What is too small is 0; nothing when it is no number, or too large.
std::optional<double> parse_double(std::string_view text);

}  // namespace canorun::expr
