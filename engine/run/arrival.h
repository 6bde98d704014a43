// How a coroutine waits for what the store does on its own thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "engine/run/interrupt.h"
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

/// What a store answers to one call, which `ask` makes with the completion it is given. An interrupt does not cut it
/// short; who awaited it can wait again, and looks at the interrupt's reason.
template <class T, class Ask>
boost::asio::awaitable<store::StoreResult<T>> answer_of(boost::asio::any_io_executor executor,
                                                        const Interrupt& interrupt, Ask ask) {
  const auto arrival = std::make_shared<Arrival<T>>(std::move(executor));
  ask([arrival](store::StoreResult<T> result) { arrival->arrive(std::move(result)); });
  if (!arrival->arrived()) co_await arrival->wait();
  if (interrupt.reason() != Reason::kNone) co_await calm();
  auto result = arrival->take();
  co_return result;
}

}  // namespace canorun::run
