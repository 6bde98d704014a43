// `show`: the story of one run, for people.
#pragma once

#include <string>

#include "cli/report.h"
#include "cli/text.h"
#include "cli/view_list.h"
#include "engine/store/store.h"

namespace canorun::cli {

/// `now`: the time up to which a run that still works has worked.
std::string run_text(const store::RunRecord& record, WallTime now, const CommandText& command, const Style& style,
                     const std::vector<Listed>& children = {});

/// A status, painted by what it means for the reader.
/// `waits until 2026-12-01T09:00:00.000Z`, `waits for signal approval`, or both.
std::string waits_text(const store::WaitsFor& waits);

std::string painted(store::Status status, const Style& style);

/// The part of an action's output that a person looks for first, on one line.
std::string output_summary(const Json& output, std::size_t most);

}  // namespace canorun::cli
