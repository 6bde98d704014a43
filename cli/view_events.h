// `events`: the rows of a run, one line each, for people.
#pragma once

#include <string>

#include "cli/text.h"
#include "engine/store/row.h"

namespace canorun::cli {

/// `  3  2026-11-23T08:15:00.123Z  state_ended         ship: failed in 1.2s: exit code 3`
std::string event_text(const store::Row& row, std::uint64_t sequence, const Style& style);

}  // namespace canorun::cli
