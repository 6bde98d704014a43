// What a piece of work on files notes before it changes anything that it could not recognize afterwards.
#pragma once

#include <optional>
#include <string>

#include "engine/base/result.h"
#include "engine/base/value.h"
#include "tasks/file_work.h"

namespace canorun::tasks {

/// The note of this work, if it has begun before, on the same paths. A note that was not finished is none:
/// nothing was done then.
std::optional<Json> read_note(const FileWork& work);

/// Durable when it returns.
Result<void> keep_note(const FileWork& work, Json what);

/// Nothing has begun after all.
void drop_note(const FileWork& work);

}  // namespace canorun::tasks
