// The run loop: work, decide, commit, again.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>

#include "engine/run/decide.h"
#include "engine/run/journal.h"

namespace canorun::run {

class Services;

/// Goes on from the run's state until the run has its outcome or was stopped; what lets go of it tears down the
/// services first. An error is the store's.
boost::asio::awaitable<store::StoreResult<void>> loop(RunContext& context, Journal& journal, Services& services);

/// Ends what is open below a run that ends; where not all of that can be undone, the run is rolled back, too.
boost::asio::awaitable<store::StoreResult<void>> end_children(RunContext& context, Journal& journal);

/// The rows that stop a run whose interrupt has a reason.
std::vector<store::Row> stop(RunContext& context, const Services& services);

/// Work that never waits, over a store that never waits, would keep signals and timers from being heard: so many
/// rows of a run come without a pause.
inline constexpr std::uint64_t kRowsWithoutPause = 512;
boost::asio::awaitable<void> let_others_run(const Interrupt& interrupt);

/// The error of a run that was ended from outside for `reason`, and the status it ends with.
std::pair<model::RunError, store::Status> ending(const Interrupt& interrupt, const model::Flow& flow);

}  // namespace canorun::run
