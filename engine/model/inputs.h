// Inputs of a run: what a person gave, checked against what the flow declares.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "engine/base/result.h"
#include "engine/model/flow.h"

namespace canorun::model {

/// Bytes of the longest secret.
inline constexpr std::size_t kLongestSecret = std::size_t{64} << 10;

/// Whether a value can be that of a secret input: a text that is neither too short nor too long. The error does not
/// quote it.
Result<void> check_secret(std::string_view input, const Json& value);

/// `-i name=text` pairs in order (a later one wins) over a map of values (`--inputs FILE`, may be
/// null). Texts are read as the declared type: a string as it is, the others as JSON; `any` takes JSON
/// where it is JSON, else the text. Gives a value for every declared input, or every problem at once.
/// No problem quotes a secret.
Result<Json, std::vector<Error>> bind_inputs(const Flow& flow, const Json& values,
                                             const std::vector<std::pair<std::string, std::string>>& texts);

}  // namespace canorun::model
