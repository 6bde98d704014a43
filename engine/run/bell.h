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

}  // namespace canorun::run
