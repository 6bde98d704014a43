// What a run is run with: the seams, wired once per process.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <memory>

#include "engine/base/clock.h"
#include "engine/base/random.h"
#include "engine/model/event.h"
#include "engine/run/turns.h"
#include "engine/store/store.h"

namespace canorun::run {

/// Everything is borrowed and outlives all runs. Used on the event-loop thread only.
struct Runtime {
  boost::asio::any_io_executor executor;
  store::CheckpointStore& store;
  const Clock& clock;
  Random& random;
  model::Observer& observer;
  /// A run with nothing to do but wait for more than a second is let go of; it waits without a process.
  bool suspends = false;
  /// Of this process's runs: who waits for a rate limit, and who for a concurrency group.
  std::shared_ptr<Turns> limit_turns = std::make_shared<Turns>();
  std::shared_ptr<Turns> group_turns = std::make_shared<Turns>();
};

}  // namespace canorun::run
