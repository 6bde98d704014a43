#include "workflows/schema.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "engine/base/ids.h"
#include "workflows/read.h"
#include "workflows/schema_parts.h"

namespace canorun::workflows {
namespace {

using namespace schema;

std::string parameters_of(const model::TaskKind& kind) { return fmt::format("{}_parameters", kind.name); }
std::string state_of(const KeyInfo& shape) { return fmt::format("{}_state", shape.name); }
std::string action_of(const KeyInfo& shape) { return fmt::format("{}_action", shape.name); }
std::string undoable_action_of(const KeyInfo& shape) { return fmt::format("{}_undoable_action", shape.name); }
std::string compensation_of(const KeyInfo& shape) { return fmt::format("{}_compensation", shape.name); }
std::string end_action_of(const KeyInfo& shape) { return fmt::format("{}_end_action", shape.name); }

Json names() {
  const auto reserved = reserved_names();
  return matching(Json::object(), fmt::format("^(?!({})$){}$", fmt::join(reserved, "|"), kNamePattern),
                  fmt::format("{}; and none of {}", kNameForm, fmt::join(reserved, ", ")));
}

std::string_view json_type(model::InputType type) {
  switch (type) {
    case model::InputType::kString: return "string";
    case model::InputType::kInt: return "integer";
    case model::InputType::kDouble: return "number";
    case model::InputType::kBool: return "boolean";
    case model::InputType::kList: return "array";
    case model::InputType::kMap: return "object";
    case model::InputType::kAny: break;
  }
  return {};
}

Json refused(std::string message) { return {{"not", Json::object()}, {"errorMessage", std::move(message)}}; }

// What a key accepts, as a schema.
class Accepted {
 public:
  explicit Accepted(model::Catalog catalog) : catalog_(catalog) {}

  Json keys(const std::vector<KeyInfo>& table) const {
    Json schema{{"type", "object"}, {"properties", Json::object()}, {"additionalProperties", false}};
    for (const KeyInfo& key : table) {
      Json value = of(key.accepts);
      value["description"] = key.doc;
      schema["properties"][std::string(key.name)] = std::move(value);
      if (key.required) schema["required"].push_back(key.name);
    }
    return schema;
  }

  Json of(const Accept& accepts) const { return std::visit(*this, accepts); }

  Json operator()(accept::Text) const { return part(kText); }
  Json operator()(accept::StateName) const { return part(kText); }
  Json operator()(accept::ResourceName) const { return part(kText); }
  Json operator()(accept::TextTemplate) const { return part(kTextTemplate); }
  Json operator()(accept::Script) const { return part(kTextTemplate); }
  Json operator()(accept::FlowName) const {
    return written_like({{"type", {"string", "number", "boolean"}}}, kFlowNamePattern, std::string(kFlowNameForm));
  }
  Json operator()(accept::SignalName) const {
    return written_like({{"type", {"string", "number", "boolean"}}}, kSignalNamePattern, std::string(kSignalNameForm));
  }
  Json operator()(accept::ItemName) const {
    Json schema = names();
    schema["type"] = "string";
    return schema;
  }
  Json operator()(accept::Flag) const { return {{"type", "boolean"}}; }
  Json operator()(accept::Percentage type) const {
    Json schema{{"type", {"number", "string"}}, {"maximum", 100}};
    schema[type.none_too ? "minimum" : "exclusiveMinimum"] = 0;
    return written_like(std::move(schema), kPercentagePattern, "a percentage, like 75% or 33.33%");
  }
  Json operator()(accept::Duration type) const { return duration(type.least > Millis{0}); }
  Json operator()(accept::Integer type) const {
    Json schema{{"type", "integer"}, {"minimum", type.least}};
    if (type.most < std::numeric_limits<std::int64_t>::max()) schema["maximum"] = type.most;
    return schema;
  }
  Json operator()(accept::Number type) const {
    return {{"type", "number"}, {"minimum", type.least}, {"maximum", type.most}};
  }
  Json operator()(accept::Choice type) const { return {{"enum", type.words}}; }
  Json operator()(accept::ExitKind) const { return {{"enum", kExitWords}}; }
  Json operator()(accept::InputType) const { return {{"enum", model::kInputTypeNames}}; }
  Json operator()(accept::Expression) const { return part(kExpression); }
  Json operator()(accept::Value) const { return part(kValue); }
  Json operator()(accept::DurationTemplate) const { return or_template(duration(false), kDurationWanted); }
  Json operator()(accept::TimeTemplate) const {
    constexpr auto kWanted = "a time, like 2026-12-01T09:00:00+01:00";
    return or_template(written_like({{"type", "string"}}, kTimePattern, kWanted), kWanted);
  }
  Json operator()(accept::InputDefault) const { return part(kLiteral); }
  Json operator()(accept::InputEnum) const { return {{"type", "array"}, {"minItems", 1}, {"items", part(kLiteral)}}; }
  Json operator()(accept::Inputs) const { return map_of(names(), part("input")); }
  Json operator()(accept::Variables) const { return map_of(names(), part(kValue)); }
  Json operator()(accept::Settings) const { return map_of(part(kValue)); }
  Json operator()(accept::Environment) const { return map_of(environment_names(), part(kTextTemplate)); }
  Json operator()(accept::Defaults) const { return keys(defaults_keys()); }
  Json operator()(accept::Concurrency) const {
    Json schema = keys(concurrency_keys());
    schema["properties"]["group"]["minLength"] = 1;
    return schema;
  }
  Json operator()(accept::Resources) const { return keys(resources_keys()); }
  Json operator()(accept::Breakers) const { return map_of(names(), keys(breaker_keys())); }
  Json operator()(accept::RateLimits) const { return map_of(names(), rate_limit()); }
  Json operator()(accept::Services) const {
    Json schema = keys(service_keys());
    schema["minProperties"] = 1;
    for (Json& action : schema["properties"]) action = without_flows(std::move(action));
    return map_of(names(), std::move(schema));
  }
  Json operator()(accept::OnEnd) const { return {{"type", "array"}, {"items", without_flows(part("end_action"))}}; }
  Json operator()(accept::Tiers) const { return part("tiers"); }
  Json operator()(accept::Retry) const { return part("retry"); }
  Json operator()(accept::Rules type) const { return part(type.only_list ? "rules" : "next"); }
  Json operator()(accept::Timer) const {
    Json schema = keys(timer_keys());
    schema["minProperties"] = schema["maxProperties"] = 1;
    return schema;
  }
  Json operator()(accept::Split) const {
    Json schema = keys(split_keys());
    schema["if"] = {{"required", {"for_each"}}};
    const Json either = refused("a split has either 'branches' or 'for_each'");
    const Json for_lists = refused("it goes with 'for_each'");
    schema["then"] = {{"required", {"do"}}, {"properties", {{"branches", either}}}};
    schema["else"] = {{"required", {"branches"}}, {"properties", {{"as", for_lists}, {"do", for_lists}}}};
    return schema;
  }
  Json operator()(accept::Branches) const {
    Json schema = map_of(names(), part("undoable_action"));
    schema["minProperties"] = 1;
    return schema;
  }
  Json operator()(accept::Join) const {
    Json schema = keys(join_keys());
    schema["type"] = {"string", "object"};
    schema["minProperties"] = schema["maxProperties"] = 1;
    return matching(std::move(schema), fmt::format("^({})$", fmt::join(kJoinWords, "|")),
                    fmt::format("{}, or a map", fmt::join(kJoinWords, ", ")));
  }
  Json operator()(accept::Batch) const { return keys(batch_keys()); }
  Json operator()(accept::Poll) const {
    Json schema = keys(poll_keys());
    schema["oneOf"] = {{{"required", {"every"}}}, {{"required", {"backoff"}}}};
    return schema;
  }
  Json operator()(accept::Backoff) const { return keys(backoff_keys()); }
  Json operator()(accept::Stepped) const { return keys(stepped_keys()); }
  Json operator()(accept::Stream) const {
    Json schema = keys(stream_keys());
    schema["if"] = {{"properties", {{"source", {{"required", {"file"}}}}}}};
    schema["else"] = {{"required", {"cursor"}}};
    return schema;
  }
  Json operator()(accept::Source) const {
    return {
        {"if", {{"type", "object"}, {"required", {"file"}}}}, {"then", keys(file_keys())}, {"else", part("action")}};
  }
  Json operator()(accept::Window) const {
    Json schema = keys(window_keys());
    schema["minProperties"] = 1;
    return schema;
  }
  Json operator()(accept::ItemErrors) const {
    Json schema = keys(item_error_keys());
    schema["type"] = {"string", "object"};
    return matching(std::move(schema), fmt::format("^({})$", fmt::join(kItemErrorWords, "|")),
                    fmt::format("{}, or a map", fmt::join(kItemErrorWords, ", ")));
  }
  Json operator()(accept::Wait) const { return keys(wait_keys()); }
  Json operator()(accept::Action) const { return part("action"); }
  Json operator()(accept::UndoableAction) const { return part("undoable_action"); }
  Json operator()(accept::Compensation) const { return part("compensation"); }
  Json operator()(accept::TaskName) const {
    Json schema{{"enum", Json::array()}, {"enumDescriptions", Json::array()}};
    for (const model::TaskKind& kind : catalog_) {
      schema["enum"].push_back(kind.name);
      schema["enumDescriptions"].push_back(kind.doc);
    }
    return schema;
  }
  Json operator()(accept::Parameters) const { return {{"type", "object"}}; }
  Json operator()(accept::States) const {
    Json schema = map_of(names(), part("state"));
    schema["minProperties"] = 1;
    return schema;
  }

 private:
  // An action beside the states.
  Json without_flows(Json action) const {
    Json kinds = Json::array();
    for (const model::TaskKind& kind : catalog_) {
      if (kind.runs_flow) kinds.push_back(kind.name);
    }
    action["properties"]["task"] = {{"not", {{"enum", std::move(kinds)}}},
                                    {"errorMessage", "only states can run flows"}};
    return action;
  }

  Json rate_limit() const {
    Json schema = keys(rate_limit_keys());
    const Json either = refused("a rate limit is either a token bucket or a window");
    schema["if"] = {{"anyOf", {{{"required", {"limit"}}}, {{"required", {"window"}}}}}};
    schema["then"] = {{"required", {"limit", "window"}},
                      {"properties", {{"tokens", either}, {"per", either}, {"burst", either}}}};
    schema["else"] = {{"required", {"tokens", "per"}}};
    return schema;
  }

  model::Catalog catalog_;
};

// Values of a type are told apart by the keywords that only that type looks at: editors then say what
// is wrong, and not that no alternative fits.
Json retry_schema(const Accepted& accepted) {
  Json schema = accepted.keys(retry_keys());
  schema.update(schema["properties"]["max"]);
  schema.erase("description");
  schema["type"] = {"integer", "string", "object"};
  return matching(std::move(schema), "^none$", "a count, none, or a map");
}

Json tiers_schema(const Accepted& accepted) {
  Json tier{{"if", {{"type", "object"}}}, {"then", accepted.keys(tier_keys())}, {"else", part(kText)}};
  return {{"if", {{"type", "array"}}}, {"then", {{"minItems", 1}, {"items", tier}}}, {"else", tier}};
}

Json rules_schema(const Accepted& accepted) {
  return {{"type", "array"}, {"minItems", 1}, {"items", accepted.keys(rule_keys())}};
}

Json next_schema() { return {{"if", {{"type", "array"}}}, {"then", part("rules")}, {"else", part(kText)}}; }

// The default and the enum fit the type; a secret has neither.
Json input_schema(const Accepted& accepted) {
  Json schema = accepted.keys(input_keys());
  for (std::size_t i = 0; i < model::kInputTypeNames.size(); ++i) {
    const std::string_view type = json_type(static_cast<model::InputType>(i));
    if (type.empty()) continue;
    schema["allOf"].push_back(
        {{"if", {{"properties", {{"type", {{"const", model::kInputTypeNames[i]}}}}}, {"required", {"type"}}}},
         {"then", {{"properties", {{"default", {{"type", type}}}, {"enum", {{"items", {{"type", type}}}}}}}}}});
  }
  const Json in_file = refused("the file would hold the secret");
  schema["allOf"].push_back(
      {{"if", {{"properties", {{"secret", {{"const", true}}}}}, {"required", {"secret"}}}},
       {"then", {{"properties", {{"type", {{"const", "string"}}}, {"default", in_file}, {"enum", in_file}}}}}});
  return {{"if", {{"type", "object"}}}, {"then", std::move(schema)}, {"else", accepted.of(accept::InputType{})}};
}

Json when_one_of(std::string_view param, const std::vector<std::string_view>& values, Json then) {
  return {{"if", {{"properties", {{param, {{"enum", values}}}}}, {"required", {param}}}}, {"then", std::move(then)}};
}

// A parameter that goes only with some values of another. Where that one is wrong, it alone is.
void add_condition(Json& schema, const model::TaskKind& kind, const model::Param& param) {
  std::vector<std::string_view> others;
  for (const std::string_view value : model::find_param(kind, param.with.param)->one_of) {
    if (!param.with.holds(value)) others.push_back(value);
  }
  schema["allOf"].push_back(when_one_of(param.with.param, others, {{"properties", {{param.name, false}}}}));
  if (!param.required) return;
  const std::vector<std::string_view> values(param.with.values.begin(), param.with.values.end());
  schema["allOf"].push_back(when_one_of(param.with.param, values, {{"required", {param.name}}}));
}

Json parameters_schema(const model::TaskKind& kind) {
  Json schema{{"type", "object"}, {"properties", Json::object()}, {"additionalProperties", false}};
  for (const model::Param& param : kind.params) {
    schema["properties"][std::string(param.name)] = param_schema(param);
    if (!param.with.always()) {
      add_condition(schema, kind, param);
    } else if (param.required) {
      schema["required"].push_back(param.name);
    }
  }
  return schema;
}

Json shape_schema(const Accepted& accepted, const ShapeInfo& info, model::Catalog catalog) {
  std::vector<KeyInfo> keys{info.shape};
  keys.insert(keys.end(), info.beside.begin(), info.beside.end());
  Json schema = accepted.keys(keys);
  if (std::holds_alternative<accept::Script>(info.shape.accepts)) {
    for (const model::Param& param : run_params(catalog)) {
      if (param.beside_run) schema["properties"][std::string(param.name)] = param_schema(param);
    }
  }
  if (!std::holds_alternative<accept::TaskName>(info.shape.accepts)) return schema;
  for (const model::TaskKind& kind : catalog) {
    Json then{{"properties", {{"with", part(parameters_of(kind))}}}};
    if (std::ranges::any_of(kind.params, &model::Param::required)) then["required"] = {"with"};
    schema["allOf"].push_back({{"if", {{"properties", {{std::string(info.shape.name), {{"const", kind.name}}}}}}},
                               {"then", std::move(then)}});
  }
  return schema;
}

// The first shape that is there says which keys may stand beside it; where none is there, all shapes
// are offered. `needs`: for the message; `named`: the part for a shape.
Json shaped_schema(const Accepted& accepted, const std::vector<ShapeInfo>& shapes, std::string_view needs,
                   std::string (*named)(const KeyInfo&)) {
  std::vector<KeyInfo> offered;
  std::vector<std::string_view> words;
  for (const ShapeInfo& info : shapes) {
    offered.push_back(info.shape);
    words.push_back(info.shape.name);
  }
  Json schema{{"properties", accepted.keys(offered)["properties"]}};
  for (const std::string_view word : words) {
    schema["anyOf"].push_back(
        {{"required", {word}}, {"errorMessage", fmt::format("{} {}", needs, fmt::join(words, ", "))}});
  }
  for (auto info = shapes.rbegin(); info != shapes.rend(); ++info) {
    schema = {{"if", {{"type", "object"}, {"required", {info->shape.name}}}},
              {"then", part(named(info->shape))},
              {"else", std::move(schema)}};
  }
  schema["type"] = "object";
  return schema;
}

}  // namespace

Json flow_schema(model::Catalog catalog) {
  const Accepted accepted(catalog);
  Json schema = accepted.keys(flow_keys());
  schema["$schema"] = "https://json-schema.org/draft/2020-12/schema";
  schema["$id"] = "urn:canorun:flow";
  schema["title"] = "canorun flow";
  Json& parts = schema["$defs"] = part_definitions();
  parts["input"] = input_schema(accepted);
  parts["retry"] = retry_schema(accepted);
  parts["tiers"] = tiers_schema(accepted);
  parts["rules"] = rules_schema(accepted);
  parts["next"] = next_schema();
  for (const model::TaskKind& kind : catalog) parts[parameters_of(kind)] = parameters_schema(kind);
  const auto shapes = shape_keys();
  for (const ShapeInfo& info : shapes) parts[state_of(info.shape)] = shape_schema(accepted, info, catalog);
  parts["state"] = shaped_schema(accepted, shapes, "a state needs one of", state_of);
  const auto add_actions = [&](std::string_view name, const auto& actions, std::string (*named)(const KeyInfo&)) {
    for (const ShapeInfo& info : actions) parts[named(info.shape)] = shape_schema(accepted, info, catalog);
    parts[std::string(name)] = shaped_schema(accepted, actions, "an action needs one of", named);
  };
  add_actions("action", action_keys(), action_of);
  add_actions("undoable_action", undoable_action_keys(), undoable_action_of);
  add_actions("compensation", compensation_keys(), compensation_of);
  add_actions("end_action", end_action_keys(), end_action_of);
  return schema;
}

}  // namespace canorun::workflows
