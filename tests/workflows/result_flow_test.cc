#include "workflows/result_flow.h"

#include <doctest/doctest.h>

#include <array>

using namespace canorun;
using namespace canorun::workflows;

namespace {

/// s0 → s1 → … → an exit; a failure leads to the state before.
struct Chain {
  explicit Chain(std::size_t states) : nodes(states + 1), flow{}, graph{.start = 0, .edges = {}, .never_succeeds = {}} {
    flow.states.resize(states + 1);
    graph.edges.resize(states + 1);
    graph.never_succeeds.resize(states + 1);
    for (model::StateId id = 0; id <= states; ++id) {
      nodes[id].text = "s" + std::to_string(id);
      flow.states[id].name = &nodes[id];
      flow.states[id].shape = id < states ? ShapeDef(ActionDef{}) : ShapeDef(ExitDef{});
      if (id == states) continue;
      graph.edges[id].push_back({.to = id + 1});
      if (id > 0) graph.edges[id].push_back({.to = id - 1, .after_error = true});
    }
  }

  std::vector<Node> nodes;
  Definition flow;
  Graph graph;
};

constexpr std::array kResults{StateResult{.of = 1, .part = Part::kOutput}, StateResult{.of = 2, .part = Part::kError},
                              StateResult{.of = 3, .part = Part::kEnd}};

// Of each of the results, before a state: + there, - missing, ~ either.
std::string before(const ResultFlow& results, model::StateId state) {
  std::string text;
  for (std::size_t i = 0; i < kResults.size(); ++i) {
    const Presence presence = results.at({state, Phase::kBefore}, i);
    text += presence.there ? (presence.missing ? '~' : '+') : (presence.missing ? '-' : ' ');
  }
  return text;
}

}  // namespace

TEST_CASE("results are followed around loops, also against the order of the states") {
  const Chain chain(4);
  ResultFlow results(chain.flow, chain.graph);
  results.follow(kResults);
  std::vector<std::string> found;
  for (model::StateId id = 0; id <= 4; ++id) found.push_back(before(results, id));
  CHECK(found == std::vector<std::string>{"-~~", "~~~", "+~~", "+-~", "+-+"});
}

TEST_CASE("where loops take more work than there is, it is still known what cannot be there") {
  Chain chain(4);
  chain.graph.edges[3].pop_back();  // s3 never leads back
  ResultFlow results(chain.flow, chain.graph, 0);
  results.follow(kResults);
  std::vector<std::string> found;
  for (model::StateId id = 0; id <= 4; ++id) found.push_back(before(results, id));
  // That s3 has not run in s0 to s2, which go round.
  CHECK(found == std::vector<std::string>{"~~-", "~~-", "+~-", "+--", "+-+"});
}

TEST_CASE("many loops one in the other take about as much work as edges") {
  const Chain chain(5'000);
  ResultFlow results(chain.flow, chain.graph, 1'000'000);
  std::vector<StateResult> all;
  for (model::StateId id = 1; id <= ResultFlow::kAtOnce; ++id) all.push_back({id * 19, Part::kError});
  results.follow(all);
  // Not a guess: the error of s19 is gone once s19 has succeeded.
  const Presence presence = results.at({20, Phase::kBefore}, 0);
  CHECK(!presence.there);
  CHECK(presence.missing);
}
