// Whether a state machine can be gone through: every state from the start, an exit from every state.
#pragma once

#include <vector>

#include "engine/model/flow.h"
#include "workflows/definition.h"
#include "workflows/reader.h"

namespace canorun::workflows {

/// Where each state can go, as far as it is known or can be guessed: a wrong target is reported where
/// it stands, and must not make others look unreachable too.
struct Graph {
  model::StateId start = 0;
  std::vector<std::vector<model::StateId>> edges;
};

void check_graph(Reader& reader, const Definition& flow, const Graph& graph);

}  // namespace canorun::workflows
