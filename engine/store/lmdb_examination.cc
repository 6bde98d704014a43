// A store on disk, looked over and tidied.
#include <fmt/format.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <filesystem>

#include "engine/base/ids.h"
#include "engine/store/lmdb_examiner.h"
#include "engine/store/lmdb_store.h"
#include "engine/store/lmdb_tables.h"

namespace canorun::store {

namespace fs = std::filesystem;

StoreResult<Examination> LmdbStore::examine() {
  Examination found;
  struct statvfs disk{};
  std::error_code ignored;
  found.readers = env_->dead_readers();
  found.bytes = env_->bytes();
  if (::statvfs(folder_.c_str(), &disk) == 0) found.left = disk.f_bavail * disk.f_frsize;
  const auto unused = env_->unused_bytes();
  if (!unused) return std::unexpected(unused.error());
  found.unused = *unused;
  const auto lives = [this](std::string_view owner) { return owners_.lives(owner); };
  if (auto done = LmdbExaminer(*env_, lives, found).examine(); !done) return std::unexpected(std::move(done.error()));
  found.litter.owners = owners_.dead(false);
  found.litter.limits = shared_.earlier_boots(false);
  found.litter.compactions = fs::exists(folder_ + "/" + std::string(kCompactedFile), ignored) ? 1 : 0;
  auto looked = for_each_orphan([&](const std::string&) { ++found.litter.logs; });
  if (!looked) return std::unexpected(std::move(looked.error()));
  found.litter.logs += deleted_logs(false);
  return found;
}

StoreResult<Litter> LmdbStore::clear_litter() {
  Litter cleared;
  cleared.owners = owners_.dead(true);
  cleared.limits = shared_.earlier_boots(true);
  // Who compacts is alone, and we are here.
  cleared.compactions = ::unlink((folder_ + "/" + std::string(kCompactedFile)).c_str()) == 0 ? 1 : 0;
  std::vector<std::string> orphans;
  auto looked = for_each_orphan([&](const std::string& id) { orphans.push_back(id); });
  if (!looked) return std::unexpected(std::move(looked.error()));
  for (const std::string& id : orphans) {
    // Nobody can start a run with this id meanwhile.
    auto moved = writer_.run<void>([&](Txn& txn) -> StoreResult<void> {
      const bool is_there = find_run(txn, id).has_value();
      if (txn.failed()) return std::unexpected(txn.error());
      if (!is_there) put_logs_aside(id, id);
      return {};
    });
    if (!moved) return std::unexpected(std::move(moved.error()));
  }
  cleared.logs = deleted_logs(true);
  return cleared;
}

StoreResult<void> LmdbStore::for_each_orphan(const std::function<void(const std::string&)>& take) const {
  std::error_code error;
  for (fs::directory_iterator it(folder_ + "/logs", error), end; !error && it != end; it.increment(error)) {
    const std::string id = it->path().filename().string();
    if (!is_run_id(id)) continue;
    // Read behind the name: a run that has logs was there before them.
    auto txn = env_->read();
    if (!txn) return std::unexpected(std::move(txn.error()));
    const bool is_there = find_run(*txn, id).has_value();
    if (txn->failed()) return std::unexpected(txn->error());
    if (!is_there) take(id);
  }
  return {};
}

}  // namespace canorun::store
