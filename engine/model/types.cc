#include "engine/model/types.h"

#include <fmt/format.h>

#include <memory>

#include "engine/expr/record.h"

namespace canorun::model {
namespace {

using expr::Record;
using expr::Type;
using expr::TypeKind;

std::shared_ptr<Record> run_record() {
  auto run = record("'run'", RecordTag::kRun);
  run->add("id", Type::string());
  run->add("flow", Type::string());
  run->add("version", Type::integer());
  run->add("started_at", Type::string());
  return run;
}

}  // namespace

std::shared_ptr<Record> record(std::string what, RecordTag tag) {
  return std::make_shared<Record>(std::move(what), static_cast<int>(tag));
}

Type type_of(InputType type) {
  switch (type) {
    case InputType::kString: return Type::string();
    case InputType::kInt: return Type::integer();
    case InputType::kDouble: return Type::floating();
    case InputType::kBool: return Type::boolean();
    case InputType::kList: return Type::list();
    case InputType::kMap: return Type::map();
    case InputType::kAny: return Type::dyn();
  }
  return Type::dyn();
}

Type type_of(FieldType type) {
  switch (type) {
    case FieldType::kAny: return Type::dyn();
    case FieldType::kBool: return Type::boolean();
    case FieldType::kInt: return Type::integer();
    case FieldType::kString: return Type::string();
    case FieldType::kMap: return Type::map();
    case FieldType::kStringMap: return Type::map(Type::string(), Type::string());
    case FieldType::kStringList: return Type::list(Type::string());
  }
  return Type::dyn();
}

Type type_of(const Json& value) { return Type::of(expr::Value::view(value).kind()); }

InputType input_type_of(const Type& type) {
  switch (json_kinds(type)) {
    case json::kBool: return InputType::kBool;
    case json::kInt: return InputType::kInt;
    case json::kDouble: return InputType::kDouble;
    case json::kString: return InputType::kString;
    case json::kList: return InputType::kList;
    case json::kMap: return InputType::kMap;
    default: return InputType::kAny;
  }
}

const Type& run_type() {
  static const Type type = Type::record(run_record());
  return type;
}

const Type& ended_run_type() {
  static const Type type = [] {
    auto run = run_record();
    run->add("status", Type::string());
    run->add("error", error_type());
    return Type::record(std::move(run));
  }();
  return type;
}

const Type& action_type() {
  static const Type type = [] {
    auto action = record("'action'", RecordTag::kAction);
    action->add("idempotency_key", Type::string());
    action->add("visit", Type::integer());
    action->add("attempt", Type::integer());
    return Type::record(std::move(action));
  }();
  return type;
}

const Type& error_type() {
  static const Type type = [] {
    auto error = record("an error", RecordTag::kError);
    error->add("kind", Type::string());
    error->add("message", Type::string());
    error->add("state", Type::string());
    error->add("attempts", Type::integer());
    error->add("exit_code", Type::integer(), true);
    error->add("run", Type::string(), true);
    return Type::record(std::move(error));
  }();
  return type;
}

Type output_type(const TaskKind& kind, const std::function<bool(const Field&)>& has) {
  if (kind.any_output) return Type::dyn();
  auto output = record(fmt::format("the output of '{}'", kind.name), RecordTag::kOutput);
  for (const Field& field : kind.outputs) {
    if (field.with.always() || has(field)) output->add(std::string(field.name), type_of(field.type));
  }
  return Type::record(std::move(output));
}

Type timer_output_type() {
  static const Type type = Type::record(record("the output of a timer", RecordTag::kOutput));
  return type;
}

Type ended_type(std::string what, const Type& output) {
  auto ended = record(std::move(what), RecordTag::kOutput);
  ended->add("status", Type::string());
  ended->add("output", output);
  ended->add("error", error_type());
  return Type::record(std::move(ended));
}

Type split_output_type(const Type& branches) {
  auto output = record("the output of a split", RecordTag::kOutput);
  output->add("branches", branches);
  output->add("succeeded", Type::integer());
  output->add("failed", Type::integer());
  output->add("cancelled", Type::integer());
  return Type::record(std::move(output));
}

Type batch_output_type(const Type& item) {
  auto output = record("the output of a batch", RecordTag::kOutput);
  output->add("items", Type::list(item));
  output->add("succeeded", Type::integer());
  output->add("failed", Type::integer());
  return Type::record(std::move(output));
}

Type poll_output_type(const Type& ask) {
  if (!ask.is(TypeKind::kRecord)) return Type::dyn();
  auto output = record(ask.record()->what(), RecordTag::kOutput);
  for (const std::string_view name : ask.record()->names()) {
    const expr::RecordField& field = *ask.record()->find(name);
    output->add(std::string(name), field.type, field.optional);
  }
  output->add("polls", Type::integer());
  return Type::record(std::move(output));
}

Type stepped_output_type(const Type& step) {
  auto output = record("the output of 'stepped'", RecordTag::kOutput);
  output->add("steps", Type::integer());
  output->add("last", step);
  return Type::record(std::move(output));
}

Type stream_output_type() {
  static const Type type = [] {
    auto output = record("the output of a stream", RecordTag::kOutput);
    output->add("items", Type::integer());
    output->add("windows", Type::integer());
    output->add("cursor", Type::dyn());
    output->add("reason", Type::string());
    return Type::record(std::move(output));
  }();
  return type;
}

JsonKinds json_kind(const Json& value) {
  switch (value.type()) {
    case Json::value_t::null:
    case Json::value_t::discarded: return json::kNull;
    case Json::value_t::boolean: return json::kBool;
    case Json::value_t::number_integer:
    case Json::value_t::number_unsigned: return json::kInt;
    case Json::value_t::number_float: return json::kDouble;
    case Json::value_t::string:
    case Json::value_t::binary: return json::kString;
    case Json::value_t::array: return json::kList;
    case Json::value_t::object: return json::kMap;
  }
  return json::kNull;
}

JsonKinds json_kinds(const Type& type) {
  switch (type.kind()) {
    case TypeKind::kNull: return json::kNull;
    case TypeKind::kBool: return json::kBool;
    case TypeKind::kInt:
    case TypeKind::kUint: return json::kInt;
    case TypeKind::kDouble: return json::kDouble;
    case TypeKind::kString:
    case TypeKind::kBytes:
    case TypeKind::kTimestamp:
    case TypeKind::kDuration:
    case TypeKind::kType: return json::kString;
    case TypeKind::kList: return json::kList;
    case TypeKind::kMap: return json::kMap;
    case TypeKind::kRecord: return json::kMap | json::kNull;  // results of states may not be there
    case TypeKind::kDyn:
    case TypeKind::kOptional:
    case TypeKind::kAbstract:
    case TypeKind::kVariable: return json::kAny;
  }
  return json::kAny;
}

JsonKinds json_kinds(InputType type) {
  switch (type) {
    case InputType::kString: return json::kString;
    case InputType::kInt: return json::kInt;
    case InputType::kDouble: return json::kInt | json::kDouble;
    case InputType::kBool: return json::kBool;
    case InputType::kList: return json::kList;
    case InputType::kMap: return json::kMap;
    case InputType::kAny: return json::kAny;
  }
  return json::kAny;
}

JsonKinds json_kinds(ParamType type) {
  switch (type) {
    case ParamType::kString: return json::kScalar;
    case ParamType::kSize: return json::kInt | json::kString;
    case ParamType::kDuration: return json::kString;
    case ParamType::kInt: return json::kInt | json::kDouble;
    case ParamType::kBool: return json::kBool;
    case ParamType::kAny: return json::kAny;
    case ParamType::kMap:
    case ParamType::kStringMap:
    case ParamType::kEnvironment: return json::kMap;
    case ParamType::kStringList:
    case ParamType::kIntList:
    case ParamType::kStatusList: return json::kList;
  }
  return json::kAny;
}

JsonKinds element_kinds(ParamType type) {
  switch (type) {
    case ParamType::kStringMap:
    case ParamType::kEnvironment:
    case ParamType::kStringList: return json::kScalar;
    case ParamType::kIntList: return json::kInt;
    case ParamType::kStatusList: return json::kInt | json::kString;
    case ParamType::kString:
    case ParamType::kInt:
    case ParamType::kBool:
    case ParamType::kAny:
    case ParamType::kMap:
    case ParamType::kSize:
    case ParamType::kDuration: return json::kAny;
  }
  return json::kAny;
}

std::string described(const Type& type) {
  switch (type.kind()) {
    case TypeKind::kNull: return "null";
    case TypeKind::kInt: return "an int";
    case TypeKind::kList: return "a list";
    case TypeKind::kMap:
    case TypeKind::kRecord: return "a map";
    case TypeKind::kOptional: return "an optional";
    case TypeKind::kType: return "a type";
    case TypeKind::kTimestamp: return "a timestamp";
    case TypeKind::kDuration: return "a duration";
    default: return "a " + type.text();
  }
}

std::string described(InputType type) {
  return fmt::format("{} {}", type == InputType::kInt ? "an" : "a", input_type_name(type));
}

}  // namespace canorun::model
