// What is recorded of a state's work while it is worked on: its parts, its steps, its windows, and what undoes it.
#pragma once

#include <cstdint>
#include <string>

#include "engine/base/clock.h"
#include "engine/base/value.h"

namespace canorun::store {

/// A part of a state's work is about to begin, and is to be undone from now on when the run is rolled back.
struct PartBegan {
  std::string state;
  std::uint64_t visit = 1;
  std::string part;
  Json item = nullptr;  ///< the element that it is for
  bool operator==(const PartBegan&) const = default;
};

/// A part of a state's work has ended by itself, either way: it is not done again in this visit.
struct PartEnded {
  std::string state;
  std::uint64_t visit = 1;
  std::string part;  ///< a branch's name, or the decimal index of an element
  std::uint32_t attempts = 0;
  Millis duration{0};
  Json output = nullptr;
  Json error = nullptr;
  std::string stderr_tail = {};
  bool owed = false;    ///< as in StateEnded
  Json item = nullptr;  ///< the element that it was for, where it is owed
  bool operator==(const PartEnded&) const = default;
};
struct BranchEnded : PartEnded {};
struct ItemEnded : PartEnded {};

/// A step of a loop has succeeded.
struct StepEnded {
  std::string state;
  std::uint64_t visit = 1;
  std::uint64_t step = 0;
  std::uint32_t attempts = 0;
  Millis duration{0};
  Json cursor = nullptr;  ///< the next one; null: this step was the last
  Json output = nullptr;
  bool operator==(const StepEnded&) const = default;
};

/// What undoes an action has ended, either way: of the state, or of its part.
struct CompensationEnded : PartEnded {};

/// Why a stream reads no more. The numbers are the format's.
enum class StreamEnd : std::uint8_t { kNone, kExhausted, kStopped };

/// A window of a stream was flushed. Its cursor stands for those of the windows before it.
struct WindowEnded {
  std::string state;
  std::uint64_t visit = 1;
  std::uint64_t window = 0;
  std::uint32_t attempts = 0;  ///< of its flush
  Millis duration{0};          ///< likewise
  std::uint64_t items = 0;     ///< in this window and all before it
  std::uint64_t skipped = 0;   ///< likewise
  Json cursor = nullptr;
  StreamEnd end = StreamEnd::kNone;  ///< another: this window was the last
  /// So many rows right before this one are of earlier windows, and go with the transaction that brings it.
  std::uint64_t replaces = 0;
  bool operator==(const WindowEnded&) const = default;
};

}  // namespace canorun::store
