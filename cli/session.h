// Works on runs, one after another: the event loop, the signals and the progress of one process.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <functional>
#include <string>

#include "cli/progress.h"
#include "cli/wiring.h"
#include "engine/run/run.h"

namespace canorun::cli {

/// While it lives, SIGINT, SIGTERM and SIGHUP are its own: the first SIGINT cancels the run, a second
/// one leaves at once, SIGTERM and SIGHUP suspend. A SIGHUP that is ignored (nohup) stays ignored.
class Session {
 public:
  /// `suspends`: see run::Runtime.
  Session(Wiring& wiring, store::CheckpointStore& store, bool suspends = false);

  using Work = std::function<boost::asio::awaitable<run::Finished>(run::Runtime&, run::Interrupt&)>;

  /// Does the work on the calling thread until it has ended. What it throws comes out here.
  run::Finished work_on(const std::string& id, const Work& work);

  /// A signal asked this process to end.
  bool was_stopped() const { return stopped_; }

 private:
  void listen();
  void on_signal(int signal);
  [[noreturn]] void leave();

  Wiring& wiring_;
  store::CheckpointStore& store_;
  boost::asio::io_context loop_{1};
  boost::asio::signal_set signals_{loop_};
  Progress progress_;
  run::Runtime runtime_;
  std::string id_;                       ///< of the run being worked on
  run::Interrupt* interrupt_ = nullptr;  ///< of that run
  bool stopped_ = false;
};

/// Ends a claimed run that is not over as cancelled, as run::cancel does; signals keep their usual meaning.
run::Finished cancel_here(Wiring& wiring, store::CheckpointStore& store, std::shared_ptr<const model::Flow> flow,
                          store::RunRecord claimed, Json secrets, std::string reason);

}  // namespace canorun::cli
