// `list`: runs side by side.
#pragma once

#include <string>
#include <vector>

#include "cli/text.h"
#include "engine/store/store.h"

namespace canorun::cli {

/// A run, and how deep it stands under those that are listed before it.
struct Listed {
  store::Summary run;
  std::size_t depth = 0;
  std::uint64_t more = 0;  ///< so many children of the run above are left out from here on; there is no `run` then
};

/// Runs with their children, and these with theirs, in the order in which they began. Of a run that has more than
/// `most` (0: any number), those that have not succeeded come first, and the rest is left out.
store::StoreResult<std::vector<Listed>> with_children(const store::CheckpointStore& store,
                                                      const std::vector<store::Summary>& runs, std::size_t most);

/// So many children of a run are shown to people.
inline constexpr std::size_t kMostChildren = 10;

/// A table for people; `now` is how long a run that still works has taken.
std::string list_text(const std::vector<Listed>& runs, WallTime now, const Style& style);

/// `{id, flow, version, parent, status, state, started_at, ended_at}`
Json to_json(const store::Summary& run);

}  // namespace canorun::cli
