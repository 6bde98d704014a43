// Secret inputs: read from where a person says that they are, when a run begins and whenever it goes on.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "cli/refusal.h"
#include "cli/wiring.h"
#include "engine/model/flow.h"
#include "engine/run/run.h"

namespace canorun::cli {

/// What was given with `-i`, by name; a later one wins.
using Texts = std::vector<std::pair<std::string, std::string>>;

/// A value, and where it can be read again (see store::RunStarted::secrets).
struct SecretInput {
  std::string value;
  std::string source;
};

/// Reads `@env:NAME` or `@file:PATH`, without one newline at a file's end; another `@word:` is
/// refused, and any other text is the value itself. The error names the input, and never quotes its value.
Result<SecretInput> read_secret(const std::string& input, const std::string& text);

/// The inputs of a new run, with those of its secret ones that were named read: of these, only the last one of a name.
struct GivenInputs {
  Texts texts = {};
  run::Sources sources = {};
};
/// `values` come from a file, where nothing is named: what looks so is refused.
OrRefusal<GivenInputs> read_secrets(const model::Flow& flow, const Json& values, Texts texts);

/// What is at hand for the secret inputs of a run that is there.
struct SecretsAgain {
  std::string verb = {};        ///< that takes them: for what a person can type
  Texts texts = {};             ///< of nothing but secret inputs
  Json known = Json::object();  ///< values by name, among others, where `texts` has none
  bool needed = true;           ///< otherwise only `texts` are looked at
};

/// Their values by name, those that were named when the run began read again. Refuses with all that is missing, and the
/// command that gives it.
OrRefusal<Json> secrets_again(const Wiring& wiring, const run::RunState& run, const SecretsAgain& given);

/// ` -i token=@env:NAME` for each secret input that a person has to give again.
std::string again_options(const store::RunStarted& start);

/// Whether something of the flow is run when one of its runs is ended: that needs the run's secrets.
bool runs_at_the_end(const model::Flow& flow);

/// Bound inputs as they may be shown.
Json hidden(const model::Flow& flow, Json inputs);

}  // namespace canorun::cli
