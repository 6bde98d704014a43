// How old runs leave the store on disk, with what they wrote.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <span>

#include "engine/base/ids.h"
#include "engine/store/lmdb_store.h"
#include "engine/store/lmdb_tables.h"
#include "engine/store/old_runs.h"

namespace canorun::store {

namespace fs = std::filesystem;

namespace {

// Rows that one transaction deletes, unless a single run has more with its children.
constexpr std::uint64_t kRowsPerDeletion = 10'000;
// A run without a row costs something, too.
constexpr std::size_t kRunsPerDeletion = 1'000;

}  // namespace

bool LmdbStore::gather(Txn& txn, RunNumber run, const RunEntry& entry, Family& family) const {
  const Summary& summary = entry.summary;
  if (holds_its_family(summary.status) || owners_.alive(entry.owner)) return false;
  family.members.emplace_back(run, summary.id);
  family.rows += summary.rows;
  for (const RunNumber child : find_children(txn, summary.id)) {
    const auto below = read_entry(txn, child);
    if (below && below->summary.parent == summary.id && !gather(txn, child, *below, family)) return false;
  }
  return true;
}

StoreResult<std::vector<Summary>> LmdbStore::old_runs(const OldRuns& which) const {
  auto old = find_old(which);
  if (!old) return std::unexpected(std::move(old.error()));
  std::vector<Summary> runs;
  for (OldRun& one : *old) runs.push_back(std::move(one.run));
  return runs;
}

StoreResult<std::vector<LmdbStore::OldRun>> LmdbStore::find_old(const OldRuns& which) const {
  auto txn = env_->read();
  if (!txn) return std::unexpected(std::move(txn.error()));
  std::vector<OldRun> old;
  OldRunPicker picker(which);
  // Those that stay for their number are the newest.
  const bool from_newest = which.keep > 0;
  for_each_run(*txn, from_newest, [&](RunNumber number, std::string_view record) {
    auto entry = decode_entry(record);
    Family family;
    // What cannot be read is a later canorun's, and so for that one to delete.
    if (!entry || !picker.takes(entry->summary) || !gather(*txn, number, *entry, family)) return true;
    old.push_back({number, family.rows, std::move(entry->summary)});
    return from_newest || old.size() != which.limit;
  });
  if (txn->failed()) return std::unexpected(txn->error());
  if (from_newest) std::ranges::reverse(old);
  if (which.limit > 0 && old.size() > which.limit) old.resize(which.limit);
  return old;
}

StoreResult<std::vector<std::string>> LmdbStore::delete_old(const OldRuns& which) {
  const auto old = find_old(which);
  if (!old) return std::unexpected(old.error());
  std::vector<std::string> deleted;
  for (std::span<const OldRun> left = *old; !left.empty();) {
    std::uint64_t rows = left.front().rows;
    std::size_t count = 1;
    while (count < std::min(left.size(), kRunsPerDeletion) && rows + left[count].rows <= kRowsPerDeletion) {
      rows += left[count++].rows;
    }
    auto ids = delete_some(left.first(count), which);
    // What the logs took may be just the room that was missing.
    deleted_logs(true);
    if (!ids && ids.error().kind == StoreErrorKind::kFull) ids = delete_some(left.first(count), which);
    if (!ids) return std::unexpected(std::move(ids.error()));
    std::ranges::move(*ids, std::back_inserter(deleted));
    left = left.subspan(count);
  }
  return deleted;
}

StoreResult<std::vector<std::string>> LmdbStore::delete_some(std::span<const OldRun> runs, const OldRuns& which) {
  // Those that stay for their number were found already, and newer ones change nothing for these.
  const OldRuns still{.flow = which.flow, .before = which.before};
  return writer_.run<std::vector<std::string>>([this, runs, &still](Txn& txn) {
    StoreResult<std::vector<std::string>> gone;
    for (const OldRun& run : runs) {
      const auto entry = read_entry(txn, run.number);
      Family family;
      if (!entry || !OldRunPicker(still).takes(entry->summary) || !gather(txn, run.number, *entry, family)) continue;
      for (const auto& [number, id] : family.members) {
        erase_run(txn, number, id);
        shared_.erase_own(txn, id);
        put_logs_aside(id, std::to_string(number));
      }
      gone->push_back(entry->summary.id);
    }
    return gone;
  });
}

// Within the transaction that frees the id: once it is committed, the folder may be a new run's.
void LmdbStore::put_logs_aside(std::string_view id, const std::string& name) const {
  const std::string logs = log_folder(id);
  std::error_code ignored;
  if (!is_run_id(id) || !fs::exists(logs, ignored)) return;
  fs::create_directory(deleted_folder(), ignored);
  fs::rename(logs, fmt::format("{}/{}", deleted_folder(), name), ignored);
}

// Also what a process that died here left. The folder stays: another process may be moving logs into it.
std::size_t LmdbStore::deleted_logs(bool removes) const {
  std::size_t count = 0;
  std::error_code error;
  for (fs::directory_iterator it(deleted_folder(), error), end; !error && it != end; it.increment(error)) {
    ++count;
    std::error_code ignored;
    if (removes) fs::remove_all(it->path(), ignored);
  }
  return count;
}

// No run's: an id begins with a letter or a digit.
std::string LmdbStore::deleted_folder() const { return folder_ + "/logs/.deleted"; }

}  // namespace canorun::store
