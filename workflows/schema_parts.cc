#include "workflows/schema_parts.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/base/duration.h"

namespace canorun::workflows::schema {
namespace {

// As expr::has_template: a `${{` that no `$` stands before.
constexpr std::string_view kTemplate = R"((^|[^$])\$\{\{)";
constexpr std::string_view kNoTemplate = R"(^(?!([\s\S]*[^$])?\$\{\{))";

const Json kScalarTypes = {"string", "number", "boolean"};

}  // namespace

Json matching(Json schema, std::string pattern, std::string message) {
  schema["pattern"] = std::move(pattern);
  schema["patternErrorMessage"] = std::move(message);
  return schema;
}

Json written_like(Json schema, std::string_view pattern, std::string wanted) {
  return matching(std::move(schema), fmt::format("^({})$", pattern), std::move(wanted));
}

Json without_template(Json schema, std::string message) {
  return matching(std::move(schema), std::string(kNoTemplate), std::move(message));
}

Json or_template(Json schema, std::string_view wanted) {
  Json& type = schema["type"];
  if (!type.is_array()) type = Json::array({type});
  if (std::ranges::find(type, Json("string")) == type.end()) type.push_back("string");
  const std::string pattern = schema.contains("pattern") ? schema["pattern"].get<std::string>() + "|" : "";
  return matching(std::move(schema), pattern + std::string(kTemplate),
                  fmt::format("{}, or a template that gives one", wanted));
}

Json map_of(Json values) { return {{"type", "object"}, {"additionalProperties", std::move(values)}}; }

Json map_of(Json names, Json values) {
  return {{"type", "object"}, {"propertyNames", std::move(names)}, {"additionalProperties", std::move(values)}};
}

Json environment_names() { return matching(Json::object(), R"(^[^=\u0000]+$)", "the name of an environment variable"); }

Json duration(bool above_zero) {
  return written_like({{"type", "string"}}, duration_pattern(above_zero), std::string(kDurationWanted));
}

Json part_definitions() {
  constexpr auto kTooEarly = "no template may stand here: this must be known before the flow runs";
  return {
      {kText, without_template({{"type", kScalarTypes}}, kTooEarly)},
      {kTextTemplate, {{"type", kScalarTypes}}},
      {kValue,
       {{"items", part(kValue)},
        {"additionalProperties", part(kValue)},
        {"propertyNames", without_template(Json::object(), "no template may stand in a key, only in values")}}},
      {kLiteral, without_template({{"items", part(kLiteral)}, {"additionalProperties", part(kLiteral)}}, kTooEarly)},
      // One whole `${{ }}` is taken, too.
      {kExpression,
       matching({{"type", {"string", "boolean"}}}, fmt::format(R"({}|^\s*\$\{{\{{[\s\S]*\}}\}}\s*$)", kNoTemplate),
                "an expression, without ${{ }}")},
  };
}

}  // namespace canorun::workflows::schema
