#include <doctest/doctest.h>

#include "evaluate.h"

namespace canorun::expr {
namespace {

TEST_CASE("number literals") {
  CHECK(evaluate("42") == "int 42");
  CHECK(evaluate("0xFf") == "int 255");
  CHECK(evaluate("42u") == "uint 42");
  CHECK(evaluate("0x10U") == "uint 16");
  CHECK(evaluate("1.5e3") == "double 1500.0");
  CHECK(evaluate(".5") == "double 0.5");
  CHECK(evaluate("2E-2") == "double 0.02");
  CHECK(evaluate("1e-999") == "double 0.0");
  CHECK(evaluate("-9223372036854775808") == "int -9223372036854775808");
  CHECK(evaluate("18446744073709551615u") == "uint 18446744073709551615");
}

TEST_CASE("number literals out of range are refused") {
  CHECK(evaluate("9223372036854775808") == "0-19: 9223372036854775808 does not fit into an int (ints have 64 bits)");
  CHECK(evaluate("18446744073709551616u") ==
        "0-21: 18446744073709551616u does not fit into a uint (uints have 64 bits)");
  CHECK(evaluate("1e999") == "0-5: 1e999 does not fit into a double");
}

TEST_CASE("string literals: quotes, escapes, raw, triple") {
  CHECK(evaluate(R"('a"b')") == R"(string "a\"b")");
  CHECK(evaluate(R"("a'b")") == R"(string "a'b")");
  CHECK(evaluate(R"('\n\t\\\'\"\`\?')") == R"(string "\n\t\\'\"`?")");
  CHECK(evaluate(R"('\x41\101\u00e9\U0001F600')") == "string \"AAé😀\"");
  CHECK(evaluate(R"(r'\n')") == R"(string "\\n")");
  CHECK(evaluate("'''a'b\nc'''") == R"(string "a'b\nc")");
  CHECK(evaluate("\"\"\"x\"\"\"") == R"(string "x")");
  CHECK(evaluate("R\"\"\"\\d\"\"\"") == R"(string "\\d")");
  CHECK(evaluate("'''a\r\nb\rc'''") == R"(string "a\nb\nc")");
}

TEST_CASE("bytes literals: escapes are octets") {
  CHECK(evaluate(R"(size(b'\xff\000'))") == "int 2");
  CHECK(evaluate(R"(size(b'é'))") == "int 2");
  CHECK(evaluate(R"(rb'\x')") == R"(bytes "XHg=")");
}

TEST_CASE("bad string literals say where and how to mend them") {
  CHECK(evaluate("1 + 'abc") == "4-5: a string is not closed (end it with ')");
  CHECK(evaluate("'''abc'") == "0-3: a string is not closed (end it with ''')");
  CHECK(evaluate("'a\nb'") == "0-1: a string is not closed (end it with ')");
  CHECK(evaluate(R"('a\d')") ==
        R"(2-4: '\d' is not an escape (write '\\' for a backslash, or r'…' for a text without escapes))");
  CHECK(evaluate(R"('\ud800')").starts_with("1-7: '\\ud800' is not an escape"));
  CHECK(evaluate(R"(b'\u0041')").starts_with("2-4: '\\u' is not an escape"));
  CHECK(evaluate(R"('\777')").starts_with("1-3: '\\7' is not an escape"));
}

TEST_CASE("constants, comments and blanks") {
  CHECK(evaluate(" true // and more\n && \t !false ") == "bool true");
  CHECK(evaluate("null") == "null null");
}

TEST_CASE("lists and maps, with a trailing comma") {
  CHECK(evaluate("[1, 'a', [true,],]") == R"(list [1,"a",[true]])");
  CHECK(evaluate("{'a': 1, 2: {}, true: null,}") == R"(map {"2":{},"a":1,"true":null})");
  CHECK(evaluate("[]") == "list []");
  CHECK(evaluate("{}") == "map {}");
}

TEST_CASE("precedence and associativity") {
  CHECK(evaluate("1 + 2 * 3 - 4 / 2 % 3") == "int 5");
  CHECK(evaluate("10 - 3 - 2") == "int 5");
  CHECK(evaluate("(1 + 2) * 3") == "int 9");
  CHECK(evaluate("1 < 2 == true") == "bool true");
  CHECK(evaluate("true || false && false") == "bool true");
  CHECK(evaluate("!true || true") == "bool true");
  CHECK(evaluate("-2 * -3") == "int 6");
  CHECK(evaluate("--2") == "int 2");
  CHECK(evaluate("!!true") == "bool true");
  CHECK(evaluate("false ? 1 : true ? 2 : 3") == "int 2");
  CHECK(evaluate("1 + 1 in [2]") == "bool true");
}

TEST_CASE("what is missing or too much is named, with its place") {
  CHECK(evaluate("") == "0-0: an expression is missing");
  CHECK(evaluate("  ") == "2-2: an expression is missing");
  CHECK(evaluate("1 +") == "3-3: expected a value, found the end");
  CHECK(evaluate("1 2") == "2-3: expected an operator or the end, found '2'");
  CHECK(evaluate("(1") == "2-2: expected ')', found the end");
  CHECK(evaluate("[1 2]") == "3-4: expected ',' or ']', found '2'");
  CHECK(evaluate("{'a' 1}") == "5-6: expected ':', found '1'");
  CHECK(evaluate("true ? 1") == "8-8: expected ':', found the end");
  CHECK(evaluate("size(1") == "6-6: expected ',' or ')', found the end");
  CHECK(evaluate("[1].") == "4-4: expected a field name, found the end");
  CHECK(evaluate("[1][0") == "5-5: expected ']', found the end");
}

TEST_CASE("slips from other languages get a hint") {
  CHECK(evaluate("1 = 1") == "2-3: unexpected character '=' (write '==' to compare)");
  CHECK(evaluate("true & true") == "5-6: unexpected character '&' (write '&&')");
  CHECK(evaluate("true | true") == "5-6: unexpected character '|' (write '||')");
  CHECK(evaluate("true and true") == "5-8: expected an operator or the end, found 'and' (write '&&')");
  CHECK(evaluate("true or true") == "5-7: expected an operator or the end, found 'or' (write '||')");
  CHECK(evaluate("{'a': 1}.in") == "9-11: 'in' is not a field name (write [\"in\"])");
  CHECK(evaluate("€") == "0-3: unexpected character '€'");
  CHECK(evaluate("1 + \x01") == "4-5: unexpected control character");
}

TEST_CASE("reserved words are not names, but may be fields") {
  CHECK(evaluate("if") == "0-2: 'if' is a reserved word");
  CHECK(evaluate("{'if': 1}.if") == "int 1");
  CHECK(evaluate("{'content-type': 1}.`content-type`") == "int 1");
}

TEST_CASE("text that is not UTF-8 is refused") { CHECK(evaluate("'\xff'") == "0-0: the expression is not UTF-8 text"); }

TEST_CASE("macros want names and a number of arguments") {
  CHECK(evaluate("[1].all(x + 1, true)") == "8-13: a name must stand here (write it like list.all(x, condition))");
  CHECK(evaluate("[1].map(x + 1)") == "4-7: map() does not take 1 argument (write it like list.map(x, value))");
  CHECK(evaluate("[1].all(x, x, true)") ==
        "11-12: 'x' stands here twice (write it like list.all(index, x, condition))");
  CHECK(evaluate("has(1)") == "0-3: has() takes one field (write it like has(output.json.name))");
  CHECK(evaluate("has({'a': 1}['a'])") == "0-3: has() takes one field (write it like has(output.json.name))");
  CHECK(evaluate("cel.bind(x, 1)") ==
        "4-8: cel.bind() takes 3 arguments (write it like cel.bind(x, value, expression))");
}

TEST_CASE("problems know their kind") {
  CHECK(kind_of_problem("1 +") == ProblemKind::kSyntax);
  CHECK(kind_of_problem("nobody") == ProblemKind::kUnknownName);
  CHECK(kind_of_problem("size()") == ProblemKind::kType);
  CHECK(kind_of_problem("1 / 0") == ProblemKind::kEvaluation);
}

}  // namespace
}  // namespace canorun::expr
