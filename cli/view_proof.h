// `validate`: what was proven of a flow without errors.
#pragma once

#include <string>

#include "engine/model/flow.h"
#include "workflows/proof.h"

namespace canorun::cli {

/// How many states and exits there are, the longest way, and the loops. Ends in a newline.
std::string proof_text(const model::Flow& flow, const workflows::Proof& proof);

}  // namespace canorun::cli
