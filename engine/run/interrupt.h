// Why a piece of work must end early, and how it is told.
#pragma once

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/this_coro.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "engine/run/timer.h"

namespace canorun::run {

/// In rising strength: a stronger reason replaces a weaker one.
enum class Reason : std::uint8_t {
  kNone,
  kTimeout,     ///< of one attempt
  kLost,        ///< a branch whose join is decided without it
  kDeadline,    ///< of a state
  kRunTimeout,  ///< the run's budget is spent
  kSuspend,
  kCancel,
};

/// The one way into a chain of coroutines that runs: sets the reason, then emits `terminal` on the
/// signal the chain was spawned with. Whoever awaited the work catches `operation_aborted`, calls
/// `calm` and looks at the reason. Event-loop thread only.
class Interrupt {
 public:
  boost::asio::cancellation_slot slot() { return signal_.slot(); }
  Reason reason() const { return reason_; }
  const std::string& detail() const { return detail_; }

  /// A suspension that comes after a cancellation waits behind it: see `forget`.
  void raise(Reason reason, std::string detail = {}) {
    if (reason == Reason::kSuspend && reason_ == Reason::kCancel && !suspends_) {
      suspends_ = std::move(detail);
      signal_.emit(boost::asio::cancellation_type::terminal);
    }
    if (reason <= reason_) return;
    reason_ = reason;
    detail_ = std::move(detail);
    signal_.emit(boost::asio::cancellation_type::terminal);
  }

  /// Whose end this was has ended; everything stronger lasts, and a suspension that came after it.
  void forget(Reason reason) {
    if (reason_ != reason) return;
    reason_ = suspends_ ? Reason::kSuspend : Reason::kNone;
    if (suspends_) detail_ = std::move(*std::exchange(suspends_, std::nullopt));
  }
  /// The process is to end soon, whatever the reason.
  bool suspends() const { return reason_ == Reason::kSuspend || suspends_; }

 private:
  boost::asio::cancellation_signal signal_;
  Reason reason_ = Reason::kNone;
  std::string detail_;
  std::optional<std::string> suspends_;  ///< after a cancellation: the detail
};

/// `co_await calm();` makes the coroutines able to wait again after a cancellation.
inline auto calm() {
  return boost::asio::this_coro::reset_cancellation_state(boost::asio::enable_terminal_cancellation());
}

/// `co_await deaf();` lets clean-up finish, whatever is raised meanwhile.
inline auto deaf() { return boost::asio::this_coro::reset_cancellation_state(boost::asio::disable_cancellation()); }

/// Raises a reason when its time has come, unless it was disarmed. One serves all attempts of an action. The interrupt
/// outlives it and every handler of the loop.
class Alarm {
 public:
  Alarm(const boost::asio::any_io_executor& executor, Interrupt& interrupt) : timer_(executor), interrupt_(interrupt) {}
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;
  ~Alarm() { ++*armed_; }

  void arm(Millis after, Reason reason = Reason::kTimeout) {
    timer_.expires_after(after);
    // The handler may run after the alarm is gone: it looks at what it shares before anything else.
    timer_.async_wait(
        [reason, armed = ++*armed_, now = armed_, &interrupt = interrupt_](const boost::system::error_code& error) {
          if (!error && armed == *now) interrupt.raise(reason);
        });
  }

  /// Also takes back a wait that has ended but was not handled yet.
  void disarm() {
    ++*armed_;
    timer_.cancel();
  }

 private:
  Timer timer_;
  Interrupt& interrupt_;
  std::shared_ptr<std::uint64_t> armed_ = std::make_shared<std::uint64_t>(0);
};

}  // namespace canorun::run
