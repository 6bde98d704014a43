// The JSON of a run, as every verb prints it.
#pragma once

#include "cli/refusal.h"
#include "engine/run/run_state.h"
#include "engine/store/store.h"

namespace canorun::cli {

/// With `children` where there are any: as `list` has them, in the order in which they began.
OrRefusal<Json> run_document(const store::CheckpointStore& store, const run::RunState& run, store::Status status);

}  // namespace canorun::cli
