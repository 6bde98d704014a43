// Whether a run that waits without a process has something to do.
#pragma once

#include "engine/store/store.h"

namespace canorun::run {

/// Its time, or its signal, has come, or one of its children is due. What cannot be read is: whoever goes on with the
/// run says so.
bool is_due(const store::CheckpointStore& store, const store::Summary& run, WallTime now);

}  // namespace canorun::run
