// Works on runs, one after another: the event loop, the signals and the progress of one process.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <exception>
#include <string>

#include "cli/progress.h"
#include "cli/wiring.h"
#include "engine/run/run.h"

namespace canorun::cli {

/// Turns the loop until the work has ended. What it throws comes out here.
template <class Result>
Result complete(boost::asio::io_context& loop, boost::asio::awaitable<Result> work, run::Interrupt& interrupt) {
  Result result;
  std::exception_ptr fault;
  auto on_done = [&](std::exception_ptr thrown, Result given) {
    fault = std::move(thrown);
    result = std::move(given);
    loop.stop();
  };
  boost::asio::co_spawn(loop, std::move(work),
                        boost::asio::bind_cancellation_slot(interrupt.slot(), std::move(on_done)));
  loop.restart();
  loop.run();
  if (fault) std::rethrow_exception(fault);
  return result;
}

/// While it lives, SIGINT, SIGTERM and SIGHUP are its own: the first SIGINT cancels the work, a second
/// one leaves at once, SIGTERM and SIGHUP suspend. A SIGHUP that is ignored (nohup) stays ignored.
class Session {
 public:
  struct Setting {
    bool suspends = false;  ///< see run::Runtime
    bool resumable = true;  ///< else there is nothing to go on with: SIGTERM and SIGHUP do as SIGINT does
  };
  Session(Wiring& wiring, store::CheckpointStore& store, Setting setting);

  /// Does the work, an awaitable that `work(run::Runtime&, run::Interrupt&)` gives, on the calling thread until it has
  /// ended, and gives its result. What it throws comes out here.
  auto work_on(const std::string& id, const auto& work) {
    run::Interrupt interrupt;
    id_ = id;
    interrupt_ = &interrupt;
    cancelled_ = false;
    auto result = complete(loop_, work(runtime_, interrupt), interrupt);
    interrupt_ = nullptr;
    progress_.finish();
    return result;
  }

  /// A signal asked this process to end.
  bool was_stopped() const { return stopped_; }

 private:
  void listen();
  void on_signal(int signal);
  [[noreturn]] void leave();
  std::string way_on() const;

  Wiring& wiring_;
  store::CheckpointStore& store_;
  Setting setting_;
  boost::asio::io_context loop_{1};
  boost::asio::signal_set signals_{loop_};
  Progress progress_;
  run::Runtime runtime_;
  std::string id_;                       ///< of what is worked on
  run::Interrupt* interrupt_ = nullptr;  ///< of that
  bool stopped_ = false;
  bool cancelled_ = false;  ///< the work was asked to end by Ctrl-C: a second one leaves
};

}  // namespace canorun::cli
