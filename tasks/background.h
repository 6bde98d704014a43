// Work that blocks, beside the event loop: a small pool of threads takes it.
#pragma once

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <functional>

#include "engine/base/result.h"
#include "engine/base/value.h"

namespace canorun::tasks {

/// How work on another thread learns that nobody waits for it any more.
class Stop {
 public:
  /// `closing` is set when all work of the pool must end.
  explicit Stop(const std::atomic<bool>& closing) : closing_(closing) {}

  void request() { requested_ = true; }
  /// Throws `operation_aborted` once it was asked to stop. To be called between pieces that take no more
  /// than a moment.
  void check() const;

 private:
  const std::atomic<bool>& closing_;
  std::atomic<bool> requested_ = false;
};

using BlockingWork = std::function<Result<Json>(const Stop& stop)>;

/// Runs the work on one of a few threads, which are started when they are first needed, and gives what
/// it gave or threw. Runs on an io_context, which waits for work that has begun when it is destroyed.
///
/// Cancellation: work that has not begun never does. Other work is asked to stop, and waited for, deaf to
/// further cancellation; when it ends by that, `operation_aborted` is thrown with cancellation enabled
/// again, and when it ends by itself, that is the result.
boost::asio::awaitable<Result<Json>> in_background(BlockingWork work);

}  // namespace canorun::tasks
