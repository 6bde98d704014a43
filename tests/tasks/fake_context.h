// Running tasks without an engine: a context that records, and an event loop.
#pragma once

#include <doctest/doctest.h>

#include <boost/asio.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/model/task.h"
#include "engine/model/task_kind.h"
#include "support/manual_clock.h"
#include "support/temp_folder.h"
#include "tasks/catalog.h"

namespace canorun::test {

class FakeContext final : public model::TaskContext {
 public:
  explicit FakeContext(boost::asio::io_context& io) : io_(io), key_("key-" + folder_.path().substr(5)) {}

  boost::asio::any_io_executor executor() const override { return io_.get_executor(); }
  const Clock& clock() const override { return *given_clock; }
  const std::string& run_id() const override { return run_id_; }
  const std::string& flow_name() const override { return flow_name_; }
  const std::string& folder() const override { return folder_.path(); }
  const std::string& state() const override { return state_; }
  const std::string& part() const override { return part_; }
  std::uint64_t visit() const override { return 2; }
  std::uint32_t attempt() const override { return 3; }
  const std::string& idempotency_key() const override { return key_; }
  const std::string& compensates() const override { return compensates_; }
  const std::string& token() const override { return key_; }
  const std::vector<std::pair<std::string, std::string>>& environment() const override { return environment_; }
  const Masker& masker() const override { return masker_; }
  Result<std::string> scratch_file(std::string_view purpose) override {
    return scratch_.path() + "/" + std::string(purpose);
  }
  Result<std::string> kept_file() override { return scratch_.path() + "/kept"; }
  boost::asio::awaitable<model::Outcome> run_flow(const std::string& file, Json inputs) override {
    co_return model::Success{{{"file", file}, {"inputs", std::move(inputs)}}};
  }
  // Counts everything, keeps the beginning.
  void write_log(model::Stream stream, std::string_view bytes) override {
    constexpr std::size_t kKept = 1 << 20;
    auto& kept = stream == model::Stream::kStdout ? out : err;
    kept.append(bytes.substr(0, kKept - kept.size()));
    logged += bytes.size();
  }
  void say(model::LogLevel level, std::string_view message) override { said.emplace_back(level, message); }

  std::string out;
  std::string err;
  std::uint64_t logged = 0;
  std::vector<std::pair<model::LogLevel, std::string>> said;
  std::vector<std::pair<std::string, std::string>> environment_;
  Masker masker_;
  ManualClock clock_;
  const Clock* given_clock = &clock_;

 private:
  boost::asio::io_context& io_;
  TempFolder folder_;
  TempFolder scratch_;
  std::string run_id_ = "order-1";
  std::string flow_name_ = "order";
  std::string state_ = "reserve";
  std::string part_;
  std::string key_;
  std::string compensates_;
};

/// A task's attempt on a loop of its own.
class Bench {
 public:
  Bench() { std::signal(SIGPIPE, SIG_IGN); }  // as the program does
  ~Bench() { loop.reset(); }                  // while what runs on it still has its context
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;

  /// Makes a task as the engine does: each parameter checked, then all together.
  static Result<std::unique_ptr<model::Task>> make(std::string_view kind_name, Json params) {
    const model::TaskKind* kind = model::find_kind(tasks::catalog(), kind_name);
    REQUIRE(kind != nullptr);
    normalize(params);
    for (auto& [name, value] : params.items()) {
      const model::Param* param = model::find_param(*kind, name);
      REQUIRE_MESSAGE(param != nullptr, name);
      if (auto good = model::check_param(*param, value); !good) return std::unexpected(good.error());
    }
    if (kind->check != nullptr) {
      if (auto good = kind->check(params); !good) return std::unexpected(good.error());
    }
    return kind->make(std::move(params));
  }

  void start(std::unique_ptr<model::Task> task) {
    task_ = std::move(task);
    boost::asio::co_spawn(
        io, task_->run(context),
        boost::asio::bind_cancellation_slot(cancel_.slot(), [this](std::exception_ptr thrown, model::Outcome outcome) {
          ended = true;
          if (!thrown) {
            outcome_ = std::move(outcome);
            return;
          }
          try {
            std::rethrow_exception(thrown);
          } catch (const boost::system::system_error& error) {
            thrown_ = error.code();
          }
        }));
  }

  model::Outcome run(std::unique_ptr<model::Task> task) {
    start(std::move(task));
    io.run();
    io.restart();
    REQUIRE(ended);
    REQUIRE_FALSE(thrown_);
    return std::move(*outcome_);
  }

  model::Outcome run(std::string_view kind, Json params) {
    auto task = make(kind, std::move(params));
    REQUIRE_MESSAGE(task, (task ? "" : task.error().message));
    return run(std::move(*task));
  }

  Json output(std::string_view kind, Json params) {
    auto outcome = run(kind, std::move(params));
    const auto* failed = std::get_if<model::Failure>(&outcome);
    REQUIRE_MESSAGE(failed == nullptr, (failed == nullptr ? "" : failed->error.message));
    return std::get<model::Success>(std::move(outcome)).output;
  }

  model::RunError error(std::string_view kind, Json params) {
    auto outcome = run(kind, std::move(params));
    REQUIRE(std::holds_alternative<model::Failure>(outcome));
    return std::get<model::Failure>(std::move(outcome)).error;
  }

  /// Turns the loop until the condition holds; the test fails when nothing comes of it for 20 s.
  void until(const std::function<bool()>& condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!condition()) {
      REQUIRE(std::chrono::steady_clock::now() < end);
      io.run_one_for(std::chrono::milliseconds(10));
    }
  }

  /// Cancels as the engine does, and gives what the task threw.
  boost::system::error_code cancel() {
    cancel_.emit(boost::asio::cancellation_type::terminal);
    until([this] { return ended; });
    REQUIRE(thrown_);
    return *thrown_;
  }

  std::string read(const std::string& name) const {
    std::ifstream file(context.folder() + "/" + name);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  std::unique_ptr<model::Task> task_;
  boost::asio::cancellation_signal cancel_;
  std::optional<model::Outcome> outcome_;
  std::optional<boost::system::error_code> thrown_;
  bool ended = false;
  std::unique_ptr<boost::asio::io_context> loop = std::make_unique<boost::asio::io_context>();
  boost::asio::io_context& io = *loop;
  FakeContext context{io};
};

}  // namespace canorun::test
