// How a coroutine waits for what the store does on its own thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "engine/store/store.h"

namespace canorun::run {

/// What a store's completion and the coroutine that waits for it share. The completion may come from another thread,
/// before or after the coroutine began to wait.
template <class T>
class Arrival {
 public:
  explicit Arrival(boost::asio::any_io_executor executor) : executor_(std::move(executor)) {}

  void arrive(store::StoreResult<T> result) {
    std::move_only_function<void()> resume;
    {
      const std::lock_guard lock(mutex_);
      result_.emplace(std::move(result));
      resume = std::move(resume_);
    }
    if (resume) boost::asio::post(executor_, std::move(resume));
  }

  bool arrived() const {
    const std::lock_guard lock(mutex_);
    return result_.has_value();
  }

  // Completes when the result is there; a cancellation does not cut it short.
  auto wait() {
    return boost::asio::async_initiate<decltype(boost::asio::use_awaitable), void()>(
        [this](auto handler) {
          const std::lock_guard lock(mutex_);
          if (result_) {
            boost::asio::post(executor_, std::move(handler));
          } else {
            resume_ = std::move(handler);
          }
        },
        boost::asio::use_awaitable);
  }

  /// Once; then another result can arrive.
  store::StoreResult<T> take() { return *std::exchange(result_, std::nullopt); }

 private:
  boost::asio::any_io_executor executor_;
  mutable std::mutex mutex_;
  std::optional<store::StoreResult<T>> result_;
  std::move_only_function<void()> resume_;
};

}  // namespace canorun::run
