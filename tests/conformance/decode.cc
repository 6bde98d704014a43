#include "conformance/decode.h"

#include <fmt/format.h>

#include <cmath>
#include <map>
#include <stdexcept>
#include <vector>

#include "engine/expr/text.h"
#include "engine/expr/time.h"

namespace canorun::expr {
namespace {

using Variables = std::map<std::string, std::uint32_t>;

[[noreturn]] void refuse(const std::string& what, const std::string& name) {
  throw std::invalid_argument(fmt::format("no {} '{}'", what, name));
}

// The one key of an object that holds one alternative.
std::pair<std::string, const Json*> alternative(const Json& json) {
  if (!json.is_object() || json.size() != 1) {
    throw std::invalid_argument(fmt::format("{} is not an object with one key", to_json_text(json)));
  }
  return {json.begin().key(), &json.begin().value()};
}

double decode_double(const Json& json) {
  if (json.is_number()) return json.get<double>();
  const std::string text = json;
  if (text == "NaN") return std::nan("");
  if (text == "Infinity") return HUGE_VAL;
  if (text == "-Infinity") return -HUGE_VAL;
  return std::stod(text);
}

Value decode_type_value(const std::string& name) {
  for (int i = 0; i <= static_cast<int>(Kind::kOptional); ++i) {
    if (type_name(static_cast<Kind>(i)) == name) return Value::type(static_cast<Kind>(i));
  }
  refuse("type", name);
}

// A message with a type of the language: {"@type": "…/google.protobuf.Duration", "value": "1s"}.
Value decode_object(const Json& json) {
  const std::string type = json.at("@type");
  const std::string text = json.at("value");
  if (type.ends_with("/google.protobuf.Duration")) return Value::duration(parse_cel_duration(text).value());
  if (type.ends_with("/google.protobuf.Timestamp")) return Value::timestamp(parse_timestamp(text).value());
  refuse("message", type);
}

Value decode_list(const Json& json) {
  std::vector<Value> elements;
  const Json encoded = json.value("values", Json::array());
  for (const Json& element : encoded) elements.push_back(decode_value(element));
  return Value::list(std::move(elements));
}

Value decode_map(const Json& json) {
  std::vector<Value::Entry> entries;
  const Json encoded = json.value("entries", Json::array());
  for (const Json& entry : encoded)
    entries.emplace_back(decode_value(entry.at("key")), decode_value(entry.at("value")));
  return Value::map(std::move(entries)).value();
}

Type decode_primitive(const std::string& name) {
  if (name == "BOOL") return Type::boolean();
  if (name == "INT64") return Type::integer();
  if (name == "UINT64") return Type::unsigned_integer();
  if (name == "DOUBLE") return Type::floating();
  if (name == "STRING") return Type::string();
  if (name == "BYTES") return Type::bytes();
  refuse("primitive type", name);
}

Type decode_well_known(const std::string& name) {
  if (name == "DURATION") return Type::duration();
  if (name == "TIMESTAMP") return Type::timestamp();
  if (name == "ANY") return Type::dyn();
  refuse("well-known type", name);
}

Type decode_type(const Json& json, Variables& variables);

Type decode_abstract(const Json& json, Variables& variables) {
  const std::string name = json.at("name");
  std::vector<Type> parameters;
  const Json encoded = json.value("parameterTypes", Json::array());
  for (const Json& parameter : encoded) parameters.push_back(decode_type(parameter, variables));
  if (name == "optional_type") return Type::optional(parameters.at(0));
  return Type::abstract(name, std::move(parameters));
}

Type decode_type(const Json& json, Variables& variables) {
  const auto [kind, value] = alternative(json);
  if (kind == "dyn") return Type::dyn();
  if (kind == "null") return Type::null();
  if (kind == "primitive") return decode_primitive(*value);
  if (kind == "wellKnown") return decode_well_known(*value);
  if (kind == "listType") return Type::list(decode_type(value->at("elemType"), variables));
  if (kind == "mapType") {
    Type key = decode_type(value->at("keyType"), variables);
    return Type::map(std::move(key), decode_type(value->at("valueType"), variables));
  }
  if (kind == "type") return value->empty() ? Type::type() : Type::type(decode_type(*value, variables));
  if (kind == "abstractType") return decode_abstract(*value, variables);
  if (kind == "typeParam") {
    const auto next = static_cast<std::uint32_t>(variables.size());
    return Type::variable(variables.emplace(value->get<std::string>(), next).first->second);
  }
  refuse("type", kind);
}

}  // namespace

Value decode_value(const Json& json) {
  const auto [kind, value] = alternative(json);
  if (kind == "nullValue") return {};
  if (kind == "boolValue") return Value::boolean(*value);
  if (kind == "int64Value") return Value::integer(std::stoll(to_text(*value)));
  if (kind == "uint64Value") return Value::unsigned_integer(std::stoull(to_text(*value)));
  if (kind == "doubleValue") return Value::floating(decode_double(*value));
  if (kind == "stringValue") return Value::string(*value);
  if (kind == "bytesValue") return Value::bytes(decode_base64(value->get<std::string>()).value());
  if (kind == "typeValue") return decode_type_value(*value);
  if (kind == "listValue") return decode_list(*value);
  if (kind == "mapValue") return decode_map(*value);
  if (kind == "objectValue") return decode_object(*value);
  refuse("value", kind);
}

Type decode_type(const Json& json) {
  Variables variables;
  return decode_type(json, variables);
}

Overload decode_overload(const Json& json) {
  Variables variables;
  Overload overload;
  const Json encoded = json.value("params", Json::array());
  for (const Json& parameter : encoded) overload.parameters.push_back(decode_type(parameter, variables));
  overload.result = decode_type(json.at("resultType"), variables);
  overload.variables = static_cast<std::uint32_t>(variables.size());
  return overload;
}

bool same(const Value& a, const Value& b) {
  if (a.kind() != b.kind()) return false;
  if (a.is(Kind::kList)) {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i) {
      if (!same(a.at(i), b.at(i))) return false;
    }
    return true;
  }
  if (a.is(Kind::kMap)) {
    if (a.size() != b.size()) return false;
    for (const Value& key : a.keys()) {
      const auto value = b.get(key);
      if (!value || !same(*a.get(key), *value)) return false;
    }
    return true;
  }
  switch (a.kind()) {
    case Kind::kNull: return true;
    case Kind::kBool: return a.as_bool() == b.as_bool();
    case Kind::kInt: return a.as_int() == b.as_int();
    case Kind::kUint: return a.as_uint() == b.as_uint();
    case Kind::kDouble:
      if (std::isnan(a.as_double())) return std::isnan(b.as_double());
      return a.as_double() == b.as_double();
    case Kind::kType: return a.as_type() == b.as_type();
    case Kind::kTimestamp:
    case Kind::kDuration: return a.as_instant() == b.as_instant();
    default: return a.as_text() == b.as_text();
  }
}

std::string shown(const Value& value) {
  const auto json = to_json(value);
  return fmt::format("{} {}", type_name(value), json ? to_json_text(*json) : json.error());
}

}  // namespace canorun::expr
