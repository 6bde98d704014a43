// The one thread that writes to LMDB: whatever waits is committed together.
#pragma once

#include <condition_variable>
#include <deque>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "engine/store/lmdb_env.h"

namespace canorun::store {

/// Work is done in the order in which it was asked for. The thread begins with the first work, and
/// has all signals blocked.
class LmdbWriter {
 public:
  /// Reads and writes within the group's transaction. What it refuses it refuses before it has written
  /// anything. Done again, alone, if the group could not be committed: it changes nothing else.
  template <class T>
  using Work = std::move_only_function<StoreResult<T>(Txn&)>;

  explicit LmdbWriter(LmdbEnv& env) : env_(env) {}
  /// Waits for what was asked.
  ~LmdbWriter();

  /// Does the work, of about `bytes`, and calls `done` on the writer's thread once it is durable.
  template <class T>
  void submit(std::size_t bytes, Work<T> work, Completion<T> done) {
    push(std::make_unique<JobFor<T>>(bytes, std::move(work), std::move(done)));
  }

  /// Waits for the work. Not for the writer's own thread.
  template <class T>
  StoreResult<T> run(Work<T> work) {
    std::promise<StoreResult<T>> promise;
    auto result = promise.get_future();
    submit<T>(0, std::move(work),
              [promise = std::move(promise)](StoreResult<T> value) mutable { promise.set_value(std::move(value)); });
    return result.get();
  }

 private:
  struct Job {
    explicit Job(std::size_t size) : bytes(size) {}
    virtual ~Job() = default;
    virtual void attempt(Txn& txn) = 0;
    /// `failure`: why nothing of it was kept; otherwise what the attempt gave is what happened.
    virtual void finish(const std::optional<StoreError>& failure) = 0;
    std::size_t bytes;
  };

  template <class T>
  struct JobFor final : Job {
    JobFor(std::size_t size, Work<T> what, Completion<T> then)
        : Job(size), work(std::move(what)), done(std::move(then)) {}
    void attempt(Txn& txn) override { result.emplace(work(txn)); }
    void finish(const std::optional<StoreError>& failure) override {
      if (failure) result.emplace(std::unexpected(*failure));
      done(std::move(*result));
    }
    Work<T> work;
    Completion<T> done;
    std::optional<StoreResult<T>> result;
  };

  using Group = std::vector<std::unique_ptr<Job>>;

  void push(std::unique_ptr<Job> job);
  std::optional<StoreError> start();
  void loop();
  Group take_group();
  void write(Group group);
  std::optional<StoreError> commit(const Group& group);

  LmdbEnv& env_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::unique_ptr<Job>> waiting_;
  bool stopping_ = false;
  std::uint64_t groups_ = 0;
  std::thread thread_;
};

}  // namespace canorun::store
