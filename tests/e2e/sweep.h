// Kills a flow before and after every row, resumes it, and compares the ends with one that was left alone.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "canorun.h"

namespace canorun::test {

struct SweepCase {
  std::string flow;                       ///< path
  std::vector<std::string> inputs = {};   ///< `name=value`; `{world}` becomes the world's folder
  std::vector<std::string> compare = {};  ///< folders in the world whose files must be the same at the end
  std::function<void(const World&)> prepare = {};
  std::function<void(const World&)> killed = {};  ///< called after each kill
  std::function<void(const World&)> ended = {};   ///< called after the resume that followed
};

struct End {
  int code = -1;
  Json run;  ///< `show --json` less what differs between any two runs
  std::map<std::string, std::string> files;
  bool operator==(const End&) const = default;
};

/// The whole sweep. Gives the number of rows of the unkilled run.
std::size_t sweep(const SweepCase& example);

}  // namespace canorun::test
