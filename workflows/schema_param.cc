#include <fmt/format.h>
#include <fmt/ranges.h>

#include "engine/base/duration.h"
#include "workflows/schema.h"
#include "workflows/schema_parts.h"

namespace canorun::workflows {
namespace {

using namespace schema;

constexpr std::string_view kStatusPattern = "[1-5][0-9]{2}(-[1-5][0-9]{2})?";
constexpr auto kStatusWanted = "an HTTP status or a range, like 200-299";
constexpr auto kSizeWanted = "a size, like 64KiB or 1MiB";

Json list_of(Json element) { return {{"type", "array"}, {"minItems", 1}, {"items", std::move(element)}}; }

class ParamSchema {
 public:
  explicit ParamSchema(const model::Param& param) : param_(param) {}

  Json make() const {
    const std::string_view name = model::param_type_name(param_.type);
    switch (param_.type) {
      case model::ParamType::kString: return param_.one_of.empty() ? text() : words();
      case model::ParamType::kInt: return templated({{"type", "integer"}}, name);
      case model::ParamType::kBool: return templated({{"type", "boolean"}}, name);
      case model::ParamType::kAny: return any();
      case model::ParamType::kMap: return templated(map_of(any()), name);
      case model::ParamType::kStringMap: return templated(map_of(text()), name);
      case model::ParamType::kEnvironment: return templated(map_of(environment_names(), text()), name);
      case model::ParamType::kStringList: return templated(list_of(text()), name);
      case model::ParamType::kIntList: return templated(list_of(templated({{"type", "integer"}}, "an int")), name);
      case model::ParamType::kStatusList: return templated(list_of(templated(status(), kStatusWanted)), name);
      case model::ParamType::kSize: return templated(size(), kSizeWanted);
      case model::ParamType::kDuration: return templated(duration(false), kDurationWanted);
    }
    return {};
  }

 private:
  Json text() const { return part(param_.literal ? kText : kTextTemplate); }
  Json any() const { return part(param_.literal ? kLiteral : kValue); }

  Json words() const {
    const Json words{{"enum", param_.one_of}};
    if (param_.literal) return words;
    return {{"anyOf",
             {words, or_template({{"type", "string"}}, fmt::format("one of {}", fmt::join(param_.one_of, ", ")))}}};
  }

  static Json status() {
    return written_like({{"type", {"integer", "string"}}, {"minimum", 100}, {"maximum", 599}}, kStatusPattern,
                        kStatusWanted);
  }
  static Json size() {
    return written_like({{"type", {"integer", "string"}}, {"minimum", 0}}, size_pattern(), kSizeWanted);
  }

  Json templated(Json schema, std::string_view wanted) const {
    return param_.literal ? schema : or_template(std::move(schema), wanted);
  }

  const model::Param& param_;
};

}  // namespace

Json param_schema(const model::Param& param) {
  Json schema = ParamSchema(param).make();
  schema["description"] = param.doc;
  return schema;
}

}  // namespace canorun::workflows
