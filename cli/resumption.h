// Takes a run up again: what `resume` and `run --or-resume` share.
#pragma once

#include <optional>
#include <string>

#include "cli/conclusion.h"
#include "cli/secret_inputs.h"
#include "cli/session.h"

namespace canorun::cli {

struct Resumption {
  std::string id;
  std::optional<std::string> file = {};  ///< another definition than the one in the store
  std::optional<std::string> from = {};  ///< enter this state instead of the one that is due
  bool migrate = false;                  ///< `file` may be another version
  bool success_is_fine = false;          ///< a run that has succeeded is no refusal
  Texts secrets = {};                    ///< its secret inputs, given again
  Json known = Json::object();           ///< see SecretsAgain
};

/// The run that is above all others: a child goes on with it.
OrRefusal<std::string> root_of(const store::CheckpointStore& store, std::string id);

/// Claims the run, and works on it to its end. A refusal leaves the run as it was, owned by nobody.
OrRefusal<Conclusion> resume_run(Wiring& wiring, store::CheckpointStore& store, Session& session,
                                 const Resumption& what);

}  // namespace canorun::cli
