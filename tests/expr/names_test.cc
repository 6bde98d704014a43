#include <doctest/doctest.h>

#include "evaluate.h"

namespace canorun::expr {
namespace {

const Json kScope = {{"inputs", {{"url", "x"}}}, {"states", Json::object()}, {"vars", Json::object()}};

std::string references(std::string_view text) {
  Environment environment;
  for (const auto* name : {"inputs", "states", "vars"}) environment.declare(name);
  std::string all;
  const auto expression = Expression::compile(text, environment);
  for (const auto& reference : expression->references()) {
    for (const auto& part : reference.parts) {
      const char* separator = &part == &reference.parts.front() ? "" : part.optional ? ".?" : ".";
      all += fmt::format("{}{}@{}-{}", separator, part.name, part.span.begin, part.span.end);
    }
    all += ' ';
  }
  return all;
}

TEST_CASE("an unknown name is found when the text is compiled") {
  CHECK(evaluate("false && input.url == 'x'", kScope) == "9-14: unknown name 'input' (did you mean 'inputs'?)");
  CHECK(evaluate("zzzzzz", kScope) == "0-6: unknown name 'zzzzzz' (known: inputs, states, vars)");
}

TEST_CASE("an unknown function is found when the text is compiled") {
  CHECK(evaluate("siz('x')") == "0-3: unknown function 'siz' (did you mean 'size'?)");
  CHECK(evaluate("'x'.startWith('x')") == "4-13: unknown function 'startWith' (did you mean 'startsWith'?)");
  CHECK(evaluate("contains('x', 'y')") == "0-8: unknown function 'contains' (write x.contains(…))");
  CHECK(evaluate("'1'.int()") == "4-7: unknown function 'int' (write int(x))");
  CHECK(evaluate("math.grea(1)") == "0-9: unknown function 'math.grea'");
}

TEST_CASE("a wrong number of arguments is found when the text is compiled") {
  CHECK(evaluate("size()") == "0-4: size() takes 1 argument, not 0");
  CHECK(evaluate("size(1, 2)") == "0-4: size() takes 1 argument, not 2");
  CHECK(evaluate("'x'.contains()") == "4-12: contains() takes 1 argument, not 0");
  CHECK(evaluate("'x'.replace('a')") == "4-11: replace() takes 2 arguments, not 1");
}

TEST_CASE("wrong types of arguments are named") {
  CHECK(evaluate("size(1)") == "0-4: size() does not take (int)");
  CHECK(evaluate("'x'.contains(1)") == "4-12: contains() of string does not take (int)");
}

TEST_CASE("references are the static chains from each use of a name") {
  CHECK(references("inputs.url") == "inputs@0-6.url@7-10 ");
  CHECK(references("states['fetch'].output.json[0].x") == "states@0-6.fetch@7-14.output@16-22.json@23-27 ");
  CHECK(references("vars.a + vars.b") == "vars@0-4.a@5-6 vars@9-13.b@14-15 ");
  CHECK(references("states[inputs.url].x") == "states@0-6 inputs@7-13.url@14-17 ");
  CHECK(references("vars.name.startsWith(inputs.p)") == "vars@0-4.name@5-9 inputs@21-27.p@28-29 ");
  CHECK(references("[1].map(vars, vars.x)") == "");
  CHECK(references("vars") == "vars@0-4 ");
}

TEST_CASE("references say what is allowed to be missing") {
  CHECK(references("vars.a.?b.c") == "vars@0-4.a@5-6.?b@8-9.?c@10-11 ");
  CHECK(references("vars[?'a']") == "vars@0-4.?a@6-9 ");
  CHECK(references("has(vars.a.b)") == "vars@4-8.a@9-10.?b@11-12 ");
}

TEST_CASE("a literal is known without evaluation") {
  const auto literal = [](std::string_view text) {
    const auto expression = Expression::compile(text, Environment());
    return expression->literal() == nullptr ? "none" : show(*expression->literal());
  };
  CHECK(literal("true") == "bool true");
  CHECK(literal("-3") == "int -3");
  CHECK(literal("('x')") == R"(string "x")");
  CHECK(literal("1 + 1") == "none");
  CHECK(literal("[1]") == "none");
}

TEST_CASE("a function of a namespace comes before a variable of its name") {
  CHECK(evaluate("[-1].map(math, math.abs(math))") == "list [1]");
  CHECK(evaluate("math.abs(-1)", {{"math", 1}}) == "int 1");
  CHECK(evaluate("strings.size()", {{"strings", {1, 2}}}) == "int 2");
}

TEST_CASE("parentheses leave no trace in a path") {
  CHECK(evaluate("((a.b).c)[0]", {{"a.b.c", {7}}}) == "int 7");
  CHECK(evaluate("(a.b).c", {{"a", {{"b", {{"c", 3}}}}}}) == "int 3");
  CHECK(evaluate("has((a.b).c)", {{"a", {{"b", {{"c", 3}}}}}}) == "bool true");
}

TEST_CASE("dotted names are found before fields") {
  const Json scope = {{"a", {{"b", {{"c", "field"}}}}}, {"a.b", {{"c", "dotted"}}}};
  CHECK(evaluate("a.b.c", scope) == R"(string "dotted")");
  CHECK(evaluate("[1].map(a, type(a))[0] == int", scope) == "bool true");
  CHECK(evaluate("type(timestamp(0)) == google.protobuf.Timestamp") == "bool true");
}

TEST_CASE("an expression outlives its text, and its result the expression") {
  Value result;
  {
    std::string text = "'a text that is long enough for the heap' + '!'";
    const auto expression = Expression::compile(text, Environment());
    text.assign(text.size(), '#');
    result = *expression->evaluate({});
  }
  CHECK(result.as_text() == "a text that is long enough for the heap!");
}

}  // namespace
}  // namespace canorun::expr
