// Breakers and limits, but for those that nobody will ask again.
#pragma once

#include <algorithm>
#include <string_view>
#include <vector>

#include "engine/store/store.h"

namespace canorun::cli {

/// Leaves out what is the own of a run that is over, or is not there any more.
template <class Record>
store::StoreResult<std::vector<Record>> only_live(const store::CheckpointStore& store,
                                                  store::StoreResult<std::vector<Record>> records) {
  if (!records) return records;
  std::optional<store::StoreError> problem;
  std::erase_if(*records, [&](const Record& record) {
    const std::string_view id = store::owner_run(record.key);
    if (id.empty() || problem) return false;
    const auto run = store.find(id);
    if (run) return store::is_over(run->status);
    if (run.error().kind != store::StoreErrorKind::kNoSuchRun) problem = run.error();
    return true;
  });
  if (problem) return std::unexpected(std::move(*problem));
  return records;
}

}  // namespace canorun::cli
