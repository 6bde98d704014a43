#include <doctest/doctest.h>

#include "check.h"

namespace canorun::expr {
namespace {

std::string repeated(std::string_view text, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) all += text;
  return all;
}

// Checks, then evaluates.
std::string whole(const std::string& text) { return check(text) + ": " + evaluate(text); }

TEST_CASE("a chain of 100,000 terms needs no deep stack") {
  CHECK(whole("1" + repeated("+1", 100'000)) == "int: int 100001");
  CHECK(whole("true" + repeated("&&true", 100'000)) == "bool: bool true");
  CHECK(whole("false" + repeated("||false", 100'000)) == "bool: bool false");
  CHECK(whole("1" + repeated("*1", 100'000)) == "int: int 1");
  CHECK(whole("true" + repeated("==true", 100'000)) == "bool: bool true");
  CHECK(whole(repeated("!", 100'001) + "true") == "bool: bool false");
  CHECK(whole(repeated("-", 100'001) + "1") == "int: int -1");
  CHECK(whole(repeated("false ? 1 : ", 100'000) + "2") == "int: int 2");
}

TEST_CASE("a literal of 100,000 elements needs no deep stack") {
  CHECK(whole("size([1" + repeated(",1", 100'000) + "])") == "int: int 100001");
  std::string map = "size({0:0";
  for (int i = 1; i <= 100'000; ++i) map += fmt::format(",{}:0", i);
  CHECK(whole(map + "})") == "int: int 100001");
  CHECK(whole("math.greatest(1" + repeated(",1", 100'000) + ")") == "int: int 1");
}

TEST_CASE("types of which little is known take no long way") {
  CHECK(whole("size([]" + repeated("+[]", 100'000) + ")") == "int: int 0");
  CHECK(check("cel.bind(x, [], x" + repeated("+x+[]", 50'000) + ")") == "list(dyn)");
  CHECK(check("[]" + repeated(".map(x, [x])", 100'000)).starts_with("list(list(list("));
  CHECK(check("[1]" + repeated(".map(x, {'a': x})", 100'000)).starts_with("list(map(string, map(string, "));
  CHECK(check("[[]" + repeated(",[[]]", 100'000) + "]") == "list(list(list(dyn)))");
  std::string twice = "x63";
  for (int i = 63; i > 0; --i)
    twice = fmt::format("cel.bind(x{}, [], x{} == [{{x{}: x{}}}] ? 1 : {})", i, i - 1, i, i, twice);
  CHECK(check("cel.bind(x0, [], " + twice + ")").find("a map has no keys of type list(dyn)") != std::string::npos);
}

TEST_CASE("of 100,000 mistakes in an expression the first 500 are kept") {
  const std::string problems = check("[1" + repeated(",!1", 100'000) + "]");
  CHECK(std::ranges::count(problems, '\n') == 499);
  CHECK(problems.ends_with("\n1501-1502: '!' does not go with int"));
}

TEST_CASE("a path of 100,000 steps needs no deep stack") {
  CHECK(whole("{}.?a" + repeated(".a", 100'000) + ".orValue(1)") == "dyn: int 1");
  CHECK(whole("''" + repeated(".trim()", 100'000)) == R"(string: string "")");
  CHECK(whole("optional.none()" + repeated("[0]", 100'000) + ".hasValue()") == "bool: bool false");
  CHECK(check("a" + repeated(".a", 100'000), {{"a", Type::dyn()}}) == "dyn");
  CHECK(check("a" + repeated(".a", 100'000), {{"a", Type::map(Type::string(), Type::map())}}) == "dyn");
}

TEST_CASE("nesting is bounded") {
  const auto nested = [](std::size_t levels, std::string_view open, std::string_view inner, std::string_view close) {
    return evaluate(repeated(open, levels) + std::string(inner) + repeated(close, levels));
  };
  const std::string too_deep = "the expression is nested deeper than 250 levels";
  CHECK(nested(249, "(", "1", ")") == "int 1");
  CHECK(nested(250, "(", "1", ")") == "250-251: " + too_deep);
  CHECK(nested(100'000, "(", "1", ")") == "250-251: " + too_deep);
  CHECK(nested(100'000, "[", "1", "]") == "250-251: " + too_deep);
  CHECK(nested(100'000, "{1:", "1", "}") == "748-749: " + too_deep);
  CHECK(nested(100'000, "size(", "1", ")") == "1250-1254: " + too_deep);
  CHECK(nested(100'000, "-(", "1", ")") == "500-501: " + too_deep);
  CHECK(nested(249, "[1].map(x, ", "1", ")").starts_with("list [[[["));
  CHECK(nested(100'000, "true ? (", "1", ") : 1") == "2000-2004: " + too_deep);
}

TEST_CASE("values are not made deeper than can be walked") {
  const std::string too_deep = ": the value is nested deeper than 512 levels";
  CHECK(evaluate("[1]" + repeated(".map(x, [x])", 100'000)).ends_with(too_deep));
  CHECK(evaluate("optional.of(1)" + repeated(".optMap(x, [x])", 100'000)).ends_with(too_deep));
  CHECK(evaluate("{1: 1}" + repeated(".transformMap(k, x, {k: x})", 100'000)).ends_with(too_deep));
}

TEST_CASE("work is bounded") {
  std::string shared = "[1]";
  for (int i = 0; i < 40; ++i) shared = fmt::format("[{}].map(x{}, [x{}, x{}])[0]", shared, i, i, i);
  CHECK(evaluate(shared + " == " + shared).find(": the expression takes too much work") != std::string::npos);
}

TEST_CASE("spent work is not absorbed by || and exists") {
  std::string list = "[1]";
  for (int i = 0; i < 8; ++i) list = fmt::format("[1,2,3,4,5,6,7,8,9,10].map(x{}, {})", i, list);
  CHECK(evaluate("size(" + list + ") == 0 || true").find(": the expression takes too much work") != std::string::npos);
}

TEST_CASE("texts are bounded") {
  const Json scope = {{"mib", std::string(std::size_t{1} << 20, 'x')}};
  std::string doubled = "mib";
  for (int i = 0; i < 7; ++i) doubled = fmt::format("cel.bind(x{0}, {1}, x{0} + x{0})", i, doubled);
  CHECK(evaluate(doubled, scope).ends_with(": the text would be larger than 64 MiB"));
  CHECK(evaluate("mib.replace('x', mib)", scope) == "4-11: the text would be larger than 64 MiB");
  CHECK(evaluate("mib.replace('x', mib.substring(0, 100))", scope) == "4-11: the text would be larger than 64 MiB");
  CHECK(evaluate("size(mib.split(''))", scope) == "int 1048576");
}

TEST_CASE("searching is bounded whatever the texts") {
  const Json scope = {{"text", std::string(1 << 20, 'a')}, {"wanted", std::string(1 << 19, 'a') + "b"}};
  CHECK(evaluate("text.contains(wanted)", scope) == "bool false");
  CHECK(evaluate("text.lastIndexOf(wanted)", scope) == "int -1");
  CHECK(evaluate("text.lastIndexOf(text)", scope) == "int 0");
}

TEST_CASE("reading long texts again and again takes too much work, whatever reads them") {
  Json many = Json::array();
  for (int i = 0; i < 1000; ++i) many.push_back(i);
  const std::string mib(std::size_t{1} << 20, '1');
  const Json scope = {{"many", many}, {"t", mib}, {"deep", "a" + mib}, {"map", {{mib, 1}, {mib + "0", 2}, {"b", 3}}}};
  for (const char* each :
       {"t.charAt(1000000)", "int(t)", "uint(t)", "double(t)", "timestamp(t)", "duration(t)", "map[t]", "t in map",
        "t.trim()", "'%x'.format([t])", "t.lastIndexOf('2')", "deep.matches('(1?){100}b')",
        "'a'.matches('((\\\\pL{3}){3})+b' + string(x))", "map['b' + t.substring(1)]"}) {
    CAPTURE(each);
    const std::string result = evaluate(fmt::format("many.exists(x, [{}] == [0]) || true", each), scope);
    CHECK(result.find(": the expression takes too much work") != std::string::npos);
  }
}

TEST_CASE("a pattern that would take much memory is refused") {
  CHECK(evaluate("'a'.matches('((a{100}){100}){100}')").starts_with("4-11: not a regular expression: "));
  CHECK(evaluate("'a'.matches(r'(\\pL{100}){100}')").starts_with("4-11: not a regular expression: "));
}

TEST_CASE("a pattern for every element is compiled once") {
  Json many = Json::array();
  for (int i = 0; i < 100'000; ++i) many.push_back("item-1");
  CHECK(evaluate("many.all(x, x.matches('^[a-z]+-[0-9]+$'))", {{"many", many}}) == "bool true");
}

TEST_CASE("what a text is split into is bounded") {
  const Json scope = {{"t", std::string(std::size_t{1} << 23, 'x')}};
  CHECK(evaluate("size(t.split(''))", scope).find(": the expression takes too much work") != std::string::npos);
}

TEST_CASE("hints do not read huge maps, nor long names") {
  Json map = Json::object();
  for (int i = 0; i < 10'000; ++i) map[fmt::format("key{}", i)] = i;
  CHECK(evaluate("map.kez1", {{"map", map}}) == "4-8: no field 'kez1'");
  const std::string name(500, 'a');
  CHECK(evaluate("map['" + name + "']", {{"map", {{name + "b", 1}}}}) ==
        "4-506: no field '" + name.substr(0, 64) + "…'");
}

}  // namespace
}  // namespace canorun::expr
