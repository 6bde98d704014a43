// How a coroutine waits for others of the loop, and tells what became of them.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <exception>

#include "engine/run/interrupt.h"

namespace canorun::run {

/// Waits for something that another coroutine of the loop does. Who rings before anybody waits is not heard: the waiter
/// looks first.
class Bell {
 public:
  explicit Bell(const boost::asio::any_io_executor& executor) : timer_(executor) {
    timer_.expires_at(LoopClock::time_point::max());
  }
  void ring() { timer_.cancel(); }
  /// Also ends when the waiter is interrupted: it looks at the reason.
  boost::asio::awaitable<void> wait(const Interrupt& interrupt) {
    boost::system::error_code ignored;
    co_await timer_.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, ignored));
    if (interrupt.reason() != Reason::kNone) co_await calm();
  }

 private:
  Timer timer_;
};

/// Whether what a coroutine threw is that it was interrupted.
inline bool is_cut_off(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const boost::system::system_error& thrown) {
    return thrown.code() == boost::asio::error::operation_aborted;
  } catch (...) {
    return false;
  }
}

}  // namespace canorun::run
