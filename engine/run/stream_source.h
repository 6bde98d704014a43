// The source of a stream: a command or a file, begun behind a cursor, and begun again when it has failed and may.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <optional>

#include "engine/model/task.h"
#include "engine/run/attempt.h"
#include "engine/run/guards.h"

namespace canorun::run {

/// Event-loop thread only. Ended before it goes, unless something was thrown: then what of it runs is killed.
class StreamSource {
 public:
  /// `ready`: see model::LineSource::start.
  StreamSource(RunContext& context, const model::State& state, const model::StreamShape& stream,
               std::function<void()> ready);
  StreamSource(const StreamSource&) = delete;
  StreamSource& operator=(const StreamSource&) = delete;
  ~StreamSource();

  bool is_open() const { return lines_ != nullptr; }

  /// Begins the next attempt behind `cursor`, once it may. Of a file that is the byte it says; null: the beginning.
  boost::asio::awaitable<std::optional<model::Failure>> open(const Json& cursor);
  /// Of one that is open. Lines are masked, each by itself.
  model::NextLine next();
  /// Nothing of it runs afterwards. An interrupt does not cut it short: the caller looks at its reason.
  boost::asio::awaitable<void> end();
  /// The same of one that has given its outcome.
  boost::asio::awaitable<void> end(const model::Outcome& outcome);

  /// What follows from the failure of an attempt: see `after_failure`. A file is not tried again.
  std::optional<Millis> failed(model::Failure& failure);
  /// What was read will be kept: the attempts are counted anew.
  void forget_failures() { attempt_ = is_open() ? 1 : 0; }
  /// What was read is kept: to its breaker, the trial of a source that is open has succeeded.
  boost::asio::awaitable<void> kept();
  std::uint32_t attempts() const { return guards_ ? guards_->attempts(attempt_) : attempt_; }

 private:
  std::optional<model::Failure> start();
  boost::asio::awaitable<void> close();
  Result<std::unique_ptr<model::LineSource>, model::Failure> make(const model::Action& action);
  Result<std::unique_ptr<model::LineSource>, model::Failure> make(const model::StreamShape::File& file);

  RunContext& context_;
  const model::StreamShape& stream_;
  std::function<void()> ready_;
  model::Action no_action_;  ///< of a file
  Piece piece_;
  ActionView view_;
  Json cursor_;
  model::Scope scope_;
  Environment environment_;
  std::uint32_t attempt_ = 0;
  std::unique_ptr<Guards> guards_;
  std::unique_ptr<Attempt> current_;
  std::unique_ptr<model::LineSource> lines_;
};

}  // namespace canorun::run
