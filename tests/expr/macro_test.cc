#include <doctest/doctest.h>

#include "evaluate.h"

namespace canorun::expr {
namespace {

TEST_CASE("all and exists settle as soon as one element does, errors before it or not") {
  CHECK(evaluate("[1, 2].all(x, x > 0)") == "bool true");
  CHECK(evaluate("[].all(x, 1 / 0 > 0)") == "bool true");
  CHECK(evaluate("[0, -1].all(x, 1 / x > 0)") == "bool false");
  CHECK(evaluate("[0, 1].all(x, 1 / x > 0)") == "16-17: division by zero");
  CHECK(evaluate("[0, 1].exists(x, 1 / x > 0)") == "bool true");
  CHECK(evaluate("[1].exists(x, x)") == "14-15: a condition must be a bool, not int");
}

TEST_CASE("exists_one looks at every element") {
  CHECK(evaluate("[1, 2, 3].exists_one(x, x == 2)") == "bool true");
  CHECK(evaluate("[2, 2].existsOne(x, x == 2)") == "bool false");
  CHECK(evaluate("[2, 0].exists_one(x, 2 / x == 1)") == "23-24: division by zero");
}

TEST_CASE("map and filter make lists") {
  CHECK(evaluate("[1, 2, 3].map(x, x * 2)") == "list [2,4,6]");
  CHECK(evaluate("[1, 2, 3].map(x, x > 1, x * 2)") == "list [4,6]");
  CHECK(evaluate("[1, 2, 3].filter(x, x % 2 == 1)") == "list [1,3]");
  CHECK(evaluate("[1].filter(x, x)") == "14-15: a condition must be a bool, not int");
}

TEST_CASE("one variable over a map is its keys") {
  CHECK(evaluate("{'b': 1, 'a': 2}.map(k, k)") == R"(list ["a","b"])");
  CHECK(evaluate("{'b': 1, 'a': 2}.filter(k, k > 'a')") == R"(list ["b"])");
}

TEST_CASE("two variables are index or key, and element or value") {
  CHECK(evaluate("['a', 'b'].all(i, x, (i == 0) == (x == 'a'))") == "bool true");
  CHECK(evaluate("{'a': 1}.exists(k, v, k == 'a' && v == 1)") == "bool true");
  CHECK(evaluate("['a', 'b'].transformList(i, x, string(i) + x)") == R"(list ["0a","1b"])");
  CHECK(evaluate("{'a': 1, 'b': 2}.transformMap(k, v, v > 1, v * 10)") == R"(map {"b":20})");
}

TEST_CASE("variables shadow names outside, from the inside out") {
  const Json variables = {{"x", 100}};
  CHECK(evaluate("[1].map(x, x + 1)[0] + x", variables) == "int 102");
  CHECK(evaluate("[1].map(x, .x)", variables) == "list [100]");
  CHECK(evaluate("[1, 2].map(x, [10].map(x, x + 1)[0] + x)") == "list [12,13]");
  CHECK(evaluate("[1, 2].map(x, [3, 4].map(y, x * y))") == "list [[3,4],[6,8]]");
  CHECK(evaluate("[1].map(int, int + 1)") == "list [2]");
}

TEST_CASE("variables are not known outside of their macro") {
  CHECK(evaluate("[1].map(x, x) + [x]") == "17-18: unknown name 'x'");
}

TEST_CASE("cel.bind names a value") {
  CHECK(evaluate("cel.bind(x, 2 + 3, x * x)") == "int 25");
  CHECK(evaluate("cel.bind(x, 1, cel.bind(y, x + 1, [x, y]))") == "list [1,2]");
}

TEST_CASE("only lists and maps have elements") {
  CHECK(evaluate("'abc'.map(c, c)") ==
        "6-9: cannot go over a value of type string (only lists and maps have elements)");
}

}  // namespace
}  // namespace canorun::expr
