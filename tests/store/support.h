// What tests of stores share: rows, calls that wait, and second processes.
#pragma once

#include <doctest/doctest.h>
#include <sys/types.h>

#include <functional>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "engine/store/lmdb_store.h"
#include "engine/store/memory_store.h"
#include "support/temp_folder.h"

namespace canorun::store::test {

using canorun::test::TempFolder;

inline constexpr WallTime kStart{Millis{1'800'000'000'000}};
WallTime after_start(std::int64_t seconds);

Row started(std::string flow = "order", std::string digest = "d1");
Row entered(std::string state, std::uint64_t visit = 1);
Row state_ended(std::string state, Json output = nullptr);
Row window_ended(std::uint64_t window, std::uint64_t replaces, std::uint64_t visit = 1);
Row suspended();
Row resumed(std::optional<std::string> digest = {});
Row run_ended(Status status, WallTime at = after_start(60));

/// A run with its first row, and the text of its flow.
NewRun new_run(std::string id, std::vector<Row> rows = {started()});

StoreResult<RunNumber> create(CheckpointStore& store, NewRun run);
StoreResult<void> append(CheckpointStore& store, RunNumber run, std::uint64_t first, std::vector<Row> rows);
/// The rows of a run; the test ends where they cannot be read.
std::vector<Row> rows_of(const CheckpointStore& store, std::string_view id);
std::vector<std::string> ids(const StoreResult<std::vector<Summary>>& list);

/// The kind of what failed; a test that expected success sees a name it does not expect.
template <class T>
std::string kind(const StoreResult<T>& result);
std::string kind_name(StoreErrorKind kind);
template <class T>
std::string kind(const StoreResult<T>& result) {
  return result ? "success" : kind_name(result.error().kind);
}

/// An LMDB store in `folder`; fails the test if it does not open.
std::unique_ptr<LmdbStore> open_lmdb(const std::string& folder);

/// Each kind of store, empty: for tests of what both do.
struct InMemory {
  MemoryStore store;
};
struct OnDisk {
  TempFolder folder;
  std::unique_ptr<LmdbStore> opened = open_lmdb(folder.path() + "/store");
  LmdbStore& store = *opened;
};

/// Changes a value of a table in a folder that nobody has open, as a later canorun or another program would; none
/// erases it.
void tamper(const std::string& folder, const char* table, std::string key, std::optional<std::string> value);

/// A forked process that runs `body` and ends with its result; 120 if it threw. Only for tests that
/// have no store open: a forked process has none of its parent's threads.
class Child {
 public:
  explicit Child(const std::function<int()>& body);
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child();
  void kill();
  /// The exit code; minus the signal that ended it.
  int wait();

 private:
  pid_t pid_ = -1;
};

/// Passes once it was opened, by whichever process.
class Gate {
 public:
  Gate();
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;
  ~Gate();
  void open() const;
  void pass() const;

 private:
  int ends_[2];
};

/// Blocks until killed.
[[noreturn]] void sleep_forever();

}  // namespace canorun::store::test

DOCTEST_TYPE_TO_STRING_AS("InMemory", canorun::store::test::InMemory);
DOCTEST_TYPE_TO_STRING_AS("OnDisk", canorun::store::test::OnDisk);
