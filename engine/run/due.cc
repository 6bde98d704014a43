#include "engine/run/due.h"

#include <algorithm>

namespace canorun::run {

bool is_due(const store::CheckpointStore& store, const store::Summary& run, WallTime now) {
  if (run.status != store::Status::kWaiting || !run.waits_for) return false;
  const store::WaitsFor& waits = *run.waits_for;
  if (waits.until && *waits.until <= now) return true;
  if (waits.children > 0) {
    const auto children = store.list({.status = store::Status::kWaiting, .parent = run.id});
    if (!children || children->size() < waits.children) return true;  // somebody has ended one
    return std::ranges::any_of(*children, [&](const store::Summary& child) { return is_due(store, child, now); });
  }
  if (waits.signal.empty()) return false;
  const auto signals = store.signals(run.id);
  return !signals || std::ranges::find(*signals, waits.signal, &store::Signal::name) != signals->end();
}

}  // namespace canorun::run
