// What an unquoted scalar means: YAML 1.2, core schema (https://yaml.org/spec/1.2.2/#103-core-schema).
#pragma once

#include <optional>
#include <string_view>

#include "engine/base/value.h"

namespace canorun::workflows {

/// Null, a bool, a number, or nothing when the text is a string. `yes`, `on` and `012:30` are strings.
/// Integers above 64 bits become doubles.
std::optional<Json> resolve_plain(std::string_view text);

/// `.inf`, `-.inf`, `.nan` and their spellings: numbers in YAML that no value can hold.
bool is_not_finite(std::string_view text);

}  // namespace canorun::workflows
