#include "engine/expr/value.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "evaluate.h"

namespace canorun::expr {
namespace {

class Host final : public Object {
 public:
  explicit Host(const Json& data) : data_(data) {}
  std::optional<Value> get(std::string_view key) const override {
    reads.emplace_back(key);
    const auto found = data_.find(key);
    if (found == data_.end()) return std::nullopt;
    return Value::view(*found);
  }
  std::vector<std::string> keys() const override {
    std::vector<std::string> all;
    for (const auto& [key, value] : data_.items()) all.push_back(key);
    return all;
  }
  mutable std::vector<std::string> reads;

 private:
  const Json& data_;
};

const char* text_begin(const Json& json) { return json.get_ref<const std::string&>().data(); }

TEST_CASE("a default value is null") {
  CHECK(Value().is_null());
  CHECK(show(Value()) == "null null");
}

TEST_CASE("a view copies nothing, nor do fields and elements read from it") {
  const Json json = {{"list", {"a", "b"}}};
  const Value list = *Value::view(json).get("list");
  CHECK(list.size() == 2);
  CHECK(list.at(1).as_text().data() == text_begin(json["list"][1]));
  CHECK(Value::view(json).keys()[0].as_text().data() == json.get_ref<const Json::object_t&>().begin()->first.data());
}

TEST_CASE("what is read out of an owned value keeps it alive") {
  Value element;
  {
    const Value owned = Value::of(Json{{"list", {"a long enough text to be on the heap", "b"}}});
    element = owned.get("list")->at(0);
  }
  CHECK(element.as_text() == "a long enough text to be on the heap");
}

TEST_CASE("JSON numbers are int, uint above the range of int, and double") {
  const Json numbers = Json::parse("[3, -3, 9223372036854775807, 9223372036854775808, 3.0]");
  const Value list = Value::view(numbers);
  CHECK(show(list.at(0)) == "int 3");
  CHECK(show(list.at(1)) == "int -3");
  CHECK(show(list.at(2)) == "int 9223372036854775807");
  CHECK(show(list.at(3)) == "uint 9223372036854775808");
  CHECK(show(list.at(4)) == "double 3.0");
}

TEST_CASE("an object is read field by field, on demand") {
  const Json data = {{"a", {{"b", 7}}}, {"c", 1}};
  const Host host(data);
  Environment environment;
  environment.declare("host");
  const auto expression = Expression::compile("host.a.b", environment);
  const std::vector<Value> slots{Value::object(host)};
  CHECK(show(*expression->evaluate(slots)) == "int 7");
  CHECK(host.reads == std::vector<std::string>{"a"});
}

TEST_CASE("an object is a map like any other") {
  const Json data = {{"exit_code", 1}, {"stdout", "x"}};
  const Host host(data);
  Environment environment;
  environment.declare("host");
  const std::vector<Value> slots{Value::object(host)};
  const auto run = [&](std::string_view text) {
    const auto value = Expression::compile(text, environment)->evaluate(slots);
    return value ? show(*value) : show(value.error());
  };
  CHECK(run("size(host)") == "int 2");
  CHECK(run("host.map(k, k)") == R"(list ["exit_code","stdout"])");
  CHECK(run("host == {'stdout': 'x', 'exit_code': 1}") == "bool true");
  CHECK(run("host") == R"(map {"exit_code":1,"stdout":"x"})");
  CHECK(run("host.exit_cod") == "5-13: no field 'exit_cod' (did you mean 'exit_code'?)");
}

TEST_CASE("map entries are found by the value of their key, whatever its number type") {
  const auto map =
      Value::map({{Value::integer(1), Value::string("one")}, {Value::unsigned_integer(2), Value::string("two")}});
  CHECK(map->get(Value::unsigned_integer(1))->as_text() == "one");
  CHECK(map->get(Value::floating(2.0))->as_text() == "two");
  CHECK_FALSE(map->get(Value::floating(1.5)).has_value());
  CHECK_FALSE(map->get(Value::string("1")).has_value());
}

TEST_CASE("a map with a key twice is none") {
  CHECK_FALSE(Value::map({{Value::integer(1), {}}, {Value::unsigned_integer(1), {}}}).has_value());
}

TEST_CASE("type names for people and of the language") {
  CHECK(type_name(Value::timestamp({})) == "timestamp");
  CHECK(type_name(Kind::kTimestamp) == "google.protobuf.Timestamp");
  CHECK(type_name(Value()) == "null");
  CHECK(type_name(Kind::kNull) == "null_type");
}

TEST_CASE("to_json writes what JSON lacks as text") {
  CHECK(show(Value::timestamp({1795421700, 500'000'000})) == R"(timestamp "2026-11-23T08:15:00.5Z")");
  CHECK(show(Value::duration({3, 500'000'000})) == R"(duration "3.5s")");
  CHECK(show(Value::duration({-1, 500'000'000})) == R"(duration "-0.5s")");
  CHECK(show(Value::bytes("\xff")) == R"(bytes "/w==")");
  CHECK(show(Value::type(Kind::kInt)) == R"(type "int")");
  CHECK(show(*Value::map({{Value::integer(1), {}}, {Value::boolean(true), {}}})) == R"(map {"1":null,"true":null})");
  CHECK(show(Value::optional(Value::integer(3))) == "optional 3");
}

TEST_CASE("to_json gives canonical numbers") {
  CHECK(to_json(Value::unsigned_integer(3))->type() == Json::value_t::number_integer);
  CHECK(show(Value::unsigned_integer(std::numeric_limits<std::uint64_t>::max())) == "uint 18446744073709551615");
  CHECK(to_json(Value::floating(3.0))->type() == Json::value_t::number_float);
}

TEST_CASE("to_json refuses what JSON cannot hold") {
  CHECK(to_json(Value::floating(std::nan(""))).error() == "NaN is not a JSON number");
  CHECK(to_json(Value::floating(-HUGE_VAL)).error() == "-Infinity is not a JSON number");
  CHECK(to_json(Value::none()).error() == "an empty optional has no value: give one with orValue(…)");
}

TEST_CASE("to_json bounds depth") {
  Value deep;
  for (std::size_t i = 0; i < kMaxJsonDepth; ++i) deep = Value::list({deep});
  CHECK(to_json(deep).has_value());
  CHECK(to_json(Value::list({deep})).error() == "the value is nested deeper than 512 levels");
  Json json;
  for (std::size_t i = 0; i < kMaxJsonDepth; ++i) json = Json::array({json});
  CHECK(to_json(Value::view(json)).has_value());
  CHECK(to_json(Value::list({Value::view(json)})).error() == "the value is nested deeper than 512 levels");
}

TEST_CASE("to_json bounds the size of what shares its parts") {
  Value wide = Value::string(std::string(1024, 'x'));
  for (int i = 0; i < 20; ++i) wide = Value::list({wide, wide});
  CHECK(to_json(wide).error() == "the value is larger than 256 MiB");
}

}  // namespace
}  // namespace canorun::expr
