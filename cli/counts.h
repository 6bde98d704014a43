// How far a state has come that works on many things.
#pragma once

#include <cstdint>
#include <string>

#include "engine/base/clock.h"

namespace canorun::cli {

struct Counts {
  std::string unit;          ///< of what: `item`
  std::uint64_t total = 0;   ///< 0: nobody knows
  std::uint64_t before = 0;  ///< ended before this process took the run up
  std::uint64_t ended = 0;   ///< with those
  std::uint64_t failed = 0;  ///< of them, since then
  std::uint64_t items = 0;   ///< of a stream, in all windows

  /// `40 of 100 items, 1 failed`; of a stream `3 windows, 300 items`.
  std::string text() const;
  /// `, 12.5/s, 4 s left`: what `elapsed` has shown; empty where that is too little to tell.
  std::string pace(Millis elapsed) const;
  /// `█████░░░░░`; empty where the total is not known.
  std::string bar() const;
};

}  // namespace canorun::cli
