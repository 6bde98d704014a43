#include "engine/store/lmdb_writer.h"

#include <system_error>

#include "engine/base/signals.h"
#include "engine/store/errors.h"

namespace canorun::store {
namespace {

// What one transaction takes at most: LMDB keeps what was written in memory until the commit.
constexpr std::size_t kGroupBytes = 64ULL << 20;
constexpr std::size_t kGroupJobs = 4096;
// A reader that died keeps old pages from being used again until it is cleared.
constexpr std::uint64_t kGroupsBetweenChecks = 1024;

}  // namespace

LmdbWriter::~LmdbWriter() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void LmdbWriter::push(std::unique_ptr<Job> job) {
  std::unique_lock lock(mutex_);
  const auto failure = thread_.joinable() ? std::nullopt : start();
  if (!failure) waiting_.push_back(std::move(job));
  lock.unlock();
  if (failure) {
    job->finish(failure);
  } else {
    wake_.notify_one();
  }
}

// Signals are for the program's own threads. That one for too large a file is blocked makes it the
// error of a full disk instead of the program's end.
std::optional<StoreError> LmdbWriter::start() {
  const AllSignalsBlocked blocked;
  try {
    thread_ = std::thread([this] { loop(); });
  } catch (const std::system_error& error) {
    return system_error(error.code().value(), "the store's thread");
  }
  return std::nullopt;
}

void LmdbWriter::loop() {
  while (true) {
    Group group = take_group();
    if (group.empty()) return;
    if (++groups_ % kGroupsBetweenChecks == 0) env_.clear_dead_readers();
    write(std::move(group));
  }
}

LmdbWriter::Group LmdbWriter::take_group() {
  std::unique_lock lock(mutex_);
  wake_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
  Group group;
  for (std::size_t bytes = 0; !waiting_.empty() && bytes < kGroupBytes && group.size() < kGroupJobs;) {
    bytes += waiting_.front()->bytes;
    group.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  return group;
}

void LmdbWriter::write(Group group) {
  const auto failure = commit(group);
  if (failure && group.size() > 1) {  // one that is too large must not take the others with it
    for (auto& job : group) {
      Group alone;
      alone.push_back(std::move(job));
      write(std::move(alone));
    }
    return;
  }
  for (const auto& job : group) job->finish(failure);
}

std::optional<StoreError> LmdbWriter::commit(const Group& group) {
  std::size_t bytes = 0;
  for (const auto& job : group) bytes += job->bytes;
  auto txn = env_.write(bytes);
  if (!txn) return std::move(txn.error());
  for (const auto& job : group) {
    job->attempt(*txn);
    if (txn->failed()) return txn->error();
  }
  auto committed = txn->commit();
  return committed ? std::nullopt : std::optional(std::move(committed.error()));
}

}  // namespace canorun::store
