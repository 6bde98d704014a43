// Which of a run's work only waits for children that were let go of.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>

#include "engine/run/interrupt.h"
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

  /// While it lives, something is worked on: an action, or a shape that does more than its actions.
  class Work {
   public:
    explicit Work(Rest& rest) : rest_(rest) { ++rest_.working_; }
    Work(const Work&) = delete;
    Work& operator=(const Work&) = delete;
    ~Work() {
      --rest_.working_;
      rest_.consider();
    }

   private:
    Rest& rest_;
  };

  /// While it lives, one that is worked on only waits.
  class Wait {
   public:
    Wait(Rest& rest, store::WaitsFor waits)
        : rest_(rest), at_(rest.waits_.insert(rest.waits_.end(), std::move(waits))) {
      rest_.consider();
    }
    Wait(const Wait&) = delete;
    Wait& operator=(const Wait&) = delete;
    ~Wait() { rest_.waits_.erase(at_); }

   private:
    Rest& rest_;
    std::list<store::WaitsFor>::iterator at_;
  };

  /// The first of the times, and one of the signals; none: the run was not let go of.
  const std::optional<store::WaitsFor>& agreed() const { return agreed_; }

 private:
  // Once what is ready to run has run: it may be about to begin something.
  void consider();
  void decide();

  boost::asio::any_io_executor executor_;
  Interrupt& interrupt_;
  std::size_t working_ = 0;
  std::list<store::WaitsFor> waits_;
  bool posted_ = false;
  std::optional<store::WaitsFor> agreed_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace canorun::run
