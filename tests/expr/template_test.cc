#include "engine/expr/template.h"

#include <doctest/doctest.h>

#include "evaluate.h"

namespace canorun::expr {
namespace {

const Json kInputs = {{"name", "Ada"}, {"n", 3}, {"list", {1, "a"}}};

Environment environment() {
  Environment made;
  made.declare("inputs");
  return made;
}

std::string fill(std::string_view text) {
  const auto compiled = Template::compile(text, environment());
  if (!compiled) {
    std::string all;
    for (const Problem& problem : compiled.error()) all += (all.empty() ? "" : "; ") + show(problem);
    return all;
  }
  const std::vector<Value> slots{Value::view(kInputs)};
  const auto value = compiled->evaluate(slots);
  return value ? to_json_text(*value) : show(value.error());
}

TEST_CASE("a template that is one expression keeps its type") {
  CHECK(fill("${{ inputs.n }}") == "3");
  CHECK(fill("${{inputs.list}}") == R"([1,"a"])");
  CHECK(fill("${{ null }}") == "null");
}

TEST_CASE("values inside a text are put in as text") {
  CHECK(fill("Hello ${{ inputs.name }}!") == R"("Hello Ada!")");
  CHECK(fill("${{ inputs.n }}${{ inputs.list }}") == R"("3[1,\"a\"]")");
  CHECK(fill(" ${{ null }}") == R"(" null")");
}

TEST_CASE("text without an expression stays as it is") {
  CHECK(fill("") == R"("")");
  CHECK(fill("$HOME ${x} $(y) {{ z }} }}") == R"("$HOME ${x} $(y) {{ z }} }}")");
}

TEST_CASE("$${{ is a literal ${{") {
  CHECK(fill("$${{ x }}") == R"("${{ x }}")");
  CHECK(fill("$$${{ x }}") == R"("$${{ x }}")");
  CHECK(fill("a $${{ b ${{ inputs.n }}") == R"("a ${{ b 3")");
}

TEST_CASE("has_template") {
  CHECK(has_template("a ${{ b }}"));
  CHECK(has_template("$${{ a ${{ b"));
  CHECK_FALSE(has_template("$${{ a }}"));
  CHECK_FALSE(has_template("${ {a}}"));
}

TEST_CASE("}} inside strings, maps and comments does not end an expression") {
  CHECK(fill("${{ '}}' }}") == R"("}}")");
  CHECK(fill("${{ {'a': {'b': 1}} }}") == R"({"a":{"b":1}})");
  CHECK(fill("${{ {'a': {'b': 1}}}}") == R"({"a":{"b":1}})");
  CHECK(fill("${{ r'\\}}' + \"\"\"}}\"\"\" }}") == R"("\\}}}}")");
  CHECK(fill("${{ 1 // }}\n }}") == "1");
}

TEST_CASE("all problems of a template are found, with their place in its text") {
  CHECK(fill("a ${{ nobody }} b ${{ 1 + }}") ==
        "6-12: unknown name 'nobody' (known: inputs); 25-25: expected a value, found the end");
  CHECK(fill("${{ }}") == "0-6: an expression is missing (write it between '${{' and '}}')");
  CHECK(fill("${{}}") == "0-5: an expression is missing (write it between '${{' and '}}')");
  CHECK(fill("x ${{ inputs.n") == "2-5: '${{' is not closed (end it with '}}')");
  CHECK(fill("x ${{ 'abc }} y ${{ zz }}") ==
        "6-7: a string is not closed (end it with '); 20-22: unknown name 'zz' (known: inputs)");
  CHECK(fill("${{ a } }}") == "6-7: expected an operator or the end, found '}'");
  CHECK(fill("${{ 1 = 1 }}") == "6-7: unexpected character '=' (write '==' to compare)");
}

TEST_CASE("a problem of evaluation has its place in the template's text") {
  CHECK(fill("n: ${{ inputs.lst }}") == "14-17: no field 'lst' (did you mean 'list'?)");
  CHECK(fill("n: ${{ 0.0 / 0.0 }}") == "7-16: NaN is not a JSON number");
}

TEST_CASE("pieces have their texts and places") {
  const auto compiled = Template::compile("a $${{ ${{  inputs.n }}", environment());
  const auto& pieces = compiled->pieces();
  REQUIRE(pieces.size() == 2);
  CHECK(pieces[0].text == "a ${{ ");
  CHECK(pieces[0].span == Span{0, 7});
  CHECK(pieces[1].expression->text() == "inputs.n");
  CHECK(pieces[1].span == Span{7, 23});
  CHECK(pieces[1].inner == Span{12, 20});
  CHECK_FALSE(compiled->is_literal());
  CHECK(Template::compile("$${{", environment())->is_literal());
}

Tree text(std::string_view from) { return Tree::of(*Template::compile(from, environment())); }

TEST_CASE("a tree of literals is one JSON value") {
  CHECK(*Tree().literal() == Json());
  CHECK(*text("a").literal() == Json("a"));
  CHECK(text("a").as_template() == nullptr);
  const Tree tree = Tree::map({{"a", Tree::list({Tree::of(Json(1)), text("x")})}, {"b", Tree()}});
  REQUIRE(tree.literal() != nullptr);
  CHECK(to_json_text(*tree.literal()) == R"({"a":[1,"x"],"b":null})");
  CHECK(to_json_text(*tree.evaluate({})) == R"({"a":[1,"x"],"b":null})");
}

TEST_CASE("a tree evaluates its templates and keeps its form") {
  const Tree list = Tree::list({text("${{ inputs.n }}"), Tree::of(Json(true))});
  const Tree tree = Tree::map({{"list", list}, {"name", text("<${{ inputs.name }}>")}});
  const std::vector<Value> slots{Value::view(kInputs)};
  CHECK(tree.literal() == nullptr);
  CHECK(to_json_text(*tree.evaluate(slots)) == R"({"list":[3,true],"name":"<Ada>"})");
  std::string visited;
  tree.visit([&](const Template& found) { visited += found.pieces().back().text + found.pieces()[0].text + ";"; });
  CHECK(visited == ";><;");
}

TEST_CASE("a tree fails with the first problem of its templates") {
  const Tree tree = Tree::list({text("${{ inputs.n }}"), text("${{ inputs.nmae }}")});
  const std::vector<Value> slots{Value::view(kInputs)};
  CHECK(show(tree.evaluate(slots).error()) == "11-15: no field 'nmae' (did you mean 'name'?)");
}

}  // namespace
}  // namespace canorun::expr
