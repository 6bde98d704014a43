// How old runs leave the store on disk, with what they wrote.
#include <fmt/format.h>

#include <filesystem>

#include "engine/base/ids.h"
#include "engine/store/lmdb_store.h"
#include "engine/store/lmdb_tables.h"

namespace canorun::store {

namespace fs = std::filesystem;

namespace {

// Rows that one transaction deletes, unless a single run has more.
constexpr std::uint64_t kRowsPerDeletion = 10'000;

}  // namespace

StoreResult<std::vector<std::string>> LmdbStore::delete_ended(std::string_view flow, WallTime before,
                                                              std::size_t limit) {
  const auto old = find_old(flow, before, limit);
  if (!old) return std::unexpected(old.error());
  std::vector<std::string> deleted;
  for (auto at = old->begin(); at != old->end();) {
    std::uint64_t rows = at->rows;
    auto end = at + 1;
    while (end != old->end() && rows + end->rows <= kRowsPerDeletion) rows += (end++)->rows;
    auto ids = writer_.run<std::vector<std::string>>([&](Txn& txn) -> StoreResult<std::vector<std::string>> {
      std::vector<std::string> gone;
      for (auto run = at; run != end; ++run) {
        const auto entry = read_entry(txn, run->number);
        if (!entry || !may_delete(*entry, flow, before)) continue;
        erase_family(txn, run->number, entry->summary.id);
        gone.push_back(entry->summary.id);
      }
      return gone;
    });
    if (!ids) return std::unexpected(std::move(ids.error()));
    remove_deleted_logs();
    std::ranges::move(*ids, std::back_inserter(deleted));
    at = end;
  }
  return deleted;
}

void LmdbStore::erase_family(Txn& txn, RunNumber run, const std::string& id) const {
  for (const RunNumber child : find_children(txn, id)) {
    const auto entry = read_entry(txn, child);
    if (entry && entry->summary.parent == id) erase_family(txn, child, entry->summary.id);
  }
  erase_run(txn, run, id);
  shared_.erase_own(txn, id);
  put_logs_aside(run, id);
}

// Within the transaction that frees the id: once it is committed, the folder may be a new run's.
void LmdbStore::put_logs_aside(RunNumber run, std::string_view id) const {
  const std::string logs = log_folder(id);
  std::error_code ignored;
  if (!is_run_id(id) || !fs::exists(logs, ignored)) return;
  fs::create_directory(deleted_logs(), ignored);
  fs::rename(logs, fmt::format("{}/{}", deleted_logs(), run), ignored);
}

// Also what a process that died here left. The folder stays: another process may be moving logs into it.
void LmdbStore::remove_deleted_logs() const {
  std::error_code error;
  for (fs::directory_iterator it(deleted_logs(), error), end; !error && it != end; it.increment(error)) {
    std::error_code ignored;
    fs::remove_all(it->path(), ignored);
  }
}

StoreResult<std::vector<LmdbStore::OldRun>> LmdbStore::find_old(std::string_view flow, WallTime before,
                                                                std::size_t limit) const {
  auto txn = env_->read();
  if (!txn) return std::unexpected(std::move(txn.error()));
  std::vector<OldRun> old;
  for_each_run(*txn, false, [&](RunNumber number, std::string_view record) {
    if (old.size() == limit) return false;
    const auto entry = decode_entry(record);
    // What cannot be read is a later canorun's, and so for that one to delete.
    if (entry && may_delete(*entry, flow, before)) old.push_back({number, entry->summary.rows});
    return true;
  });
  if (txn->failed()) return std::unexpected(txn->error());
  return old;
}

bool LmdbStore::may_delete(const RunEntry& entry, std::string_view flow, WallTime before) const {
  const Summary& summary = entry.summary;
  return summary.parent.empty() && summary.flow == flow && may_be_deleted(summary.status) && summary.ended_at &&
         *summary.ended_at < before && !owners_.alive(entry.owner);
}

// No run's: an id begins with a letter or a digit.
std::string LmdbStore::deleted_logs() const { return folder_ + "/logs/.deleted"; }

}  // namespace canorun::store
