#include "engine/run/journal.h"

#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <mutex>

namespace canorun::run {

namespace asio = boost::asio;

// What a store's completion and the coroutine that waits for it share. The completion may come from
// another thread, before or after the coroutine began to wait.
template <class T>
class Arrival {
 public:
  explicit Arrival(asio::any_io_executor executor) : executor_(std::move(executor)) {}

  void arrive(store::StoreResult<T> result) {
    std::move_only_function<void()> resume;
    {
      const std::lock_guard lock(mutex_);
      result_.emplace(std::move(result));
      resume = std::move(resume_);
    }
    if (resume) asio::post(executor_, std::move(resume));
  }

  bool arrived() const {
    const std::lock_guard lock(mutex_);
    return result_.has_value();
  }

  // Completes when the result is there; a cancellation does not cut it short.
  auto wait() {
    return asio::async_initiate<decltype(asio::use_awaitable), void()>(
        [this](auto handler) {
          const std::lock_guard lock(mutex_);
          if (result_) {
            asio::post(executor_, std::move(handler));
          } else {
            resume_ = std::move(handler);
          }
        },
        asio::use_awaitable);
  }

  /// Once; then another result can arrive.
  store::StoreResult<T> take() { return *std::exchange(result_, std::nullopt); }

 private:
  asio::any_io_executor executor_;
  mutable std::mutex mutex_;
  std::optional<store::StoreResult<T>> result_;
  std::move_only_function<void()> resume_;
};

void Journal::add(std::vector<store::Row> rows) {
  for (const store::Row& made : rows) apply(run_, made);
  if (added_.empty()) {
    added_ = std::move(rows);
  } else {
    added_.insert(added_.end(), std::make_move_iterator(rows.begin()), std::make_move_iterator(rows.end()));
  }
}

asio::awaitable<store::StoreResult<void>> Journal::create(std::string text) {
  const auto arrival = std::make_shared<Arrival<store::RunNumber>>(runtime_.executor);
  store::NewRun run{run_.id, std::move(text), std::exchange(added_, {})};
  runtime_.store.create(std::move(run),
                        [arrival](store::StoreResult<store::RunNumber> result) { arrival->arrive(std::move(result)); });
  if (!arrival->arrived()) co_await arrival->wait();
  if (interrupt_.reason() != Reason::kNone) co_await calm();
  auto number = arrival->take();
  if (!number) co_return std::unexpected(std::move(number.error()));
  number_ = *number;
  co_return store::StoreResult<void>{};
}

asio::awaitable<store::StoreResult<void>> Journal::commit() {
  if (!committed_) committed_ = std::make_shared<Arrival<void>>(runtime_.executor);
  const auto arrival = committed_;
  const std::uint64_t first = run_.rows - added_.size();
  runtime_.store.append(*number_, first, std::exchange(added_, {}),
                        [arrival](store::StoreResult<void> result) { arrival->arrive(std::move(result)); });
  if (!arrival->arrived()) co_await arrival->wait();
  if (interrupt_.reason() != Reason::kNone) co_await calm();
  auto result = arrival->take();
  co_return result;
}

}  // namespace canorun::run
