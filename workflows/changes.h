// What is written differently in two versions of a flow.
#pragma once

#include <string>
#include <vector>

namespace canorun::workflows {

/// Names, in the order in which they are written. How it is written, and comments, count for nothing.
struct Changes {
  std::vector<std::string> added;    ///< states that only the later one has
  std::vector<std::string> removed;  ///< that only the earlier one has
  std::vector<std::string> altered;
  std::vector<std::string> others;  ///< top-level keys beside `states` and `version`
};

/// Of two texts that can be read as flows.
Changes changes_between(const std::string& before, const std::string& after);

}  // namespace canorun::workflows
