#include "workflows/groups.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace canorun::workflows {

using model::StateId;

Groups::Groups(const Targets& to)
    : to_(to), of_(to.size()), index_(to.size(), 0), low_(to.size(), 0), left_(to.size(), 0), open_(to.size(), false) {
  for (StateId id = 0; id < to.size(); ++id) {
    if (index_[id] == 0) search(id);
  }
}

void Groups::search(StateId root) {
  std::vector<std::pair<StateId, std::size_t>> path{{enter(root), 0}};
  while (!path.empty()) {
    auto& [id, next] = path.back();
    if (next < to_[id].size()) {
      const StateId to = to_[id][next++];
      if (index_[to] == 0) {
        path.emplace_back(enter(to), 0);
      } else if (open_[to]) {
        low_[id] = std::min(low_[id], index_[to]);
      }
      continue;
    }
    const StateId done = id;
    left_[done] = ++finished_;
    if (low_[done] == index_[done]) close(done);
    path.pop_back();
    if (!path.empty()) low_[path.back().first] = std::min(low_[path.back().first], low_[done]);
  }
}

StateId Groups::enter(StateId id) {
  index_[id] = low_[id] = ++entered_;
  open_[id] = true;
  stack_.push_back(id);
  return id;
}

void Groups::close(StateId first) {
  std::vector<StateId>& group = all_.emplace_back();
  StateId id = first;
  do {
    id = stack_.back();
    stack_.pop_back();
    open_[id] = false;
    of_[id] = all_.size() - 1;
    group.push_back(id);
  } while (id != first);
  std::ranges::sort(group, std::greater{}, [this](StateId state) { return left_[state]; });
}

bool goes_round(std::span<const StateId> group, const Targets& to) {
  return group.size() > 1 || std::ranges::find(to[group.front()], group.front()) != to[group.front()].end();
}

}  // namespace canorun::workflows
