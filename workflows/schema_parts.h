// Pieces that the schemas of keys and of parameters are made of.
#pragma once

#include <string>
#include <string_view>

#include "engine/base/value.h"

namespace canorun::workflows::schema {

/// Parts with a name, defined once: a text (a scalar without templates), one with templates, a value of
/// any type with templates in its texts, one without, an expression.
inline constexpr std::string_view kText = "text";
inline constexpr std::string_view kTextTemplate = "text_template";
inline constexpr std::string_view kValue = "value";
inline constexpr std::string_view kLiteral = "literal";
inline constexpr std::string_view kExpression = "expression";

inline Json part(std::string_view name) { return {{"$ref", "#/$defs/" + std::string(name)}}; }

/// Adds what a text must match to a schema, and what to say otherwise. Values of other types are let pass.
Json matching(Json schema, std::string pattern, std::string message);
/// `wanted` (`a size`, `an int`) that the whole text must match, or a number where the schema takes one.
Json written_like(Json schema, std::string_view pattern, std::string wanted);
/// A text without a template; values of other types are let pass.
Json without_template(Json schema, std::string message);
/// Lets a text with a template in it stand for a value of the schema, which has a type.
Json or_template(Json schema, std::string_view wanted);

Json map_of(Json values);
Json map_of(Json names, Json values);
Json environment_names();

inline constexpr std::string_view kDurationWanted = "a duration, like 250ms, 30s or 1m30s";
Json duration(bool above_zero);

/// The definitions of the parts above.
Json part_definitions();

}  // namespace canorun::workflows::schema
