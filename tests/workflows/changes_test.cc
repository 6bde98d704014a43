#include "workflows/changes.h"

#include <doctest/doctest.h>

using namespace canorun::workflows;

namespace {

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("how a flow is written, and its comments, change nothing of it") {
  const Changes changes = changes_between("states:\n  a: {run: x, next: [{to: b}]}  # here\nname: 'f'\n",
                                          "name: f\nstates:\n  a:\n    next:\n    - to: b\n    run: \"x\"\n");
  CHECK(changes.added.empty());
  CHECK(changes.removed.empty());
  CHECK(changes.altered.empty());
  CHECK(changes.others.empty());
}

TEST_CASE("states that came, went and were altered, and other keys") {
  const Changes changes = changes_between(
      "name: f\nversion: 1\nenv: {A: x}\ntimeout: 1m\nstates: {a: {run: x, next: [b, c]}, b: {n: 1}, c: {l: [1, 2]}}\n",
      "name: f\nversion: 2\nenv: {A: y}\nkeep: 1d\nstates: {a: {run: x, next: [c, b]}, d: {n: 1}, c: {l: [1, 2]}}\n");
  CHECK(changes.added == Names{"d"});
  CHECK(changes.removed == Names{"b"});
  CHECK(changes.altered == Names{"a"});
  CHECK(changes.others == Names{"keep", "timeout", "env"});
}
