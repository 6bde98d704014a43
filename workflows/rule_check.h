// Rules that are never looked at, that may not suffice, or that go round without an end.
#pragma once

#include <vector>

#include "engine/model/flow.h"
#include "workflows/definition.h"
#include "workflows/graph.h"
#include "workflows/reader.h"

namespace canorun::workflows {

/// Its `when` is literally false.
bool never_holds(const model::Transition& rule);

/// `compiled` has an element for each rule; a `when` that is wrong is missing from it.
void check_rules(Reader& reader, const RulesDef& def, const std::vector<model::Transition>& compiled);

/// Warns when there may be no rule of the state that holds.
void check_last_rule(Reader& reader, const StateDef& def, const model::State& compiled);

/// Warns of a failure that leads straight back to the work that failed, whatever it was.
void check_loops(Reader& reader, const Definition& flow, const Graph& graph, const model::Flow& compiled);

}  // namespace canorun::workflows
