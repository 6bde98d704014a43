#include "tasks/background.h"

#include <boost/asio.hpp>
#include <exception>
#include <memory>
#include <optional>

#include "engine/base/signals.h"
#include "engine/model/task.h"

namespace canorun::tasks {
namespace {

namespace asio = boost::asio;

constexpr std::size_t kThreads = 2;

/// One piece of work, shared by the coroutine that waits for it and the thread that does it.
class Job {
 public:
  Job(const asio::any_io_executor& executor, BlockingWork work, const std::atomic<bool>& closing)
      : finished_(executor, asio::steady_timer::time_point::max()), work_(std::move(work)), stop_(closing) {}

  // On a thread of the pool. The last that is done there is to let go of the job.
  static void run(std::shared_ptr<Job> job) {
    if (job->taken_.exchange(true)) return;
    try {
      job->stop_.check();
      job->result_ = job->work_(job->stop_);
    } catch (...) {
      job->thrown_ = std::current_exception();
    }
    const auto executor = job->finished_.get_executor();
    asio::post(executor, [job = std::move(job)] {
      job->done_ = true;
      job->finished_.cancel();
    });
  }

  // The rest is for the event loop.

  bool done() const { return done_; }
  /// Gives false when it has begun.
  bool abandon() { return !taken_.exchange(true); }
  void stop() { stop_.request(); }
  auto wait() { return finished_.async_wait(asio::redirect_error(asio::use_awaitable, woken_)); }
  Result<Json> take() {
    if (thrown_) std::rethrow_exception(thrown_);
    return std::move(*result_);
  }

 private:
  asio::steady_timer finished_;  ///< waits for nothing but being cancelled
  boost::system::error_code woken_;
  BlockingWork work_;
  Stop stop_;
  std::atomic<bool> taken_ = false;
  std::optional<Result<Json>> result_;
  std::exception_ptr thrown_;
  bool done_ = false;
};

/// The threads of one io_context, which owns them.
class Pool final : public asio::execution_context::service {
 public:
  using key_type = Pool;
  static inline asio::execution_context::id id;

  explicit Pool(asio::execution_context& context) : service(context) {
    const AllSignalsBlocked blocked;  // they are for the event loop
    threads_.emplace(kThreads);
  }

  void add(std::shared_ptr<Job> job) {
    asio::post(*threads_, [job = std::move(job)]() mutable { Job::run(std::move(job)); });
  }

  const std::atomic<bool>& closing() const { return closing_; }

 private:
  void shutdown() override {
    closing_ = true;
    threads_->stop();
    threads_->join();
    threads_.reset();
  }

  std::atomic<bool> closing_ = false;
  std::optional<asio::thread_pool> threads_;
};

}  // namespace

void Stop::check() const {
  if (requested_ || closing_) model::cut_off();
}

asio::awaitable<Result<Json>> in_background(BlockingWork work) {
  const auto executor = co_await asio::this_coro::executor;
  auto& pool = asio::use_service<Pool>(asio::query(executor, asio::execution::context));
  const auto job = std::make_shared<Job>(executor, std::move(work), pool.closing());
  pool.add(job);
  co_await job->wait();
  if (!job->done()) {
    if (job->abandon()) model::cut_off();
    job->stop();
    const asio::disable_cancellation none;
    co_await asio::this_coro::reset_cancellation_state(none);
    while (!job->done()) co_await job->wait();
    const asio::enable_terminal_cancellation terminal;
    co_await asio::this_coro::reset_cancellation_state(terminal);
  }
  co_return job->take();
}

}  // namespace canorun::tasks
