// Rolling back: what a run owes is undone, the last first.
#pragma once

#include <boost/asio/awaitable.hpp>

#include "engine/run/journal.h"
#include "engine/run/run_context.h"

namespace canorun::run {

class Services;

/// Goes on with the rollback of a run, which has begun, until the run has its outcome, or is suspended. Everything that
/// is owed is tried, one after another, within the budget of a rollback; what could not be rolled back below the run
/// comes first. What is asked of the run meanwhile is heard only when it is to suspend it. The error is the store's.
boost::asio::awaitable<store::StoreResult<void>> roll_back(RunContext& context, Journal& journal, Services& services);

/// The action that undoes what is owed; null: the flow has none.
const model::Action* compensation_of(const model::Flow& flow, std::string_view state, std::string_view part);

/// How long a rollback may take in one process; none: any time. `cause` is the error of the rollback.
std::optional<Millis> rollback_budget(const model::Flow& flow, const Json& cause);

}  // namespace canorun::run
