#include "workflows/proof.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "workflows/flows.h"

using namespace canorun;
using namespace canorun::workflows;

namespace {

struct Proven {
  std::shared_ptr<const model::Flow> flow;
  Proof proof;

  std::vector<std::string> names(const std::vector<model::StateId>& states) const {
    std::vector<std::string> names;
    for (const model::StateId id : states) names.push_back(flow->states[id].name);
    return names;
  }
  std::vector<std::string> longest() const { return names(proof.longest); }
};

using Names = std::vector<std::string>;

// `edges` are lines `from: to to to`; what goes nowhere is an exit.
Proven proven(const std::vector<std::pair<std::string, Names>>& edges) {
  std::string text = "name: x\nvars: {n: 0}\nstates:\n";
  for (const auto& [from, to] : edges) {
    if (to.empty()) {
      text += fmt::format("  {}: {{exit: success}}\n", from);
      continue;
    }
    text += fmt::format("  {}: {{task: pass, next: [", from);
    for (std::size_t i = 0; i + 1 < to.size(); ++i) text += fmt::format("{{when: vars.n == {}, to: {}}}, ", i, to[i]);
    text += fmt::format("{{to: {}}}]}}\n", to.back());
  }
  const auto loaded = testing::load(text);
  REQUIRE_MESSAGE(loaded.flow, testing::problems(loaded));
  return {loaded.flow, prove(*loaded.flow)};
}

}  // namespace

TEST_CASE("a flow without loops: its exits and its longest path") {
  const Proven p =
      proven({{"a", {"b", "done"}}, {"b", {"c", "failed"}}, {"c", {"done"}}, {"failed", {}}, {"done", {}}});
  CHECK(p.names(p.proof.exits) == Names{"failed", "done"});
  CHECK(p.longest() == Names{"a", "b", "c", "done"});
  CHECK(p.proof.longest_is_exact);
  CHECK(p.proof.loops.empty());
}

TEST_CASE("a way through on_error counts") {
  const auto loaded = testing::load(
      "name: x\nstates:\n  a: {run: ./a, on_error: b, next: done}\n  b: {run: ./b, next: done}\n  done: {exit: "
      "success}\n");
  REQUIRE(loaded.flow);
  CHECK(prove(*loaded.flow).longest == std::vector<model::StateId>{0, 1, 2});
}

TEST_CASE("a rule that never holds is no way") {
  const auto loaded = testing::load(
      "name: x\nstates:\n  a: {run: ./a, next: [{when: false, to: b}, {to: done}]}\n"
      "  b: {run: ./b, next: a}\n  done: {exit: success}\n");
  REQUIRE_MESSAGE(loaded.flow, testing::problems(loaded));
  const Proof proof = prove(*loaded.flow);
  CHECK(proof.longest == std::vector<model::StateId>{0, 2});
  CHECK(proof.loops.empty());
}

TEST_CASE("loops are told with the states that leave them") {
  const Proven p = proven({{"a", {"b"}},
                           {"b", {"c", "itself"}},
                           {"c", {"b", "d"}},
                           {"d", {"e"}},
                           {"e", {"b"}},
                           {"itself", {"itself", "done"}},
                           {"done", {}}});
  REQUIRE(p.proof.loops.size() == 2);
  CHECK(p.names(p.proof.loops[0].states) == Names{"b", "c", "d", "e"});
  CHECK(p.names(p.proof.loops[0].left_at) == Names{"b"});
  CHECK(p.names(p.proof.loops[1].states) == Names{"itself"});
  CHECK(p.names(p.proof.loops[1].left_at) == Names{"itself"});
}

TEST_CASE("the longest path enters no state of a loop twice") {
  // Into the loop at b, all around it, and out at the state before b.
  const Proven p =
      proven({{"a", {"b", "d"}}, {"b", {"c"}}, {"c", {"d", "done"}}, {"d", {"b", "e"}}, {"e", {"done"}}, {"done", {}}});
  CHECK(p.longest() == Names{"a", "b", "c", "d", "e", "done"});
  CHECK(p.proof.longest_is_exact);
}

TEST_CASE("many loops one after the other are still searched whole") {
  std::vector<std::pair<std::string, Names>> edges;
  for (int i = 0; i < 500; ++i) {
    edges.push_back({fmt::format("a{}", i), {fmt::format("b{}", i), fmt::format("c{}", i)}});
    edges.push_back({fmt::format("b{}", i), {fmt::format("a{}", i), fmt::format("c{}", i)}});
    edges.push_back({fmt::format("c{}", i), {fmt::format("b{}", i), i == 499 ? "done" : fmt::format("a{}", i + 1)}});
  }
  edges.push_back({"done", {}});
  const Proven p = proven(edges);
  CHECK(p.proof.longest.size() == 1501);
  CHECK(p.proof.longest_is_exact);
  CHECK(p.proof.loops.size() == 500);
}

TEST_CASE("where all states lead to all, the longest path is given up, and a long one told") {
  std::vector<std::pair<std::string, Names>> edges;
  Names all;
  for (int i = 0; i < 40; ++i) all.push_back(fmt::format("s{}", i));
  all.push_back("done");
  for (int i = 0; i < 40; ++i) edges.push_back({all[static_cast<std::size_t>(i)], all});
  edges.push_back({"done", {}});
  const Proven p = proven(edges);
  CHECK(!p.proof.longest_is_exact);
  CHECK(p.proof.longest.size() == 41);
  CHECK(p.longest().front() == "s0");
  CHECK(p.longest().back() == "done");
  CHECK(p.proof.loops.size() == 1);
}
