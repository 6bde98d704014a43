// Kills a flow before and after every row, resumes it, and compares the ends with those of runs that were left alone.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/torture_bench.h"

namespace canorun::cli {

struct Kill {
  bool after = false;
  std::uint64_t row = 0;
  std::string what = {};  ///< the row: `state_ended charge`
  std::string run = {};   ///< the run below that has the row; empty: the run itself
};

/// What is not safe to run twice, and how that shows.
struct Finding {
  Step step;
  std::vector<Difference> differences;
  std::vector<Kill> kills;  ///< all that came to this
};

struct TortureReport {
  End whole;  ///< what it comes to when it is left alone
  Millis took{0};
  std::size_t kills = 0;
  std::size_t same = 0;      ///< came to the same end
  std::size_t unkilled = 0;  ///< of these, ended before the row came
  std::vector<std::string> left_out;
  std::vector<Finding> findings;
};

/// Is told of every kill that was made.
using Tell = std::function<void(std::size_t number, std::size_t of, const Kill& kill, bool same)>;

/// Refuses with kCancelled when a signal came. `patience`: how long a run that was killed may take to its end; none:
/// ten times as long as one that was left alone, and a minute at least.
OrRefusal<TortureReport> torture(TortureBench& bench, StopSignals& stop, std::optional<Millis> patience,
                                 const Tell& tell);

}  // namespace canorun::cli
