// Another definition for a run that is there: whether it can go on with it, and what it changes.
#pragma once

#include <string>

#include "cli/refusal.h"
#include "engine/base/value.h"
#include "engine/model/flow.h"
#include "engine/run/run_state.h"

namespace canorun::cli {

/// What a run meets when it goes on with `flow` instead of the definition whose text is `before`.
struct Migration {
  std::uint64_t from = 0;  ///< versions
  std::uint64_t to = 0;
  std::vector<std::string> added = {};    ///< states
  std::vector<std::string> removed = {};  ///< likewise
  std::vector<std::string> altered = {};  ///< where the run is, where it can come, or what it owes
  std::vector<std::string> missing = {};  ///< states of which something is owed that the flow cannot undo
  std::vector<std::string> others = {};   ///< altered keys of the flow beside its states
};

Migration migration_to(const model::Flow& flow, const run::RunState& run, const std::string& before);

/// A line each, for people; the first says from which version to which.
std::string migration_text(const Migration& migration, const run::RunState& run);
Json to_json(const Migration& migration);

/// Refuses a flow that has no value for what the run was not begun with, or has another type for what it has.
OrRefusal<void> check_values(const model::Flow& flow, const run::RunState& run);

/// Refuses a flow that cannot undo what the run owes.
OrRefusal<void> check_compensations(const model::Flow& flow, const run::RunState& run);

}  // namespace canorun::cli
