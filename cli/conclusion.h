// What a process says of a run that it worked on.
#pragma once

#include "cli/wiring.h"
#include "engine/run/run.h"

namespace canorun::cli {

struct Conclusion {
  ExitCode code = ExitCode::kSuccess;
  Json json;  ///< of the run (cli.md); null without `--json`
};

/// Refuses what the engine refused, and a run that its store lost: then with the command that goes on with it, which is
/// that of `verb`.
OrRefusal<void> check_finished(const Wiring& wiring, const run::Finished& finished, std::string_view verb);

/// Tells a person how the run ended: the outcome and the exit's output on stdout (not with `--json`,
/// not with `--quiet`), the report of a failure on stderr. A run that the store refused or lost is a
/// refusal. `kept`: the run is in a store, and other commands can reach it.
OrRefusal<Conclusion> conclude(Wiring& wiring, const store::CheckpointStore& store, const run::Finished& finished,
                               bool kept);

}  // namespace canorun::cli
