// What an attempt must pass before it may begin: rate limits, then a breaker.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/run/perform.h"
#include "engine/store/shared.h"

namespace canorun::run {

/// Of one action, for all its attempts. What an attempt was given and did not use up, as it was cut off, is given back.
/// Event-loop thread only.
class Guards {
 public:
  /// Null where the action has none.
  static std::unique_ptr<Guards> of(RunContext& context, const Piece& piece);
  Guards(const Guards&) = delete;
  Guards& operator=(const Guards&) = delete;
  ~Guards();

  /// Waits until an attempt may begin; the failure: it may not. Throws `operation_aborted` when the piece's interrupt
  /// is raised meanwhile.
  boost::asio::awaitable<std::optional<model::Failure>> enter();
  /// What became of the attempt.
  boost::asio::awaitable<void> leave(const model::Outcome& outcome);
  /// The attempt may last for ever, and has done what it is there for: a trial has succeeded with that.
  boost::asio::awaitable<void> goes_well();
  /// The attempt was cut off.
  void give_back();

  /// The breaker let the last attempt not begin: there is no other.
  bool is_shut() const { return shut_; }
  /// How many were made, where attempt `last` was the last.
  std::uint32_t attempts(std::uint32_t last) const { return shut_ ? last - 1 : last; }
  /// It would not let another begin after this delay either: then that is the failure in place of the last one's.
  std::optional<model::Failure> shut_after(Millis delay) const;

 private:
  Guards(RunContext& context, const Piece& piece);
  boost::asio::awaitable<std::optional<model::Failure>> pass_limits();
  boost::asio::awaitable<std::optional<model::Failure>> pass_breaker();
  /// Of an attempt that does not begin.
  void give_back_limits();
  model::Failure limited(const store::LimitWait& wait) const;
  model::Failure open(Millis left) const;
  const model::Breaker& breaker() const { return *breaker_; }
  /// Its time is read when it is this call's turn.
  store::BreakerCall breaker_call() const;
  [[noreturn]] void lose(store::StoreError error);
  void tell_wait(const store::LimitWait& wait);

  RunContext& context_;
  const Piece& piece_;
  std::vector<store::LimitCost> costs_;
  const model::Breaker* breaker_ = nullptr;
  std::string breaker_key_;
  std::optional<store::Moment> taken_;  ///< the limits of an attempt that has not begun
  std::optional<policy::Permit> permit_;
  std::string last_error_;
  Millis shut_for_{0};  ///< after the last outcome
  bool shut_ = false;
};

}  // namespace canorun::run
