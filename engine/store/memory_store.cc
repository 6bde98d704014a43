#include "engine/store/memory_store.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "engine/base/ids.h"
#include "engine/store/errors.h"
#include "engine/store/old_runs.h"
#include "engine/store/row_effects.h"

namespace canorun::store {
namespace {

Summary shown(const Summary& stored, bool owned) {
  Summary summary = stored;
  if (needs_owner(summary.status) && !owned) summary.status = Status::kInterrupted;
  return summary;
}

// Takes away what `rows`, which come next, replace: in what is there, and among themselves.
void drop_replaced(std::vector<std::vector<Row>>& batches, std::vector<Row>& rows) {
  if (gap_before(rows.front()) > 0) {
    batches.back().pop_back();
    if (batches.back().empty()) batches.pop_back();
  }
  std::vector<Row> kept;
  for (Row& row : rows) {
    if (!kept.empty() && gap_before(row) > 0) kept.pop_back();
    kept.push_back(std::move(row));
  }
  rows = std::move(kept);
}

}  // namespace

void MemoryStore::create(NewRun run, Completion<RunNumber> done) { done(create_now(run)); }

StoreResult<RunNumber> MemoryStore::create_now(NewRun& run) {
  const RunStarted* started = run.rows.empty() ? nullptr : std::get_if<RunStarted>(&run.rows.front().body);
  if (started == nullptr || !is_run_id(run.id) || !replace_rightly(run.rows, nullptr))
    return std::unexpected(not_a_run(run.id));
  const std::lock_guard lock(mutex_);
  if (ids_.contains(run.id)) return std::unexpected(run_exists(run.id));
  const auto is_there = [&](std::string_view digest) { return texts_.contains(digest) || run.texts.contains(digest); };
  if (auto missing = missing_text(run.rows, is_there)) return std::unexpected(no_such_text(*missing));
  if (!run.group.empty() && !run.queues) {
    if (const auto others = before(run.group, next_place_); !others.empty()) {
      return std::unexpected(group_taken(run.group, others.front()));
    }
  }
  texts_.merge(run.texts);
  Run& made = runs_.emplace_back();
  made.summary.id = run.id;
  if (!run.group.empty()) {
    made.group = std::move(run.group);
    made.place = next_place_++;
  }
  add(made, std::move(run.rows));
  ids_.emplace(std::move(run.id), runs_.size());
  return runs_.size();
}

void MemoryStore::append(RunNumber run, std::uint64_t first, std::vector<Row> rows, Completion<void> done) {
  done(append_now(run, first, rows));
}

StoreResult<void> MemoryStore::append_now(RunNumber number, std::uint64_t first, std::vector<Row>& rows) {
  const std::lock_guard lock(mutex_);
  Run* found = run(number);
  if (found == nullptr) return std::unexpected(no_such_run(number));
  if (!found->owned) return std::unexpected(not_owner(found->summary.id));
  if (first != found->summary.rows) {
    return std::unexpected(row_exists(found->summary.id, first, found->summary.rows));
  }
  const auto is_there = [&](std::string_view digest) { return texts_.contains(digest); };
  if (auto missing = missing_text(rows, is_there)) return std::unexpected(no_such_text(*missing));
  // Of a run whose rows are let go, the one before is not there to be asked.
  const Row* before = found->batches.empty() ? nullptr : &found->batches.back().back();
  if (keeps_ == Keeps::kRows && !replace_rightly(rows, before)) {
    return std::unexpected(replaces_nothing(found->summary.id));
  }
  add(*found, std::move(rows));
  return {};
}

void MemoryStore::add(Run& run, std::vector<Row> rows) const {
  for (const Row& row : rows) {
    apply(run.summary, row);
    if (const auto taken = signal_of(row)) {
      std::erase_if(run.signals, [&](const Signal& signal) { return signal.number == *taken; });
    }
    if (gives_up_ownership(row)) let_go(run);
  }
  if (keeps_ == Keeps::kSummaries || rows.empty()) return;
  if (std::ranges::any_of(rows, [](const Row& row) { return gap_before(row) > 0; })) {
    drop_replaced(run.batches, rows);
  }
  run.batches.push_back(std::move(rows));
}

void MemoryStore::claim(std::string id, Completion<RunRecord> done) { done(claim_now(id)); }

StoreResult<RunRecord> MemoryStore::claim_now(std::string_view id) {
  const std::lock_guard lock(mutex_);
  const auto found = ids_.find(id);
  if (found == ids_.end()) return std::unexpected(no_such_run(id));
  Run& claimed = *run(found->second);
  if (claimed.owned) return std::unexpected(owned(id));
  RunRecord result = record(claimed);
  claimed.owned = true;
  return result;
}

StoreResult<void> MemoryStore::release(RunNumber number) {
  const std::lock_guard lock(mutex_);
  Run* found = run(number);
  if (found == nullptr) return std::unexpected(no_such_run(number));
  if (!found->owned) return std::unexpected(not_owner(found->summary.id));
  let_go(*found);
  return {};
}

void MemoryStore::let_go(Run& run) {
  run.owned = false;
  run.requests.clear();
  run.group.clear();
}

void MemoryStore::join_group(RunNumber run, std::string group, bool queues, Completion<void> done) {
  done(join_now(run, std::move(group), queues));
}

StoreResult<void> MemoryStore::join_now(RunNumber number, std::string group, bool queues) {
  const std::lock_guard lock(mutex_);
  Run* found = run(number);
  if (found == nullptr) return std::unexpected(no_such_run(number));
  if (!found->owned) return std::unexpected(not_owner(found->summary.id));
  if (found->group == group) return {};
  const auto others = before(group, next_place_);
  if (!queues && !others.empty()) return std::unexpected(group_taken(group, others.front()));
  found->group = std::move(group);
  found->place = next_place_++;
  return {};
}

StoreResult<std::vector<std::string>> MemoryStore::before_in_group(RunNumber number) const {
  const std::lock_guard lock(mutex_);
  const Run* found = run(number);
  if (found == nullptr) return std::unexpected(no_such_run(number));
  return before(found->group, found->place);
}

std::vector<std::string> MemoryStore::before(std::string_view group, std::uint64_t place) const {
  std::map<std::uint64_t, std::string> others;
  if (group.empty()) return {};  // it is no group: those without one have no place
  for (const Run& other : runs_) {
    if (other.owned && other.group == group && other.place < place) others.emplace(other.place, other.summary.id);
  }
  std::vector<std::string> ids;
  for (auto& [at, id] : others) ids.push_back(std::move(id));
  return ids;
}

StoreResult<RunRecord> MemoryStore::load(std::string_view id) const {
  const std::lock_guard lock(mutex_);
  const Run* found = run(id);
  if (found == nullptr) return std::unexpected(no_such_run(id));
  return record(*found);
}

StoreResult<Summary> MemoryStore::find(std::string_view id) const {
  const std::lock_guard lock(mutex_);
  const Run* found = run(id);
  if (found == nullptr) return std::unexpected(no_such_run(id));
  return shown(found->summary, found->owned);
}

StoreResult<std::vector<Summary>> MemoryStore::list(const ListFilter& filter) const {
  const std::lock_guard lock(mutex_);
  std::vector<Summary> result;
  for (auto run = runs_.rbegin(); run != runs_.rend(); ++run) {
    if (run->deleted || (filter.flow && run->summary.flow != *filter.flow)) continue;
    if (filter.parent && run->summary.parent != *filter.parent) continue;
    Summary summary = shown(run->summary, run->owned);
    if (filter.status && summary.status != *filter.status) continue;
    result.push_back(std::move(summary));
    if (result.size() == filter.limit) break;
  }
  return result;
}

StoreResult<std::string> MemoryStore::text(std::string_view digest) const {
  const std::lock_guard lock(mutex_);
  const auto found = texts_.find(digest);
  if (found == texts_.end()) return std::unexpected(no_such_text(digest));
  return found->second;
}

StoreResult<void> MemoryStore::put_text(std::string_view digest, std::string_view text) {
  const std::lock_guard lock(mutex_);
  texts_.try_emplace(std::string(digest), text);
  return {};
}

StoreResult<bool> MemoryStore::post(std::string_view id, Request request) {
  const std::lock_guard lock(mutex_);
  const auto found = ids_.find(id);
  if (found == ids_.end()) return std::unexpected(no_such_run(id));
  Run& asked = *run(found->second);
  if (asked.owned) asked.requests.push_back(request);
  return asked.owned;
}

StoreResult<std::vector<Request>> MemoryStore::take_requests(RunNumber number) {
  const std::lock_guard lock(mutex_);
  Run* found = run(number);
  if (found == nullptr) return std::unexpected(no_such_run(number));
  return std::exchange(found->requests, {});
}

StoreResult<bool> MemoryStore::send(std::string_view id, Signal signal) {
  const std::lock_guard lock(mutex_);
  const auto found = ids_.find(id);
  if (found == ids_.end()) return std::unexpected(no_such_run(id));
  Run& told = *run(found->second);
  signal.number = told.next_signal++;
  told.signals.push_back(std::move(signal));
  return told.owned;
}

StoreResult<std::vector<Signal>> MemoryStore::signals(std::string_view id) const {
  const std::lock_guard lock(mutex_);
  const Run* found = run(id);
  if (found == nullptr) return std::unexpected(no_such_run(id));
  return found->signals;
}

std::vector<RunNumber> MemoryStore::family_of(RunNumber number) const {
  const std::string& id = runs_[number - 1].summary.id;
  std::vector<RunNumber> family{number};
  for (RunNumber other = number + 1; other <= runs_.size(); ++other) {
    if (run(other) == nullptr || run(other)->summary.parent != id) continue;
    const auto below = family_of(other);
    if (below.empty()) return {};
    std::ranges::copy(below, std::back_inserter(family));
  }
  const Run& head = runs_[number - 1];
  return head.owned || holds_its_family(head.summary.status) ? std::vector<RunNumber>() : family;
}

std::vector<RunNumber> MemoryStore::find_old(const OldRuns& which) const {
  std::vector<RunNumber> old;
  OldRunPicker picker(which);
  for (RunNumber number = runs_.size(); number > 0; --number) {
    const Run* one = run(number);
    if (one != nullptr && picker.takes(one->summary) && !family_of(number).empty()) old.push_back(number);
  }
  std::ranges::reverse(old);
  if (which.limit > 0 && old.size() > which.limit) old.resize(which.limit);
  return old;
}

StoreResult<std::vector<Summary>> MemoryStore::old_runs(const OldRuns& which) const {
  const std::lock_guard lock(mutex_);
  std::vector<Summary> old;
  for (const RunNumber number : find_old(which)) old.push_back(run(number)->summary);
  return old;
}

StoreResult<std::vector<std::string>> MemoryStore::delete_old(const OldRuns& which) {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> deleted;
  std::set<std::string> unused;
  for (const RunNumber number : find_old(which)) {
    deleted.push_back(run(number)->summary.id);
    for (const RunNumber member : family_of(number)) {
      Run& gone = *run(member);
      unused.merge(texts_of(gone));
      ids_.erase(gone.summary.id);
      shared_.erase_own(gone.summary.id);
      gone = Run{};
      gone.deleted = true;
    }
  }
  for (const Run& run : runs_) {
    for (const std::string& used : texts_of(run)) unused.erase(used);
  }
  for (const std::string& digest : unused) texts_.erase(digest);
  return deleted;
}

std::set<std::string> MemoryStore::texts_of(const Run& run) {
  std::set<std::string> digests;
  for (const auto& batch : run.batches) {
    for (const Row& row : batch) {
      for (const std::string_view digest : store::texts_of(row)) digests.emplace(digest);
    }
  }
  return digests;
}

MemoryStore::Run* MemoryStore::run(RunNumber number) {
  if (number == 0 || number > runs_.size() || runs_[number - 1].deleted) return nullptr;
  return &runs_[number - 1];
}

const MemoryStore::Run* MemoryStore::run(RunNumber number) const { return const_cast<MemoryStore*>(this)->run(number); }

const MemoryStore::Run* MemoryStore::run(std::string_view id) const {
  const auto found = ids_.find(id);
  return found == ids_.end() ? nullptr : &runs_[found->second - 1];
}

RunRecord MemoryStore::record(const Run& run) const {
  RunRecord result{ids_.find(run.summary.id)->second, shown(run.summary, run.owned), {}};
  for (const auto& batch : run.batches) std::ranges::copy(batch, std::back_inserter(result.rows));
  return result;
}

}  // namespace canorun::store
