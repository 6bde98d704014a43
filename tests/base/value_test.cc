#include "engine/base/value.h"

#include <doctest/doctest.h>

#include <limits>

using namespace canorun;

TEST_CASE("integers are signed wherever they fit") {
  const auto value = parse_json(R"({"a": 3, "b": [18446744073709551615, -1]})");
  REQUIRE(value);
  CHECK((*value)["a"].type() == Json::value_t::number_integer);
  CHECK((*value)["b"][0].type() == Json::value_t::number_unsigned);
  CHECK((*value)["b"][1].type() == Json::value_t::number_integer);
}

TEST_CASE("JSON from outside is bounded in depth and says where it is wrong") {
  CHECK(parse_json(std::string(512, '[') + std::string(512, ']')));
  CHECK(parse_json(std::string(513, '[') + std::string(513, ']')).error().message ==
        "JSON is nested deeper than 512 levels");
  CHECK(parse_json(std::string(1'000'000, '[')).error().message == "JSON is nested deeper than 512 levels");
  CHECK(parse_json("\"" + std::string(600, '[') + "\\\"[\""));
  CHECK(parse_json("{\"a\": }").error().message == "not JSON: syntax error at byte 7");
  CHECK(parse_json("{} x").error().message == "not JSON: syntax error at byte 4");
  CHECK(parse_json(" \n").error().message == "empty text is not JSON");
  CHECK(parse_json("1e999").error().message == "not JSON: a number is out of range");
}

TEST_CASE("bytes that are no UTF-8 become U+FFFD, one for one") {
  CHECK(to_utf8("gr\xC3\xBC\xC3\x9F") == "gr\xC3\xBC\xC3\x9F");
  CHECK(to_utf8("a\xFF\xFE z") == "a\xEF\xBF\xBD\xEF\xBF\xBD z");
  CHECK(to_utf8("\xE2\x82") == "\xEF\xBF\xBD\xEF\xBF\xBD");
  CHECK(to_utf8("\xC0\x80") == "\xEF\xBF\xBD\xEF\xBF\xBD");                  // an overlong form
  CHECK(to_utf8("\xED\xA0\x80") == "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");  // a surrogate
  CHECK(to_utf8("\xF0\x9F\x98\x80") == "\xF0\x9F\x98\x80");
  CHECK(parse_json("\"\xFF\"") == Json("\xEF\xBF\xBD"));
}

TEST_CASE("text of a value: strings as they are, the rest as JSON") {
  CHECK(to_text("a b") == "a b");
  CHECK(to_text(3) == "3");
  CHECK(to_text(true) == "true");
  CHECK(to_text(nullptr) == "null");
  CHECK(to_text(Json{{"b", 1}, {"a", {1, "x"}}}) == R"({"a":[1,"x"],"b":1})");
  CHECK(to_json_text("a\xFF") == "\"a\xEF\xBF\xBD\"");
}

TEST_CASE("the beginning of a text is cut between characters, and says so") {
  CHECK(beginning("größe", 8) == "größe");
  CHECK(beginning("größe", 6) == "größ…");
  CHECK(beginning("größe", 5) == "grö…");
  CHECK(beginning("a\xFF", 2) == "a\xEF\xBF\xBD");
  CHECK(beginning("\xBF\xBF\xBF", 2) == "…");
}

TEST_CASE("depth counts lists and maps, without recursion") {
  CHECK(depth(3) == 0);
  CHECK(depth(Json{{"a", {1, {2}}}}) == 3);
}
