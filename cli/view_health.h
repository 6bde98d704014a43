// `health`: what the probes of a flow's services said.
#pragma once

#include <string>
#include <vector>

#include "cli/text.h"
#include "engine/run/health.h"

namespace canorun::cli {

/// No probe failed.
bool is_healthy(const std::vector<run::Health>& services);

/// A table for people.
std::string health_text(const std::vector<run::Health>& services, const Style& style);

/// Why each one that is not well is not, with the last lines of its stderr. Empty where all are.
std::string health_report(const std::vector<run::Health>& services, const Style& style);

/// `{flow, healthy, services: [{name, status, error?, duration_ms}]}`; `status` is `healthy`, `unhealthy` or, without a
/// probe, `none`: then `duration_ms` is null. `error` as of a run.
Json health_json(std::string_view flow, const std::vector<run::Health>& services);

}  // namespace canorun::cli
