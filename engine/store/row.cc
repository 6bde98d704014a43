#include "engine/store/row.h"

#include <algorithm>
#include <array>

namespace canorun::store {
namespace {

constexpr std::array<std::string_view, 10> kStatusNames{
    "queued",    "running", "waiting",     "suspended",           "interrupted",
    "succeeded", "failed",  "rolled_back", "rollback_incomplete", "cancelled"};
constexpr std::array<std::string_view, std::variant_size_v<Body>> kTypeNames{
    "run_started", "state_entered", "state_ended",     "run_suspended", "run_resumed", "run_ended",      "branch_ended",
    "item_ended",  "step_ended",    "signal_received", "window_ended",  "run_queued",  "outcome_reached"};

}  // namespace

std::string_view status_name(Status status) { return kStatusNames[static_cast<std::size_t>(status)]; }

std::optional<Status> status_from(std::string_view name) {
  const auto found = std::ranges::find(kStatusNames, name);
  if (found == kStatusNames.end()) return std::nullopt;
  return static_cast<Status>(found - kStatusNames.begin());
}

std::string_view type_name(const Row& row) { return kTypeNames[row.body.index()]; }

std::uint64_t gap_before(const Row& row) {
  const auto* window = std::get_if<WindowEnded>(&row.body);
  return window != nullptr ? window->replaces : 0;
}

bool replace_rightly(const std::vector<Row>& rows, const Row* before) {
  for (const Row& row : rows) {
    const auto* window = std::get_if<WindowEnded>(&row.body);
    if (window != nullptr && window->replaces > 0) {
      const auto* earlier = before != nullptr ? std::get_if<WindowEnded>(&before->body) : nullptr;
      if (earlier == nullptr || earlier->state != window->state || earlier->visit != window->visit) return false;
      if (earlier->replaces + 1 != window->replaces) return false;
    }
    before = &row;
  }
  return true;
}

std::vector<std::string_view> texts_of(const Row& row) {
  std::vector<std::string_view> digests;
  const auto refer = [&](std::string_view digest, const Flows& flows) {
    digests.push_back(digest);
    for (const auto& [path, text] : flows) digests.push_back(text);
  };
  if (const auto* started = std::get_if<RunStarted>(&row.body)) refer(started->digest, started->flows);
  if (const auto* resumed = std::get_if<RunResumed>(&row.body); resumed != nullptr && resumed->digest) {
    refer(*resumed->digest, resumed->flows);
  }
  return digests;
}

std::optional<std::string> missing_text(const std::vector<Row>& rows,
                                        const std::function<bool(std::string_view)>& is_there) {
  for (const Row& row : rows) {
    for (const std::string_view digest : texts_of(row)) {
      if (!is_there(digest)) return std::string(digest);
    }
  }
  return std::nullopt;
}

std::optional<std::uint64_t> signal_of(const Row& row) {
  const auto* received = std::get_if<SignalReceived>(&row.body);
  return received != nullptr ? std::optional(received->number) : std::nullopt;
}

bool gives_up_ownership(const Row& row) {
  return std::holds_alternative<RunEnded>(row.body) || std::holds_alternative<RunSuspended>(row.body);
}

bool is_over(Status status) {
  return status == Status::kSucceeded || status == Status::kRolledBack || status == Status::kCancelled;
}

bool needs_owner(Status status) { return status == Status::kRunning || status == Status::kQueued; }

bool may_be_deleted(Status status) { return is_over(status) || status == Status::kFailed; }

}  // namespace canorun::store
