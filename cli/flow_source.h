// Where a verb's flow comes from: a file, or the store.
#pragma once

#include <memory>
#include <string>

#include "cli/wiring.h"
#include "engine/model/flow.h"
#include "engine/run/run_state.h"

namespace canorun::cli {

/// Reads and checks a flow file. Warnings go to stderr; errors are a refusal with all of them.
OrRefusal<std::shared_ptr<const model::Flow>> flow_from_file(Wiring& wiring, const std::string& path);

/// The definition that a run was started with, or was given last.
OrRefusal<std::shared_ptr<const model::Flow>> flow_of_run(Wiring& wiring, const store::CheckpointStore& store,
                                                          const run::RunState& run);

}  // namespace canorun::cli
