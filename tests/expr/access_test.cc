#include <doctest/doctest.h>

#include "evaluate.h"

namespace canorun::expr {
namespace {

const Json kScope = {{"output", {{"exit_code", 3}, {"json", {{"items", {"a", "b"}}, {"next", nullptr}}}}},
                     {"nothing", nullptr}};

TEST_CASE("fields and elements are read by name and place") {
  CHECK(evaluate("output.exit_code", kScope) == "int 3");
  CHECK(evaluate("output['json'].items[1]", kScope) == R"(string "b")");
  CHECK(evaluate("[1, 2][1.0]") == "int 2");
  CHECK(evaluate("{1: 'a'}[1u]") == R"(string "a")");
}

TEST_CASE("a missing field says which one is near") {
  CHECK(evaluate("output.exit_cod == 0", kScope) == "7-15: no field 'exit_cod' (did you mean 'exit_code'?)");
  CHECK(evaluate("output['exit_cod']", kScope) == "7-17: no field 'exit_cod' (did you mean 'exit_code'?)");
  CHECK(evaluate("output.zzz", kScope) == "7-10: no field 'zzz' (known: exit_code, json)");
  CHECK(evaluate("{1: 2}[3]") == "7-8: no key 3");
}

TEST_CASE("an index out of range says how long the list is") {
  CHECK(evaluate("[1, 2][2]") == "7-8: index 2 is out of range (the list has 2 elements)");
  CHECK(evaluate("[1][-1]") == "4-6: index -1 is out of range (the list has 1 element)");
  CHECK(evaluate("[1][0.5]") == "4-7: index 0.5 is out of range (the list has 1 element)");
}

TEST_CASE("what has no fields or elements says so") {
  CHECK(evaluate("nothing.json", kScope) == "8-12: cannot read 'json' of null");
  CHECK(evaluate("'abc'.length") == "6-12: cannot read 'length' of a value of type string");
  CHECK(evaluate("'abc'[0]") == "6-7: cannot index a value of type string");
  CHECK(evaluate("[1]['0']") == "4-7: a list is indexed by an int, not by a value of type string");
  CHECK(evaluate("{'a': 1}[null]") == "9-13: a map has no keys of type null");
}

TEST_CASE("has asks for a field") {
  CHECK(evaluate("has(output.json)", kScope) == "bool true");
  CHECK(evaluate("has(output.json.next)", kScope) == "bool true");
  CHECK(evaluate("has(output.jso)", kScope) == "bool false");
  CHECK(evaluate("has(nothing.json)", kScope) == "bool false");
  CHECK(evaluate("has(output.jso.next)", kScope) == "11-14: no field 'jso' (did you mean 'json'?)");
  CHECK(evaluate("has(output.exit_code.x)", kScope) == "21-22: cannot read 'x' of a value of type int");
}

TEST_CASE("optional access ends in a value or in nothing") {
  CHECK(evaluate("output.json.?next.orValue(1)", kScope) == "null null");
  CHECK(evaluate("output.json.?nxt.orValue(1)", kScope) == "int 1");
  CHECK(evaluate("output.?jso.next.deep.orValue(1)", kScope) == "int 1");
  CHECK(evaluate("output.json.items[?5].orValue('z')", kScope) == R"(string "z")");
  CHECK(evaluate("output[?'exit_code'].hasValue()", kScope) == "bool true");
  CHECK(evaluate("nothing.?json.orValue(7)", kScope) == "int 7");
  CHECK(evaluate("nothing[?'json'].orValue(7)", kScope) == "int 7");
  CHECK(evaluate("output.?jso", kScope) == "optional an empty optional has no value: give one with orValue(…)");
}

TEST_CASE("the fallback of an optional is evaluated only when it is needed") {
  CHECK(evaluate("optional.of(1).orValue(1 / 0)") == "int 1");
  CHECK(evaluate("optional.of(1).or(optional.of(1 / 0)).value()") == "int 1");
  CHECK(evaluate("optional.none().or(optional.of(2)).value()") == "int 2");
  CHECK(evaluate("optional.none().orValue(1 / 0)") == "26-27: division by zero");
}

TEST_CASE("optional functions on what is none say so") {
  CHECK(evaluate("output.json.orValue(1)", kScope) ==
        "12-19: orValue() needs an optional, not map (an optional comes from '.?field' or '[?key]')");
  CHECK(evaluate("optional.none().value()") == "16-21: the optional holds no value (give one with orValue(…))");
  CHECK(evaluate("optional.none().or(1)") == "19-20: or() takes an optional, not int");
  CHECK(evaluate("1.hasValue()") == "2-10: hasValue() of int does not take ()");
}

TEST_CASE("optMap and optFlatMap work on what an optional holds") {
  CHECK(evaluate("optional.of(2).optMap(x, x * 3).value()") == "int 6");
  CHECK(evaluate("optional.none().optMap(x, x * 3).hasValue()") == "bool false");
  CHECK(evaluate("output.?json.optFlatMap(j, j.?next).hasValue()", kScope) == "bool true");
  CHECK(evaluate("optional.of(2).optFlatMap(x, x)") == "29-30: optFlatMap() takes an optional, not int");
}

TEST_CASE("optional elements and entries are left out when empty") {
  CHECK(evaluate("[1, ?optional.none(), ?optional.of(2)]") == "list [1,2]");
  CHECK(evaluate("{?'a': optional.none(), ?'b': optional.of(2)}") == R"(map {"b":2})");
  CHECK(evaluate("[?1]") == "2-3: '?' needs an optional, not int");
}

TEST_CASE("a map literal refuses keys that are twice or not possible") {
  CHECK(evaluate("{'a': 1, 'a': 2}") == "0-16: a key stands twice in the map");
  CHECK(evaluate("{1: 1, 1u: 2}") == "0-13: a key stands twice in the map");
  CHECK(evaluate("{1.5: 1}") == "1-4: a map has no keys of type double");
}

}  // namespace
}  // namespace canorun::expr
