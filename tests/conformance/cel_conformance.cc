// Runs the conformance cases of the CEL specification: cel_conformance tests.json
//
// A case is {suite, name, expr, bindings, value or evalError, …}; values are in the JSON encoding of
// cel.expr.Value. Cases that only ask for the deduced type fail: nothing deduces types yet.
#include <fmt/core.h>

#include <cmath>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/value.h"
#include "engine/expr/expression.h"
#include "engine/expr/text.h"

namespace canorun::expr {
namespace {

double decode_double(const Json& json) {
  if (json.is_number()) return json.get<double>();
  const std::string text = json;
  if (text == "NaN") return std::nan("");
  return text == "Infinity" ? HUGE_VAL : -HUGE_VAL;
}

Value decode_type(const std::string& name) {
  for (int i = 0; i <= static_cast<int>(Kind::kOptional); ++i) {
    if (type_name(static_cast<Kind>(i)) == name) return Value::type(static_cast<Kind>(i));
  }
  return {};
}

Value decode(const Json& json) {
  const std::string kind = json.begin().key();
  const Json& value = json.begin().value();
  if (kind == "boolValue") return Value::boolean(value);
  if (kind == "int64Value") return Value::integer(std::stoll(value.get<std::string>()));
  if (kind == "uint64Value") return Value::unsigned_integer(std::stoull(value.get<std::string>()));
  if (kind == "doubleValue") return Value::floating(decode_double(value));
  if (kind == "stringValue") return Value::string(value);
  if (kind == "bytesValue") return Value::bytes(decode_base64(value.get<std::string>()).value_or(""));
  if (kind == "typeValue") return decode_type(value);
  if (kind == "listValue") {
    std::vector<Value> elements;
    const Json encoded = value.value("values", Json::array());
    for (const Json& element : encoded) elements.push_back(decode(element));
    return Value::list(std::move(elements));
  }
  if (kind == "mapValue") {
    std::vector<Value::Entry> entries;
    const Json encoded = value.value("entries", Json::array());
    for (const Json& entry : encoded) {
      entries.emplace_back(decode(entry.at("key")), decode(entry.at("value")));
    }
    return Value::map(std::move(entries)).value_or(Value());
  }
  return {};
}

// Unlike `==` of the language: types must be the same, and NaN is itself.
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
    default: return a.as_text() == b.as_text();
  }
}

std::string shown(const Value& value) {
  const auto json = to_json(value);
  return fmt::format("{} {}", type_name(value), json ? to_json_text(*json) : json.error());
}

// What is wrong with the outcome; nothing when it is as the case wants it.
std::optional<std::string> run(const Json& test) {
  if (test.contains("checkOnly")) return "types are not checked yet";
  Environment environment;
  std::vector<Value> slots;
  const Json bindings = test.value("bindings", Json::object());
  for (const auto& [name, binding] : bindings.items()) {
    environment.declare(name);
    slots.push_back(decode(binding.at("value")));
  }
  const Json declarations = test.value("typeEnv", Json::array());
  for (const Json& declaration : declarations) {
    const std::string name = declaration.at("name");
    if (environment.slot(name)) continue;
    environment.declare(name);
    slots.emplace_back();
  }
  const bool fails = test.contains("evalError");
  const auto expression = Expression::compile(test.at("expr").get<std::string>(), environment);
  if (!expression) return fails ? std::nullopt : std::optional("does not compile: " + expression.error().message);
  const auto value = expression->evaluate(slots);
  if (!value) return fails ? std::nullopt : std::optional("fails: " + value.error().message);
  if (fails) return "gives " + shown(*value) + " instead of failing";
  if (same(*value, decode(test.at("value")))) return std::nullopt;
  return fmt::format("gives {}, not {}", shown(*value), shown(decode(test.at("value"))));
}

}  // namespace
}  // namespace canorun::expr

int main(int argc, char** argv) {
  using namespace canorun;
  if (argc != 2) {
    fmt::print(stderr, "usage: cel_conformance CASES.json\n");
    return 2;
  }
  std::ifstream file(argv[1]);
  const auto cases = parse_json(std::string(std::istreambuf_iterator<char>(file), {}));
  if (!cases) {
    fmt::print(stderr, "{}: {}\n", argv[1], cases.error().message);
    return 2;
  }
  std::size_t failed = 0;
  for (const Json& test : *cases) {
    const auto wrong = expr::run(test);
    if (!wrong) continue;
    ++failed;
    fmt::print("{}/{}: {}\n    {}\n", test.at("suite").get<std::string>(), test.at("name").get<std::string>(),
               test.at("expr").get<std::string>(), *wrong);
  }
  fmt::print("{} passed, {} failed\n", cases->size() - failed, failed);
  return failed == 0 ? 0 : 1;
}
