// The task kinds of this program.
#pragma once

#include "engine/model/task_kind.h"

namespace canorun::tasks {

/// All kinds, sorted by name.
model::Catalog catalog();

}  // namespace canorun::tasks
