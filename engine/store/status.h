// What becomes of a run.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace canorun::store {

/// The numbers are the format's: new ones go to the end.
enum class Status : std::uint8_t {
  kQueued,  ///< for its concurrency group
  kRunning,
  kWaiting,  ///< for a time or a signal; no process works on it
  kSuspended,
  kInterrupted,  ///< never stored: `needs_owner`, and the owner is gone
  kSucceeded,
  kFailed,
  kRolledBack,
  kRollbackIncomplete,
  kCancelled,
};

/// `rolled_back` and the like.
std::string_view status_name(Status status);
std::optional<Status> status_from(std::string_view name);

/// A run in this status can never go on. One that failed may: its rows tell (RunState::is_over).
bool is_over(Status status);

/// It came to an end: nothing works on it, and nothing is waited for.
bool has_ended(Status status);

/// What a live process works on, or waits with: without one the run is interrupted.
bool needs_owner(Status status);

/// Ended in a way that asks for nobody's attention: old runs in this status may be deleted.
bool may_be_deleted(Status status);

}  // namespace canorun::store
