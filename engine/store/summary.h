// What is known of a run without its rows.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "engine/store/row.h"

namespace canorun::store {

/// What a list shows of a run: folded from its rows by the store, in the same transaction.
struct Summary {
  std::string id;
  std::string flow;
  std::uint64_t version = 0;
  Status status = Status::kRunning;
  std::string state;
  WallTime started_at{};
  std::optional<WallTime> ended_at = {};
  std::uint64_t rows = 0;                  ///< also the sequence of the next row
  std::optional<WaitsFor> waits_for = {};  ///< with kWaiting
  std::string parent = {};
  std::string work = {};
  bool operator==(const Summary&) const = default;
};

/// Folds one row into the summary.
void apply(Summary& summary, const Row& row);

}  // namespace canorun::store
