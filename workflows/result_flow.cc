#include "workflows/result_flow.h"

#include <algorithm>
#include <array>

namespace canorun::workflows {

ResultFlow::ResultFlow(const Definition& flow, const Graph& graph)
    : flow_(flow), graph_(graph), before_(flow.states.size()), own_(flow.states.size()), changed_(flow.states.size(), 0) {
  order_from(graph.start);
}

// The reverse of the order in which a depth-first search leaves the states.
void ResultFlow::order_from(model::StateId start) {
  std::vector<char> seen(graph_.edges.size(), 0);
  std::vector<std::pair<model::StateId, std::size_t>> open{{start, 0}};
  seen[start] = 1;
  while (!open.empty()) {
    auto& [state, next] = open.back();
    if (next == graph_.edges[state].size()) {
      order_.push_back(state);
      open.pop_back();
      continue;
    }
    const model::StateId to = graph_.edges[state][next++].to;
    if (seen[to] != 0) continue;
    seen[to] = 1;
    open.emplace_back(to, 0);
  }
  std::ranges::reverse(order_);
}

bool ResultFlow::works(model::StateId id) const {
  const ShapeDef& shape = flow_.states[id].shape;
  return !std::holds_alternative<RouteDef>(shape) && !std::holds_alternative<ExitDef>(shape);
}

ResultFlow::Masks ResultFlow::after(model::StateId id, bool failed) const {
  const Masks& in = before_[id];
  if (!works(id) || (in.there | in.missing) == 0) return in;
  const Own& own = own_[id];
  const Bits left = own.ends | (failed ? own.errors : own.outputs);
  return {(in.there & ~own.all()) | left, (in.missing & ~own.all()) | (own.all() & ~left)};
}

void ResultFlow::pass_on(model::StateId id, bool failed) {
  Masks out = after(id, failed);
  for (const Edge& edge : graph_.edges[id]) {
    if (edge.after_error != failed) continue;
    work_left_ -= 1 + static_cast<std::int64_t>(edge.asks_for.size());
    // Who asks for a result, and goes another way without it, has thought of it: also in the rules behind.
    for (const model::StateId asked : edge.asks_for) {
      out.there |= own_[asked].all();
      out.missing &= ~own_[asked].all();
    }
    const Masks& given = edge.certain ? out : Masks{all_, 0};
    Masks& to = before_[edge.to];
    if ((given.there & ~to.there) == 0 && (given.missing & ~to.missing) == 0) continue;
    to.there |= given.there;
    to.missing |= given.missing;
    changed_[edge.to] = 1;
  }
}

bool ResultFlow::follow(std::span<const StateResult> results) {
  for (const model::StateId id : followed_) own_[id] = {};
  followed_.clear();
  all_ = 0;
  for (std::size_t i = 0; i < results.size(); ++i) {
    const Bits bit = Bits{1} << i;
    Own& own = own_[results[i].of];
    (results[i].part == Part::kOutput ? own.outputs : results[i].part == Part::kError ? own.errors : own.ends) |= bit;
    followed_.push_back(results[i].of);
    all_ |= bit;
  }
  std::ranges::fill(before_, Masks{});
  before_[graph_.start].missing = all_;
  changed_[graph_.start] = 1;
  // A change that goes back in the order waits for the next round.
  for (bool again = true; again;) {
    again = false;
    for (const model::StateId id : order_) {
      if (changed_[id] == 0) continue;
      if (work_left_ < 0) return false;
      changed_[id] = 0;
      pass_on(id, false);
      pass_on(id, true);
      again = true;
    }
  }
  return true;
}

Presence ResultFlow::at(Moment moment, std::size_t result) const {
  const Masks masks = moment.phase == Phase::kBefore ? before_[moment.state] : after(moment.state, moment.phase == Phase::kAfterFailure);
  return {(masks.there >> result & 1U) != 0, (masks.missing >> result & 1U) != 0};
}

std::vector<model::StateId> ResultFlow::way_without(StateResult result, Moment moment) const {
  // Each state twice: entered without the result, or with it.
  struct Entered {
    model::StateId state;
    bool missing;
  };
  std::vector<std::array<bool, 2>> seen(graph_.edges.size());
  std::vector<Entered> queue{{graph_.start, true}};
  std::vector<std::size_t> came{0};  // index into `queue`
  seen[graph_.start][1] = true;
  const auto after = [&](const Entered& node, bool failed) {
    if (node.state != result.of || !works(node.state)) return node.missing;
    return result.part == Part::kOutput ? failed : result.part == Part::kError && !failed;
  };
  for (std::size_t i = 0; i < queue.size(); ++i) {
    const Entered node = queue[i];
    const bool before = moment.phase == Phase::kBefore;
    if (node.state == moment.state && (before ? node.missing : after(node, moment.phase == Phase::kAfterFailure))) {
      std::vector<model::StateId> way{node.state};
      for (std::size_t at = i; at != 0; way.push_back(queue[at].state)) at = came[at];
      std::ranges::reverse(way);
      return way;
    }
    std::array<bool, 2> asked{};
    for (const Edge& edge : graph_.edges[node.state]) {
      bool& thought_of = asked[edge.after_error ? 1 : 0];
      thought_of = thought_of || std::ranges::find(edge.asks_for, result.of) != edge.asks_for.end();
      const Entered to{edge.to, edge.certain && !thought_of && after(node, edge.after_error)};
      bool& known = seen[to.state][to.missing ? 1 : 0];
      if (known) continue;
      known = true;
      queue.push_back(to);
      came.push_back(i);
    }
  }
  return {};
}

}  // namespace canorun::workflows
