// `show`: the story of one run, for people.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/report.h"
#include "cli/text.h"
#include "cli/view_list.h"
#include "engine/store/store.h"

namespace canorun::cli {

/// Where a run stands that waits for its concurrency group.
struct InQueue {
  std::string group;
  std::vector<std::string> before = {};  ///< the run that has it first, then those that come next
};

/// `now`: the time up to which a run that still works has worked. `queued`: of a run that is.
std::string run_text(const store::RunRecord& record, WallTime now, const CommandText& command, const Style& style,
                     const std::vector<Listed>& children = {}, const std::optional<InQueue>& queued = {});

/// `waits until 2026-12-01T09:00:00.000Z`, `waits for signal approval`, or both.
std::string waits_text(const store::WaitsFor& waits);

/// A status, painted by what it means for the reader.
std::string painted(store::Status status, const Style& style);

/// The part of an action's output that a person looks for first, on one line.
std::string output_summary(const Json& output, std::size_t most);

}  // namespace canorun::cli
