#include "engine/store/row.h"

#include <algorithm>
#include <array>

namespace canorun::store {
namespace {

constexpr std::array<std::string_view, 10> kStatusNames{
    "queued",    "running", "waiting",     "suspended",           "interrupted",
    "succeeded", "failed",  "rolled_back", "rollback_incomplete", "cancelled"};
constexpr std::array<std::string_view, std::variant_size_v<Body>> kTypeNames{
    "run_started",     "state_entered",    "state_ended",        "run_suspended",   "run_resumed",  "run_ended",
    "branch_ended",    "item_ended",       "step_ended",         "signal_received", "window_ended", "run_queued",
    "outcome_reached", "rollback_started", "compensation_ended", "part_began"};

}  // namespace

std::string_view status_name(Status status) { return kStatusNames[static_cast<std::size_t>(status)]; }

std::optional<Status> status_from(std::string_view name) {
  const auto found = std::ranges::find(kStatusNames, name);
  if (found == kStatusNames.end()) return std::nullopt;
  return static_cast<Status>(found - kStatusNames.begin());
}

std::string_view type_name(const Row& row) { return kTypeNames[row.body.index()]; }

bool is_over(Status status) {
  return status == Status::kSucceeded || status == Status::kRolledBack || status == Status::kCancelled;
}

bool needs_owner(Status status) { return status == Status::kRunning || status == Status::kQueued; }

bool has_ended(Status status) { return may_be_deleted(status) || status == Status::kRollbackIncomplete; }

bool may_be_deleted(Status status) { return is_over(status) || status == Status::kFailed; }

}  // namespace canorun::store
