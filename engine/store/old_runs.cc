#include "engine/store/old_runs.h"

namespace canorun::store {

bool OldRunPicker::takes(const Summary& run) {
  if (!run.parent.empty() || !may_be_deleted(run.status) || !run.ended_at) return false;
  if (which_.flow && run.flow != *which_.flow) return false;
  if (which_.keep > 0 && newer_[run.flow]++ < which_.keep) return false;
  return !which_.before || *run.ended_at < *which_.before;
}

bool holds_its_family(Status status) { return status == Status::kRollbackIncomplete; }

}  // namespace canorun::store
