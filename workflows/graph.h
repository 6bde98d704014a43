// The state machine as far as it is known, and whether it can be gone through: every state from the
// start, an exit from every state.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/model/flow.h"
#include "workflows/definition.h"
#include "workflows/groups.h"
#include "workflows/reader.h"

namespace canorun::workflows {

/// One way out of a state.
struct Edge {
  model::StateId to = 0;
  bool after_error = false;  ///< of `on_error`
  /// False: where it leads, or when, is guessed, for what is written there is wrong. It must not make
  /// states look unreachable, and nothing else is concluded from it.
  bool certain = true;
  bool never = false;  ///< its `when` is literally false
  /// States whose results its `when` asks for.
  std::vector<model::StateId> asks_for = {};
};

struct Graph {
  model::StateId start = 0;
  /// Of each state, in the order in which its rules are tried.
  std::vector<std::vector<Edge>> edges;
  /// Of each state: what it does can only fail.
  std::vector<bool> never_succeeds;
};

/// Where the edges lead that can be taken.
Targets targets(const Graph& graph);

/// When something is evaluated: around the work of a state.
enum class Phase : std::uint8_t {
  kNone,    ///< not in a state
  kBefore,  ///< its result is that of an earlier visit
  kAfterSuccess,
  kAfterFailure,
  kAside,  ///< in a service or at the run's end: any state may have run, or not
};

struct Moment {
  model::StateId state = 0;  ///< aside: behind all states, another for each
  Phase phase = Phase::kNone;
  bool has_output = false;  ///< what the work gave just now is in scope as `output`
  bool later = false;       ///< or any time after it: another state may have run since, or not
};

void check_graph(Reader& reader, const Definition& flow, const Graph& graph);

}  // namespace canorun::workflows
