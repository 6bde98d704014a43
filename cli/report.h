// What a person needs to know of a run that did not succeed, and what they can do next.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/text.h"
#include "engine/run/run_state.h"

namespace canorun::cli {

/// `canorun WORDS` as it can be typed for the same store; empty where no command can reach the run.
using CommandText = std::function<std::string(std::string_view words)>;

struct NextCommand {
  std::string command;
  std::string why;
};

/// What can be done with a run in this status, most useful first.
std::vector<NextCommand> next_commands(const run::RunState& run, store::Status status, const CommandText& command);

/// The last lines that failed work wrote, below a line that says what they are; empty where there are none. `kind`: of
/// the error.
std::string tail_text(std::string_view kind, std::string_view tail, const Style& style);

/// What a rollback would undo, or has to undo still: a line each, in that order, the first few.
std::string owed_text(const run::RunState& run);

/// What failed, where (state, attempt, exit code), the last lines of its stderr, what was rolled back,
/// and the commands that come next. Empty for a run that succeeded.
std::string failure_report(const run::RunState& run, store::Status status, const CommandText& command,
                           const Style& style);

/// `succeeded in 1.2s`: what became of a run, and how long it took up to `now`.
std::string outcome(const run::RunState& run, store::Status status, WallTime now);

}  // namespace canorun::cli
