// How a coroutine waits for others of the loop, and tells what became of them.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "engine/run/interrupt.h"

namespace canorun::run {

/// Nobody is woken by a ring that came before the wait: who waits looks first. Event-loop thread only.
class Bell {
 public:
  explicit Bell(const boost::asio::any_io_executor& executor) : timer_(executor) {
    timer_.expires_at(LoopClock::time_point::max());
  }

  /// Wakes all who wait.
  void ring() { timer_.cancel(); }

  /// Until a ring, or until `interrupt`, which the waiter was spawned with, is raised: it looks at the reason,
  /// and can wait again.
  boost::asio::awaitable<void> wait(const Interrupt& interrupt) {
    boost::system::error_code ignored;
    co_await timer_.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, ignored));
    if (interrupt.reason() != Reason::kNone) co_await calm();
  }

 private:
  Timer timer_;
};

/// Rings a bell once, after so long, unless it is gone by then.
class Ringer {
 public:
  Ringer(const boost::asio::any_io_executor& executor, Bell& bell, Millis after) : timer_(executor) {
    timer_.expires_after(after);
    timer_.async_wait([&bell, alive = alive_](const boost::system::error_code& error) {
      if (!error && *alive) bell.ring();
    });
  }
  Ringer(const Ringer&) = delete;
  Ringer& operator=(const Ringer&) = delete;
  ~Ringer() { *alive_ = false; }

 private:
  Timer timer_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace canorun::run
