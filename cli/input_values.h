// What a person gives as inputs, before it is checked against a flow.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "cli/refusal.h"

namespace canorun::cli {

/// `NAME=VALUE` pairs; the value may hold further `=`. A refusal quotes none: any may be a secret.
OrRefusal<std::vector<std::pair<std::string, std::string>>> split_inputs(const std::vector<std::string>& pairs);

/// A JSON object from a file of at most 16 MiB; `-` is stdin.
OrRefusal<Json> read_input_file(const std::string& path);

/// All that can be read, at most 16 MiB; `name` is the file's in a refusal.
OrRefusal<std::string> read_all(int fd, const std::string& name);

/// Because of what is wrong with inputs: there is at least one problem.
std::unexpected<Refusal> refuse_inputs(std::vector<Error> problems);

/// A JSON object from an argument; `what` names it in a refusal.
OrRefusal<Json> parse_object(std::string_view text, std::string_view what);

}  // namespace canorun::cli
