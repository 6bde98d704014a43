// What the process says to its caller when it ends (cli.md, "Exit codes").
#pragma once

#include <cstdint>

#include "engine/store/row.h"

namespace canorun::cli {

enum class ExitCode : std::uint8_t {
  kSuccess = 0,
  kFailed = 1,
  kUsage = 2,
  kRolledBack = 3,
  kRollbackIncomplete = 4,
  kCancelled = 5,
  kRefused = 6,
  kStore = 7,
  kResumeLater = 75,
};

/// Of a run that a process worked on, by what became of it.
constexpr ExitCode exit_code(store::Status status) {
  switch (status) {
    case store::Status::kSucceeded: return ExitCode::kSuccess;
    case store::Status::kFailed: return ExitCode::kFailed;
    case store::Status::kRolledBack: return ExitCode::kRolledBack;
    case store::Status::kRollbackIncomplete: return ExitCode::kRollbackIncomplete;
    case store::Status::kCancelled: return ExitCode::kCancelled;
    case store::Status::kQueued:
    case store::Status::kRunning:
    case store::Status::kWaiting:
    case store::Status::kSuspended:
    case store::Status::kInterrupted: return ExitCode::kResumeLater;
  }
  return ExitCode::kFailed;
}

}  // namespace canorun::cli
