// Why an action, a state or a run failed.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/clock.h"
#include "engine/base/value.h"

namespace canorun::model {

/// The closed set of error kinds; `fail` may name others (see RunError::kind).
namespace kind {
inline constexpr std::string_view kExit = "exit";
inline constexpr std::string_view kSignal = "signal";
inline constexpr std::string_view kTask = "task";
inline constexpr std::string_view kHttpStatus = "http_status";
inline constexpr std::string_view kTimeout = "timeout";
inline constexpr std::string_view kCircuitOpen = "circuit_open";
inline constexpr std::string_view kRateLimited = "rate_limited";
inline constexpr std::string_view kSplit = "split";
inline constexpr std::string_view kBatch = "batch";
inline constexpr std::string_view kExpression = "expression";
inline constexpr std::string_view kNoTransition = "no_transition";
inline constexpr std::string_view kMaxTransitions = "max_transitions";
inline constexpr std::string_view kRunTimeout = "run_timeout";
inline constexpr std::string_view kCancelled = "cancelled";
inline constexpr std::string_view kCompensation = "compensation";
inline constexpr std::string_view kStore = "store";

/// All that the engine itself can give, in order: `fail` may name none of those that `on_error`
/// never sees.
inline constexpr std::array kAll{kBatch,      kCancelled,      kCircuitOpen,  kCompensation, kExit,       kExpression,
                                 kHttpStatus, kMaxTransitions, kNoTransition, kRateLimited,  kRunTimeout, kSignal,
                                 kSplit,      kStore,          kTask,         kTimeout};
}  // namespace kind

/// `on_error` never sees these.
bool is_final(std::string_view error_kind);

/// What flows and people see as `error`.
struct RunError {
  std::string kind;
  std::string message;
  std::string state = {};
  std::uint32_t attempts = 0;
  std::optional<int> exit_code = {};
  std::string run = {};  ///< the child run whose failure it was; empty: the run's own
  /// The last lines a command wrote to stderr: shown to people, not part of `error` in expressions.
  std::string stderr_tail = {};
  /// What the other side asked to wait (Retry-After); not stored.
  Millis retry_after{0};

  /// `{kind, message, state, attempts, exit_code?, run?}`
  Json to_json() const;
  static RunError from_json(const Json& value);
};

}  // namespace canorun::model
