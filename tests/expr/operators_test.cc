#include <doctest/doctest.h>

#include "evaluate.h"

namespace canorun::expr {
namespace {

TEST_CASE("integer arithmetic is exact or an error") {
  CHECK(evaluate("7 / 2") == "int 3");
  CHECK(evaluate("-7 / 2") == "int -3");
  CHECK(evaluate("-7 % 2") == "int -1");
  CHECK(evaluate("5u - 3u") == "uint 2");
  CHECK(evaluate("9223372036854775807 + 1") == "20-21: the result of '+' does not fit into an int");
  CHECK(evaluate("3u - 5u") == "3-4: the result of '-' does not fit into a uint");
  CHECK(evaluate("-9223372036854775808 / -1") == "21-22: the result of '/' does not fit into an int");
  CHECK(evaluate("-9223372036854775808 % -1") == "21-22: the result of '%' does not fit into an int");
  CHECK(evaluate("-(-9223372036854775808)") == "0-23: the result of '-' does not fit into an int");
  CHECK(evaluate("1 / 0") == "2-3: division by zero");
  CHECK(evaluate("1 % 0") == "2-3: remainder of a division by zero");
}

TEST_CASE("double arithmetic follows IEEE 754") {
  CHECK(evaluate("0.1 + 0.2") == "double 0.30000000000000004");
  CHECK(evaluate("1.0 / 0.0 > 1e308") == "bool true");
  CHECK(evaluate("0.0 / 0.0 == 0.0 / 0.0") == "bool false");
  CHECK(evaluate("5.5 % 2.0") == "4-5: '%' is only for whole numbers (convert with int())");
}

TEST_CASE("an int beside a double is done in double") {
  const Json variables = {{"n", 3}, {"x", 0.5}};
  CHECK(evaluate("n * x", variables) == "double 1.5");
  CHECK(evaluate("x + n", variables) == "double 3.5");
  CHECK(evaluate("n - 1u", variables) == "2-3: '-' does not go with int and uint (convert with int() or uint())");
}

TEST_CASE("texts, bytes and lists are joined by +") {
  CHECK(evaluate("'a' + 'b' + 'c'") == R"(string "abc")");
  CHECK(evaluate("b'a' + b'b'") == R"(bytes "YWI=")");
  CHECK(evaluate("[1] + [] + [2]") == "list [1,2]");
  CHECK(evaluate("'a' + 1") == "4-5: '+' does not go with string and int (convert with string())");
  CHECK(evaluate("{} + {}") == "3-4: '+' does not go with map and map");
}

TEST_CASE("equality goes across number types and is false across others") {
  CHECK(evaluate("1 == 1.0 && 1u == 1 && 1.0 == 1u") == "bool true");
  CHECK(evaluate("1 == '1'") == "bool false");
  CHECK(evaluate("null == 0") == "bool false");
  CHECK(evaluate("[1, [2]] == [1.0, [2u]]") == "bool true");
  CHECK(evaluate("{'a': 1, 'b': 2} == {'b': 2.0, 'a': 1u}") == "bool true");
  CHECK(evaluate("{'a': 1} != {'a': 2}") == "bool true");
  CHECK(evaluate("type(1) == int && type(1) != uint") == "bool true");
}

TEST_CASE("order goes across number types and is an error across others") {
  CHECK(evaluate("1 < 1.5 && 2u > 1 && -1 < 0u") == "bool true");
  CHECK(evaluate("'a' < 'b' && b'a' < b'b' && false < true") == "bool true");
  CHECK(evaluate("'z' < 'ä'") == "bool true");
  CHECK(evaluate("0.0 / 0.0 < 1.0 || 0.0 / 0.0 >= 1.0") == "bool false");
  CHECK(evaluate("'a' < 1") == "4-5: '<' does not go with string and int");
  CHECK(evaluate("null < null") == "5-6: '<' does not go with null and null");
}

TEST_CASE("in looks into lists by value and into maps by key") {
  CHECK(evaluate("2.0 in [1, 2]") == "bool true");
  CHECK(evaluate("3 in [1, 2]") == "bool false");
  CHECK(evaluate("'a' in {'a': null}") == "bool true");
  CHECK(evaluate("null in {'a': null}") == "bool false");
  CHECK(evaluate("'a' in 'abc'") == "4-6: 'in' does not go with string and string");
}

TEST_CASE("&& and || absorb an error when another side settles it, in any order") {
  CHECK(evaluate("1 / 0 > 0 || true") == "bool true");
  CHECK(evaluate("true || 1 / 0 > 0") == "bool true");
  CHECK(evaluate("1 / 0 > 0 && false") == "bool false");
  CHECK(evaluate("1 / 0 > 0 && true") == "2-3: division by zero");
  CHECK(evaluate("1 / 0 > 0 || 'x' || false") == "2-3: division by zero");
  CHECK(evaluate("true && 'x'") == "8-11: a condition must be a bool, not string");
  CHECK(evaluate("'x' && false") == "bool false");
}

TEST_CASE("only the chosen side of a conditional is evaluated") {
  CHECK(evaluate("true ? 1 : 1 / 0") == "int 1");
  CHECK(evaluate("false ? 1 / 0 : 2") == "int 2");
  CHECK(evaluate("1 ? 2 : 3") == "0-1: a condition must be a bool, not int");
  CHECK(evaluate("!1") == "0-2: '!' does not go with int");
  CHECK(evaluate("-'a'") == "0-4: '-' does not go with string");
}

TEST_CASE("times and durations add up") {
  CHECK(evaluate("timestamp('2026-12-31T23:59:59.5Z') + duration('1s')") == R"(timestamp "2027-01-01T00:00:00.5Z")");
  CHECK(evaluate("duration('1s') + timestamp('2026-01-01T00:00:00Z')") == R"(timestamp "2026-01-01T00:00:01Z")");
  CHECK(evaluate("timestamp('2026-01-01T00:00:00Z') - timestamp('2025-12-31T00:00:00Z')") == R"(duration "86400s")");
  CHECK(evaluate("timestamp('2026-01-01T00:00:00Z') - duration('1ms')") == R"(timestamp "2025-12-31T23:59:59.999Z")");
  CHECK(evaluate("duration('1s') - duration('2500ms')") == R"(duration "-1.5s")");
  CHECK(evaluate("timestamp('9999-12-31T23:59:59Z') + duration('1s')") == "34-35: the timestamp is out of range");
  CHECK(evaluate("duration('1s') - timestamp('2026-01-01T00:00:00Z')") ==
        "15-16: '-' does not go with duration and timestamp");
  CHECK(evaluate("duration('60s') == duration('1m')") == "bool true");
}

}  // namespace
}  // namespace canorun::expr
