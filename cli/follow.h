// Waiting for a run that another process works on.
#pragma once

#include <chrono>
#include <thread>

#include "engine/store/row.h"

namespace canorun::cli {

/// How often what another process writes is looked at.
inline constexpr std::chrono::milliseconds kLookAgain{200};

/// More can come of a run in this status without a person doing anything.
constexpr bool goes_on(store::Status status) {
  return status == store::Status::kRunning || status == store::Status::kQueued;
}

inline void wait_a_little() { std::this_thread::sleep_for(kLookAgain); }

}  // namespace canorun::cli
