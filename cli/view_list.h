// `list`: runs side by side.
#pragma once

#include <string>
#include <vector>

#include "cli/text.h"
#include "engine/store/row.h"

namespace canorun::cli {

/// A table for people; `now` is how long a run that still works has taken.
std::string list_text(const std::vector<store::Summary>& runs, WallTime now, const Style& style);

/// `{id, flow, version, status, state, started_at, ended_at}`
Json to_json(const store::Summary& run);

}  // namespace canorun::cli
