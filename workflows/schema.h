// The JSON Schema (draft 2020-12) of the flow file: what editors complete, explain and check by.
#pragma once

#include "engine/base/value.h"
#include "engine/model/task_kind.h"

namespace canorun::workflows {

/// Made of the tables that the reader uses. It refuses no flow that the reader takes; what is beyond a
/// schema (names of states, expressions, the graph) it lets pass. `patternErrorMessage`, `errorMessage`
/// and `enumDescriptions` are of yaml-language-server; other programs pass over them.
Json flow_schema(model::Catalog catalog);

/// The schema of a parameter's value.
Json param_schema(const model::Param& param);

}  // namespace canorun::workflows
