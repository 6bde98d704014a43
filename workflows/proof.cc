#include "workflows/proof.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "workflows/groups.h"
#include "workflows/rule_check.h"

namespace canorun::workflows {
namespace {

using model::StateId;

Targets targets(const model::Flow& flow) {
  Targets to(flow.states.size());
  for (StateId id = 0; id < to.size(); ++id) {
    for (const auto* const rules : {&flow.states[id].next, &flow.states[id].on_error}) {
      for (const model::Transition& rule : *rules) {
        if (!never_holds(rule)) to[id].push_back(rule.to);
      }
    }
    std::ranges::sort(to[id]);
    to[id].erase(std::unique(to[id].begin(), to[id].end()), to[id].end());
  }
  return to;
}

/// The longest way to an exit, group by group: who has left a group never comes back to it.
class LongestWay {
 public:
  LongestWay(const model::Flow& flow, const Targets& to, const Groups& groups)
      : flow_(flow), to_(to), groups_(groups), length_(to.size(), 0), inside_(to.size()), on_way_(to.size(), false) {}

  void find(Proof& proof) {
    std::vector<bool> entered(to_.size(), false);
    entered[flow_.start] = true;
    for (StateId id = 0; id < to_.size(); ++id) {
      for (const StateId to : to_[id]) {
        if (groups_.of(to) != groups_.of(id)) entered[to] = true;
      }
    }
    for (const auto& group : groups_.all()) {
      for (const StateId id : group) {
        if (entered[id]) search(id);
      }
    }
    proof.longest = way();
    proof.longest_is_exact = steps_left_ > 0;
    if (proof.longest_is_exact) return;
    if (auto other = deepest(); other.size() > proof.longest.size()) proof.longest = std::move(other);
  }

 private:
  bool is_exit(StateId id) const { return std::holds_alternative<model::ExitShape>(flow_.states[id].shape); }

  // Goes through the group of `first` in all ways that enter no state twice.
  void search(StateId first) {
    std::vector<std::pair<StateId, std::size_t>> path{{first, 0}};
    on_way_[first] = true;
    while (!path.empty()) {
      auto& [id, next] = path.back();
      if (steps_left_ > 0 && next < to_[id].size()) {
        --steps_left_;
        const StateId to = to_[id][next++];
        if (groups_.of(to) != groups_.of(id)) {
          if (length_[to] > 0) keep(first, path, length_[to] + path.size(), to);
        } else if (!on_way_[to]) {
          on_way_[to] = true;
          path.emplace_back(to, 0);
        }
        continue;
      }
      if (is_exit(id)) keep(first, path, path.size(), std::nullopt);
      on_way_[id] = false;
      path.pop_back();
    }
  }

  void keep(StateId first, const std::vector<std::pair<StateId, std::size_t>>& path, std::size_t length,
            std::optional<StateId> then) {
    if (length <= length_[first]) return;
    length_[first] = length;
    auto& inside = inside_[first];
    inside.states.clear();
    for (const auto& [id, next] : path) inside.states.push_back(id);
    inside.then = then;
    steps_left_ -= std::min(steps_left_, path.size());
  }

  std::vector<StateId> way() const {
    std::vector<StateId> way;
    for (std::optional<StateId> at = flow_.start; at; at = inside_[*at].then) {
      way.insert(way.end(), inside_[*at].states.begin(), inside_[*at].states.end());
    }
    return way;
  }

  // The way to the exit that a plain search finds deepest.
  std::vector<StateId> deepest() const {
    std::vector<StateId> best;
    std::vector<bool> seen(to_.size(), false);
    std::vector<std::pair<StateId, std::size_t>> path{{flow_.start, 0}};
    seen[flow_.start] = true;
    while (!path.empty()) {
      auto& [id, next] = path.back();
      if (next == to_[id].size()) {
        if (is_exit(id) && path.size() > best.size()) {
          best.clear();
          for (const auto& step : path) best.push_back(step.first);
        }
        path.pop_back();
        continue;
      }
      const StateId to = to_[id][next++];
      if (seen[to]) continue;
      seen[to] = true;
      path.emplace_back(to, 0);
    }
    return best;
  }

  /// The longest way from a state, as far as its group goes.
  struct Inside {
    std::vector<StateId> states;
    std::optional<StateId> then;  ///< where the group is left to; none: the way ends in an exit
  };

  const model::Flow& flow_;
  const Targets& to_;
  const Groups& groups_;
  std::vector<std::size_t> length_;  ///< of the longest way from a state; 0: none was looked for
  std::vector<Inside> inside_;
  std::vector<bool> on_way_;
  std::size_t steps_left_ = 1'000'000;
};

Loop loop(const std::vector<StateId>& group, const Targets& to, const Groups& groups) {
  Loop loop{.states = group, .left_at = {}};
  std::ranges::sort(loop.states);
  for (const StateId id : loop.states) {
    if (std::ranges::any_of(to[id], [&](StateId next) { return groups.of(next) != groups.of(id); }))
      loop.left_at.push_back(id);
  }
  return loop;
}

}  // namespace

Proof prove(const model::Flow& flow) {
  Proof proof;
  const Targets to = targets(flow);
  const Groups groups(to);
  for (StateId id = 0; id < flow.states.size(); ++id) {
    if (std::holds_alternative<model::ExitShape>(flow.states[id].shape)) proof.exits.push_back(id);
  }
  LongestWay(flow, to, groups).find(proof);
  for (const auto& group : groups.all()) {
    if (goes_round(group, to)) proof.loops.push_back(loop(group, to, groups));
  }
  std::ranges::sort(proof.loops, {}, [](const Loop& each) { return each.states.front(); });
  return proof;
}

}  // namespace canorun::workflows
