// JSON values: what variables, outputs and inputs hold.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "engine/base/result.h"

namespace canorun {

/// The project's value: objects are sorted by key. Integers that fit are always signed
/// (`number_integer`); `number_unsigned` appears only above the range of int64.
using Json = nlohmann::json;

/// Nesting that JSON from outside may have (semantics.md, "Commands").
inline constexpr std::size_t kMaxJsonDepth = 512;

/// Parses one JSON document. Bytes that are not UTF-8 become U+FFFD; nesting above `max_depth`
/// and text after the document are errors. The message names the byte offset.
Result<Json> parse_json(std::string_view text, std::size_t max_depth = kMaxJsonDepth);

/// One line of JSON; never throws, whatever bytes the strings hold.
std::string to_json_text(const Json& value);

/// The text a value takes inside a larger string: strings as they are, the rest as JSON.
std::string to_text(const Json& value);

/// `text` with every byte that is not part of well-formed UTF-8 replaced by U+FFFD.
std::string to_utf8(std::string_view text);

/// The first `most` bytes of a text, as UTF-8, for messages. What is longer is cut between characters and ends in `…`:
/// a secret that was cut with it is known by that (see masker.h).
std::string beginning(std::string_view text, std::size_t most);

/// True when all of `text` is well-formed UTF-8.
bool is_utf8(std::string_view text);

/// The language's name of the value's type: null bool int double string list map.
std::string_view type_name(const Json& value);

/// Gives integers that fit into int64 that type, all the way down: JSON parsers read `3` as unsigned.
void normalize(Json& value);

/// How deep lists and maps nest: a scalar is 0. Does not recurse.
std::size_t depth(const Json& value);

}  // namespace canorun
