// Work under an interrupt of its own: of what stops the run it hears what it is told.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <exception>
#include <functional>
#include <optional>
#include <utility>

#include "engine/model/task.h"
#include "engine/run/bell.h"

namespace canorun::run {

/// Outlives the work, which it does once. Event-loop thread only.
template <class Result>
class Beside {
 public:
  explicit Beside(const boost::asio::any_io_executor& executor) : executor_(executor), ended_(executor) {}
  Beside(const Beside&) = delete;
  Beside& operator=(const Beside&) = delete;

  Interrupt& interrupt() { return own_; }

  /// Does the work to its end. None: it was cut off, through `interrupt`. `heed` is called at first and whenever
  /// `around`, which the caller was spawned with, has been raised: it passes on what the work is to hear.
  boost::asio::awaitable<std::optional<Result>> work(boost::asio::awaitable<Result> task, const Interrupt& around,
                                                     std::function<void()> heed) {
    boost::asio::co_spawn(
        executor_, std::move(task),
        boost::asio::bind_cancellation_slot(own_.slot(), [this](std::exception_ptr thrown, Result given) {
          thrown_ = std::move(thrown);
          result_ = std::move(given);
          ended_.ring();
        }));
    while (!result_) {
      heed();
      co_await ended_.wait(around);
    }
    if (thrown_ && !model::is_cut_off(thrown_)) std::rethrow_exception(thrown_);
    if (thrown_) co_return std::nullopt;
    co_return std::move(result_);
  }

 private:
  boost::asio::any_io_executor executor_;
  Interrupt own_;
  Bell ended_;
  std::exception_ptr thrown_;
  std::optional<Result> result_;
};

}  // namespace canorun::run
