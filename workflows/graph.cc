#include "workflows/graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

namespace canorun::workflows {
namespace {

/// Who reached each state first; 0: nobody.
using Marks = std::vector<std::uint32_t>;

bool is_exit(const StateDef& state) { return std::holds_alternative<ExitDef>(state.shape); }

// Marks all that can be reached from `from` over states without a mark. True when it met the mark of
// somebody else.
bool spread(const Targets& edges, model::StateId from, std::uint32_t mark, Marks& marks) {
  bool met = false;
  std::vector<model::StateId> open{from};
  marks[from] = mark;
  while (!open.empty()) {
    const model::StateId state = open.back();
    open.pop_back();
    for (const model::StateId next : edges[state]) {
      if (marks[next] != 0) {
        met = met || marks[next] != mark;
        continue;
      }
      marks[next] = mark;
      open.push_back(next);
    }
  }
  return met;
}

Targets targets(const Graph& graph, bool also_never) {
  Targets to(graph.edges.size());
  for (model::StateId from = 0; from < to.size(); ++from) {
    for (const Edge& edge : graph.edges[from]) {
      if (also_never || !edge.never) to[from].push_back(edge.to);
    }
  }
  return to;
}

Targets reversed(const Targets& edges) {
  Targets back(edges.size());
  for (model::StateId from = 0; from < edges.size(); ++from) {
    for (const model::StateId to : edges[from]) {
      if (to != from) back[to].push_back(from);
    }
  }
  return back;
}

class GraphCheck {
 public:
  GraphCheck(Reader& reader, const Definition& flow, const Graph& graph)
      : reader_(reader),
        flow_(flow),
        edges_(targets(graph, true)),
        taken_(targets(graph, false)),
        back_(reversed(edges_)),
        back_taken_(reversed(taken_)),
        reached_(flow.states.size(), 0) {
    spread(edges_, graph.start, 1, reached_);
  }

  void run() {
    const bool has_end = check_exits();
    check_reached(has_end);
  }

 private:
  const StateDef& state(model::StateId id) const { return flow_.states[id]; }

  // False when there are states that no exit can be reached from.
  bool check_exits() {
    Marks can_end(flow_.states.size(), 0);
    bool has_exit = false;
    for (model::StateId id = 0; id < flow_.states.size(); ++id) {
      // A state without a shape may have been meant to be an exit.
      if (!is_exit(state(id)) && !std::holds_alternative<std::monostate>(state(id).shape)) continue;
      has_exit = true;
      if (can_end[id] == 0) spread(back_taken_, id, 1, can_end);
    }
    if (!has_exit) {
      reader_.error(Code::kNoExit, *flow_.states.front().name, "no state ends the flow",
                    "add one: 'done: {exit: success}'");
      return false;
    }
    bool all_end = true;
    Marks told(flow_.states.size(), 0);
    for (model::StateId id = 0; id < flow_.states.size(); ++id) {
      if (reached_[id] == 0 || can_end[id] != 0 || told[id] != 0) continue;
      all_end = false;
      // What leads into a circle that was told of is the same mistake.
      if (spread(taken_, id, id + 1, told)) continue;
      reader_.error(Code::kNoPathToExit, *state(id).name,
                    fmt::format("no exit can be reached from state '{}'", state(id).text()));
    }
    return all_end;
  }

  void check_reached(bool has_end) {
    Marks told = reached_;
    const auto tell = [&](model::StateId id) {
      spread(edges_, id, 1, told);
      // An exit that nothing leads to, because all states go round in circles, is that same mistake.
      if (!has_end && is_exit(state(id))) return;
      reader_.error(Code::kUnreachableState, *state(id).name,
                    fmt::format("state '{}' is never entered", state(id).text()),
                    "go there from another state, or delete it");
    };
    // First those that nothing leads to: what only they lead to is not told of again.
    for (model::StateId id = 0; id < told.size(); ++id) {
      if (told[id] == 0 && back_[id].empty()) tell(id);
    }
    for (model::StateId id = 0; id < told.size(); ++id) {
      if (told[id] == 0) tell(id);
    }
  }

  Reader& reader_;
  const Definition& flow_;
  // A rule that never holds was told of: what it leads to counts as entered, but nothing ends by it.
  Targets edges_, taken_;
  Targets back_, back_taken_;
  Marks reached_;
};

}  // namespace

Targets targets(const Graph& graph) { return targets(graph, false); }

void check_graph(Reader& reader, const Definition& flow, const Graph& graph) { GraphCheck(reader, flow, graph).run(); }

}  // namespace canorun::workflows
