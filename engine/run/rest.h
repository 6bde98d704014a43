// Which of a run's work only waits for children that were let go of.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <limits>
#include <list>
#include <memory>
#include <optional>

#include "engine/run/bell.h"
#include "engine/store/row.h"

namespace canorun::run {

/// When all that a run works on waits like that, there is nothing to do but wait: its interrupt is raised with
/// `kSuspend`, and `agreed` says what for. Event-loop thread only.
class Rest {
 public:
  Rest(boost::asio::any_io_executor executor, Interrupt& interrupt)
      : executor_(std::move(executor)), interrupt_(interrupt) {}
  Rest(const Rest&) = delete;
  Rest& operator=(const Rest&) = delete;
  ~Rest() { *alive_ = false; }

  /// So many pieces of work are at work now, and nothing else is done for the state that is current; `kBusy`: more is.
  void set_at_work(std::size_t pieces) {
    at_work_ = pieces;
    consider();
  }
  static constexpr std::size_t kBusy = std::numeric_limits<std::size_t>::max();

  /// While it lives, one of these only waits. May be the last to go when the loop ends in the middle of a run.
  class Wait {
   public:
    Wait(Rest& rest, store::WaitsFor waits)
        : rest_(rest),
          waits_(std::move(waits)),
          bell_(rest.executor_),
          at_(rest.waits_.insert(rest.waits_.end(), this)),
          alive_(rest.alive_) {
      rest_.consider();
    }
    Wait(const Wait&) = delete;
    Wait& operator=(const Wait&) = delete;
    ~Wait() {
      if (*alive_) rest_.waits_.erase(at_);
    }

    /// Rings when somebody may have told the child something.
    Bell& bell() { return bell_; }

   private:
    friend class Rest;
    Rest& rest_;
    store::WaitsFor waits_;
    Bell bell_;
    std::list<Wait*>::iterator at_;
    std::shared_ptr<bool> alive_;
  };

  /// Rings the bells of all that wait.
  void ring();

  /// The first of the times, and one of the signals; none: the run was not let go of.
  const std::optional<store::WaitsFor>& agreed() const { return agreed_; }

 private:
  // Once what is ready to run has run: it may be about to begin something.
  void consider();
  void decide();

  boost::asio::any_io_executor executor_;
  Interrupt& interrupt_;
  std::size_t at_work_ = 1;
  std::list<Wait*> waits_;
  bool posted_ = false;
  std::optional<store::WaitsFor> agreed_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace canorun::run
