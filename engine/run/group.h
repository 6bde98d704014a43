// The concurrency group of a run: one run at a time has it.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>

#include "engine/base/result.h"
#include "engine/run/run_context.h"

namespace canorun::run {

/// The group that the run must have before anything of it is done. Empty: none, or a run above it has the same one,
/// and this one goes in with it.
Result<std::string, model::RunError> group_of(RunContext& context);

/// Who meets another run in its group waits for it.
bool queues(const model::Flow& flow);

/// Waits until the run, which has a place in its group, has the first one. False: it was interrupted before. With
/// `cancel_running`, those that come before it are cancelled.
boost::asio::awaitable<store::StoreResult<bool>> wait_for_group(RunContext& context, store::RunNumber run);

}  // namespace canorun::run
