// How a store on disk gets smaller.
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "engine/store/errors.h"
#include "engine/store/lmdb_store.h"
#include "engine/store/lmdb_tables.h"

namespace canorun::store {
namespace {

// All that is committed, in a file of its own that is durable; gives what it takes of the disk.
StoreResult<std::uint64_t> write_copy(const LmdbEnv& env, const std::string& file) {
  const auto copy = open_private(file);
  if (!copy) return std::unexpected(copy.error());
  // One that was cut off may be there.
  if (::ftruncate(copy->get(), 0) != 0) return std::unexpected(system_error(errno, file));
  if (auto written = env.copy_to(copy->get()); !written) return std::unexpected(std::move(written.error()));
  struct stat found{};
  if (::fsync(copy->get()) != 0 || ::fstat(copy->get(), &found) != 0) return std::unexpected(system_error(errno, file));
  return static_cast<std::uint64_t>(found.st_blocks) * 512;
}

}  // namespace

StoreResult<Compaction> LmdbStore::compact(std::unique_ptr<LmdbStore> store) {
  auto swept = store->writer_.run<void>([](Txn& txn) -> StoreResult<void> {
    erase_unused_texts(txn);
    return {};
  });
  if (!swept) return std::unexpected(std::move(swept.error()));
  const std::string data = store->folder_ + "/data.mdb";
  const std::string copy = fmt::format("{}/{}", store->folder_, kCompactedFile);
  Compaction done{.before = store->env_->bytes()};
  auto written = write_copy(*store->env_, copy);
  if (written && ::rename(copy.c_str(), data.c_str()) != 0) written = std::unexpected(system_error(errno, data));
  if (!written) {
    ::unlink(copy.c_str());
    StoreError error = std::move(written.error());
    if (error.kind == StoreErrorKind::kFull)
      error.hint = "while it is compacted, a store needs room for a copy of what it holds";
    return std::unexpected(std::move(error));
  }
  if (auto synced = sync_folder(store->folder_); !synced) return std::unexpected(std::move(synced.error()));
  done.after = *written;
  return done;
}

}  // namespace canorun::store
