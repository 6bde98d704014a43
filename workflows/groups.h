// The states that go round together.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/model/flow.h"

namespace canorun::workflows {

/// Where each state leads.
using Targets = std::vector<std::vector<model::StateId>>;

/// All states in groups of which each state leads to each other (Tarjan's algorithm). Borrows `to`.
class Groups {
 public:
  explicit Groups(const Targets& to);

  /// A group comes after all that it leads to. Inside of it a state comes before what it leads to, as far as
  /// the loops let it.
  const std::vector<std::vector<model::StateId>>& all() const { return all_; }
  std::size_t of(model::StateId id) const { return of_[id]; }

 private:
  void search(model::StateId root);
  model::StateId enter(model::StateId id);
  void close(model::StateId first);

  const Targets& to_;
  std::vector<std::vector<model::StateId>> all_;
  std::vector<std::size_t> of_;
  std::vector<std::uint32_t> index_, low_, left_;
  std::vector<bool> open_;
  std::vector<model::StateId> stack_;
  std::uint32_t entered_ = 0;
  std::uint32_t finished_ = 0;
};

/// Whether one of the group can be come back to.
bool goes_round(std::span<const model::StateId> group, const Targets& to);

}  // namespace canorun::workflows
