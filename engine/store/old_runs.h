// Which runs are old: the same for every store.
#pragma once

#include <cstddef>
#include <map>
#include <string>

#include "engine/store/store.h"

namespace canorun::store {

/// Is shown the runs of a store one by one; where some are kept by their number, from the newest on.
class OldRunPicker {
 public:
  explicit OldRunPicker(const OldRuns& which) : which_(which) {}

  /// The run is old and may be deleted, as far as it shows itself. Not a child.
  bool takes(const Summary& run);

 private:
  const OldRuns& which_;
  std::map<std::string, std::size_t> newer_;  ///< flow -> so many that may be deleted
};

/// A run in this status stays where it is, and what it is a child of, too.
bool holds_its_family(Status status);

}  // namespace canorun::store
