// What every attempt of an action begins with and ends in: its parameters, its environment, what its task sees, and
// whether there is another one.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/model/task.h"
#include "engine/run/attempt_log.h"
#include "engine/run/perform.h"

namespace canorun::run {

class Guards;

using Environment = std::vector<std::pair<std::string, std::string>>;

/// One attempt, as its task sees it. All that it is given outlives it.
class Attempt final : public model::TaskContext {
 public:
  Attempt(RunContext& context, const Piece& piece, const ActionView& view, const Environment& environment)
      : context_(context), piece_(piece), view_(view), environment_(environment) {}
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;
  /// Removes its scratch files.
  ~Attempt() override;

  boost::asio::any_io_executor executor() const override { return context_.runtime().executor; }
  const Clock& clock() const override { return context_.runtime().clock; }
  const std::string& run_id() const override { return context_.run().id; }
  const std::string& flow_name() const override { return context_.flow().name; }
  const std::string& folder() const override { return context_.flow().folder; }
  const std::string& state() const override { return piece_.state.name; }
  const std::string& part() const override { return piece_.part; }
  std::uint64_t visit() const override { return view_.visit(); }
  std::uint32_t attempt() const override { return view_.attempt; }
  const std::string& idempotency_key() const override { return view_.idempotency_key(); }
  const std::string& compensates() const override { return view_.compensates(); }
  const std::string& token() const override { return view_.token(); }
  const Environment& environment() const override { return environment_; }
  const Masker& masker() const override { return context_.masker(); }

  Result<std::string> scratch_file(std::string_view purpose) override;
  Result<std::string> kept_file() override;
  boost::asio::awaitable<model::Outcome> run_flow(const std::string& file, Json inputs) override;
  void write_log(model::Stream stream, std::string_view bytes) override;
  void say(model::LogLevel level, std::string_view message) override;

 private:
  AttemptName name() const;

  RunContext& context_;
  const Piece& piece_;
  const ActionView& view_;
  const Environment& environment_;
  std::unique_ptr<AttemptLog> log_;  ///< once there is something to log
  std::vector<std::string> scratch_;
};

/// A failure of kind `expression` of what stands at `where`.
model::Failure bad_params(std::string_view where, const Error& error);

/// The parameters of one attempt, checked as far as they were not when the flow was read.
Result<Json, model::Failure> make_params(const model::Action& action, model::Scope& scope);

Result<Environment, model::Failure> make_environment(RunContext& context, const model::Action& action,
                                                     model::Scope& scope);

/// Completes the failure of an attempt, and tells it. Gives the delay before the next one, or none where there is no
/// other: then the failure is the last one's, or that of the rule, or says that a breaker lets no other begin. Secrets
/// are hidden in it, whatever it is, before anything reads it. `guards` may be null.
std::optional<Millis> after_failure(RunContext& context, const Piece& piece, const Guards* guards,
                                    std::uint32_t attempt, model::Scope& scope, model::Failure& failure);

}  // namespace canorun::run
