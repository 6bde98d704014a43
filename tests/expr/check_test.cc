#include "check.h"

#include <doctest/doctest.h>

#include "engine/expr/record.h"

namespace canorun::expr {
namespace {

Type output() {
  auto record = std::make_shared<Record>("the output of 'fetch'", 7);
  record->add("exit_code", Type::integer());
  record->add("stdout", Type::string());
  record->add("json", Type::dyn());
  record->add("truncated", Type::boolean(), true);
  return Type::record(std::move(record));
}

TEST_CASE("a known field of a record has its type") {
  const Declared names = {{"output", output()}};
  CHECK(check("output.exit_code", names) == "int");
  CHECK(check("output['stdout']", names) == "string");
  CHECK(check("output.json.items[0]", names) == "dyn");
  CHECK(check("output.?truncated", names) == "optional_type(bool)");
  CHECK(check("output.truncated", names) == "bool");
  CHECK(check("has(output.truncated)", names) == "bool");
  CHECK(check("output", names) == "map(string, dyn)");
}

TEST_CASE("a record goes with the null that it may be") {
  const Declared names = {{"output", output()}, {"b", Type::boolean()}};
  CHECK(check("output == null ? null : output", names) == "dyn");
  CHECK(check("b ? output : null", names) == "dyn");
  CHECK(check("b ? null : b ? output : null", names) == "dyn");
  CHECK(check("b ? 'none' : output", names) ==
        "13-19: both sides of ':' must have one type, not string and map(string, dyn) (put dyn() around one of them)");
  CHECK(check("b ? 1 : null", names) ==
        "8-12: both sides of ':' must have one type, not int and null (put dyn() around one of them)");
}

TEST_CASE("of very many problems the first are kept") {
  const Declared names = {{"output", output()}};
  std::string text = "output.a";
  for (int i = 0; i < 1'000; ++i) text += " || output.b";
  for (int i = 0; i < 1'000; ++i) text += " || 1";
  Environment environment;
  environment.declare("output");
  CHECK(Expression::compile(text, environment)->check(std::array{output()}).problems.size() == 500);
}

TEST_CASE("an unknown field of a closed record is a problem of its own kind") {
  const Declared names = {{"output", output()}};
  CHECK(check("output.exit_cod + 1", names) == "7-15: no field 'exit_cod' in the output of 'fetch'");
  CHECK(check("output.?xyz.orValue(1)", names) == "8-11: no field 'xyz' in the output of 'fetch'");
  CHECK(check("has(output.stdou)", names) == "11-16: no field 'stdou' in the output of 'fetch'");
  CHECK(check("output['stdou']", names) == "7-14: no field 'stdou' in the output of 'fetch'");

  Environment environment;
  environment.declare("output");
  const Checked checked = Expression::compile("output.nope", environment)->check(std::array{output()});
  REQUIRE(checked.problems.size() == 1);
  CHECK(checked.problems[0].kind == ProblemKind::kUnknownField);
  CHECK(checked.problems[0].field == "nope");
  CHECK(checked.problems[0].record->tag() == 7);
  CHECK(checked.problems[0].record->names() ==
        std::vector<std::string_view>{"exit_code", "json", "stdout", "truncated"});
}

TEST_CASE("all problems of names and of types are told at once") {
  CHECK(check("foo + bar") == "0-3: unknown name 'foo'\n6-9: unknown name 'bar'");
  CHECK(check("sise([1 + 'a']) > 1 && !2") ==
        "0-4: unknown function 'sise' (did you mean 'size'?)\n8-9: '+' does not go with int and string (convert with "
        "string())\n"
        "24-25: '!' does not go with int");
  CHECK(check("[1].map(x, y)") == "11-12: unknown name 'y' (known: x)");
}

TEST_CASE("a literal that cannot be read is found before anything runs") {
  const Declared names = {{"s", Type::string()}};
  CHECK(check("s.matches('[')", names) == "10-13: not a regular expression: missing ] (the syntax is RE2's)");
  CHECK(check("matches(s, '(')", names) == "11-14: not a regular expression: missing ) (the syntax is RE2's)");
  CHECK(check("duration('1x')") == "9-13: '1x' is not a duration (write it like 1h30m or 1.5s)");
  CHECK(check("timestamp('2009')") == "10-16: '2009' is not a timestamp (write it like 2026-12-01T09:00:00Z)");
  CHECK(check("s.matches('[a-z]') && s.matches(s) && duration('1h') > duration(s)", names) == "bool");
}

}  // namespace
}  // namespace canorun::expr
