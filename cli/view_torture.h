// `torture`: which steps are not safe to run twice.
#pragma once

#include <string>

#include "cli/text.h"
#include "cli/torture.h"

namespace canorun::cli {

/// `before row 4 (state_ended charge)`
std::string kill_text(const Kill& kill);

/// For people: what was found, what was left out, and what to do next. `name`: the flow's.
std::string torture_text(const std::string& name, const TortureReport& report, const Style& style);

/// `{flow, version, whole, kills, same, unkilled, left_out, findings}`
Json torture_json(const std::string& name, std::uint64_t version, const TortureReport& report);

}  // namespace canorun::cli
