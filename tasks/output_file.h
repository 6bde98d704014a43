// The file that CANORUN_OUTPUT names: values a command gives back, apart from what it prints.
#pragma once

#include <string>
#include <string_view>

#include "engine/base/masker.h"
#include "engine/base/result.h"
#include "engine/base/value.h"

namespace canorun::tasks {

/// Reads the file: one JSON object, or `key=value` lines whose values are texts (a later line wins).
/// An object in any case; empty where there is no file. Above 1 MiB is an error. Its text is masked before it is read.
Result<Json> read_output_file(const std::string& path, const Masker& masker = kNoSecrets);

/// The same of its text.
Result<Json> parse_output_values(std::string_view text);

}  // namespace canorun::tasks
