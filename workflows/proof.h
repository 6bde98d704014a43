// What is known of every run of a flow before there is one.
#pragma once

#include <vector>

#include "engine/model/flow.h"

namespace canorun::workflows {

/// States of which each can be come back to over the others.
struct Loop {
  std::vector<model::StateId> states;   ///< in the order of the file
  std::vector<model::StateId> left_at;  ///< those that can go on to a state outside
};

struct Proof {
  std::vector<model::StateId> exits;
  /// The longest way from the start to an exit that enters no state twice.
  std::vector<model::StateId> longest;
  /// False: the search was given up, and there may be a longer one.
  bool longest_is_exact = true;
  std::vector<Loop> loops;
};

/// `flow` has no errors: an exit can be reached from every state. Linear but for the longest way through
/// loops, for which the effort is bounded.
Proof prove(const model::Flow& flow);

}  // namespace canorun::workflows
