// `run --dry-run`: what would run, state by state, in the order of the file.
#pragma once

#include <string>

#include "cli/text.h"
#include "engine/model/flow.h"

namespace canorun::cli {

/// Templates that need nothing but inputs have their value; the others are shown as they are written. Secrets are
/// masked.
Json plan_json(const model::Flow& flow, const Json& inputs);

/// The same for people.
std::string plan_text(const model::Flow& flow, const Json& inputs, const Style& style);

}  // namespace canorun::cli
