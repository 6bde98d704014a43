#include "tasks/background.h"

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <boost/asio.hpp>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <thread>

namespace canorun::tasks {
namespace {

namespace asio = boost::asio;

/// Work that waits until it is let go, or asked to stop.
class Gate {
 public:
  BlockingWork work(Json result = nullptr) {
    return [this, result](const Stop& stop) -> Result<Json> {
      std::unique_lock lock(mutex_);
      ++begun_;
      threads_.insert(std::this_thread::get_id());
      while (!open_) {
        changed_.wait_for(lock, std::chrono::milliseconds(1));
        if (!deaf) stop.check();
      }
      return result;
    };
  }
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  int begun() {
    const std::lock_guard lock(mutex_);
    return begun_;
  }
  std::size_t threads() {
    const std::lock_guard lock(mutex_);
    return threads_.size();
  }

  std::atomic<bool> deaf = false;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
  int begun_ = 0;
  std::set<std::thread::id> threads_;
};

/// A coroutine that waits for work.
struct Waiting {
  void start(asio::io_context& io, BlockingWork work) {
    asio::co_spawn(io, in_background(std::move(work)),
                   asio::bind_cancellation_slot(signal.slot(), [this](std::exception_ptr error, Result<Json> given) {
                     ended = true;
                     thrown = std::move(error);
                     result = std::move(given);
                   }));
  }
  bool aborted() const {
    try {
      if (thrown) std::rethrow_exception(thrown);
    } catch (const boost::system::system_error& error) {
      return error.code() == asio::error::operation_aborted;
    }
    return false;
  }
  void cancel() { signal.emit(asio::cancellation_type::terminal); }

  asio::cancellation_signal signal;
  bool ended = false;
  std::exception_ptr thrown;
  Result<Json> result;
};

void turn_until(asio::io_context& io, const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!condition()) {
    REQUIRE(std::chrono::steady_clock::now() < end);
    io.restart();
    io.run_one_for(std::chrono::milliseconds(2));
  }
}

}  // namespace

TEST_CASE("the event loop goes on while work blocks, and gets what it gives") {
  asio::io_context io;
  Gate gate;
  Waiting waiting;
  waiting.start(io, gate.work(7));
  turn_until(io, [&] { return gate.begun() == 1; });
  asio::post(io, [&] { gate.open(); });
  io.restart();
  io.run();
  CHECK(waiting.result == Json(7));
}

TEST_CASE("errors and exceptions of the work are those of who waits") {
  asio::io_context io;
  Waiting failed;
  failed.start(io, [](const Stop&) -> Result<Json> { return fail("no", "hint"); });
  Waiting threw;
  threw.start(io, [](const Stop&) -> Result<Json> { throw std::runtime_error("a fault"); });
  io.run();
  CHECK(failed.result.error().message == "no");
  REQUIRE(threw.thrown);
  CHECK_THROWS_WITH_AS(std::rethrow_exception(threw.thrown), "a fault", std::runtime_error);
}

TEST_CASE("two threads do all the work") {
  asio::io_context io;
  Gate gate;
  std::array<Waiting, 6> waiting;
  for (auto& one : waiting) one.start(io, gate.work());
  turn_until(io, [&] { return gate.begun() == 2; });
  gate.open();
  io.restart();
  io.run();
  CHECK(gate.begun() == 6);
  CHECK(gate.threads() == 2);
}

TEST_CASE("work that has not begun never does when it is cancelled, and is not waited for") {
  asio::io_context io;
  Gate gate;
  std::array<Waiting, 3> waiting;
  for (auto& one : waiting) one.start(io, gate.work());
  turn_until(io, [&] { return gate.begun() == 2; });
  waiting[2].cancel();
  turn_until(io, [&] { return waiting[2].ended; });
  CHECK(waiting[2].aborted());
  CHECK_FALSE(waiting[0].ended);
  gate.open();
  io.restart();
  io.run();
  CHECK(gate.begun() == 2);
}

TEST_CASE("work that is cancelled ends where it looks, and is waited for until then") {
  asio::io_context io;
  Gate gate;
  gate.deaf = true;
  Waiting waiting;
  waiting.start(io, gate.work());
  turn_until(io, [&] { return gate.begun() == 1; });
  waiting.cancel();
  waiting.cancel();
  for (int i = 0; i < 10; ++i) {
    io.restart();
    io.run_one_for(std::chrono::milliseconds(2));
  }
  CHECK_FALSE(waiting.ended);
  gate.deaf = false;
  turn_until(io, [&] { return waiting.ended; });
  CHECK(waiting.aborted());
}

TEST_CASE("work that ends by itself although it was cancelled has its result") {
  asio::io_context io;
  Gate gate;
  gate.deaf = true;
  Waiting waiting;
  waiting.start(io, gate.work("done"));
  turn_until(io, [&] { return gate.begun() == 1; });
  waiting.cancel();
  gate.open();
  turn_until(io, [&] { return waiting.ended; });
  CHECK_FALSE(waiting.thrown);
  CHECK(waiting.result == Json("done"));
}

TEST_CASE("who waited can wait again after a cancellation, and be cancelled again") {
  asio::io_context io;
  Gate gate;
  asio::cancellation_signal signal;
  int aborted = 0;
  const auto wait_twice = [&]() -> asio::awaitable<void> {
    while (aborted < 2) {
      try {
        BlockingWork work = gate.work();
        co_await in_background(std::move(work));
      } catch (const boost::system::system_error&) {
        ++aborted;
      }
    }
  };
  asio::co_spawn(io, wait_twice(), asio::bind_cancellation_slot(signal.slot(), asio::detached));
  for (int times = 1; times <= 2; ++times) {
    turn_until(io, [&] { return gate.begun() == times; });
    signal.emit(asio::cancellation_type::terminal);
    turn_until(io, [&] { return aborted == times; });
  }
}

TEST_CASE("a loop that goes away ends the work that it began") {
  Gate gate;
  std::array<Waiting, 3> waiting;
  {
    asio::io_context io;
    for (auto& one : waiting) one.start(io, gate.work());
    turn_until(io, [&] { return gate.begun() == 2; });
  }
  CHECK(gate.begun() == 2);
}

}  // namespace canorun::tasks
