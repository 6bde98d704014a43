// `breakers`: what is left alone for a while, as it keeps failing.
#pragma once

#include <string>
#include <vector>

#include "cli/text.h"
#include "engine/store/shared.h"

namespace canorun::cli {

/// A table for people. A breaker whose time has passed is shown as half-open, though nobody has asked for a trial yet.
std::string breakers_text(const std::vector<store::BreakerRecord>& breakers, WallTime now, const Style& style);

/// `{name, run, state, failures, failure_threshold, reset_timeout_ms, half_open_max_calls, opened_at, half_open_at,
/// half_open_in_ms, trials, successes}`; what the state does not have is null.
Json to_json(const store::BreakerRecord& breaker, WallTime now);

}  // namespace canorun::cli
