// What a run does beside its states: its services before the first and after the last, and `on_end`.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <optional>

#include "engine/run/run_context.h"

namespace canorun::run {

/// How long a run that is suspended may take to tear down its services, from when that is first asked.
class Grace {
 public:
  explicit Grace(const Clock& clock) : clock_(clock) {}
  Millis left() {
    const SteadyTime now = clock_.steady();
    if (!until_) until_ = now + std::chrono::seconds(10);
    return std::max(Millis{0}, std::chrono::duration_cast<Millis>(*until_ - now));
  }

 private:
  const Clock& clock_;
  std::optional<SteadyTime> until_;
};

/// The services of a flow, while one process works on a run. Event-loop thread only.
class Services {
 public:
  explicit Services(RunContext& context) : context_(context), grace_(context.runtime().clock) {}

  /// Sets them up, one after another; the error: of the first that fails, with the
  /// name of its action as the state. Stops early when the run is interrupted: its
  /// reason tells.
  boost::asio::awaitable<std::optional<model::RunError>> set_up();
  /// An earlier process may have set up any of them, and not torn it down.
  void assume_up();
  /// Tears down what was set up, the last first; what fails is told, and changes nothing. A run that is suspended waits
  /// for it no longer than its grace: then some are still up.
  boost::asio::awaitable<void> tear_down();
  bool are_up() const { return up_ > 0; }

 private:
  boost::asio::awaitable<void> end_leftovers();

  RunContext& context_;
  Grace grace_;
  std::size_t up_ = 0;  ///< so many, from the first
  bool looked_ = false;
};

/// Whether a run of this flow has more to do once it has its outcome.
bool does_more(const model::Flow& flow);

/// Does `on_end` of a run that has its outcome. Stops early when somebody asks that the run be suspended, or, after the
/// outcome, cancelled. False: it is to be done again when the run is resumed.
boost::asio::awaitable<bool> do_on_end(RunContext& context);

}  // namespace canorun::run
