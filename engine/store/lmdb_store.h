// The store on disk: LMDB, shared by the processes of one machine. How it is laid out: FORMAT.md.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "engine/store/examination.h"
#include "engine/store/lmdb_env.h"
#include "engine/store/lmdb_shared.h"
#include "engine/store/lmdb_writer.h"
#include "engine/store/owners.h"
#include "engine/store/row_codec.h"
#include "engine/store/store.h"
#include "engine/store/store_folder.h"

namespace canorun::store {

struct LmdbOptions {
  std::string folder;  ///< made if it is not there, with those above it
  bool alone = false;  ///< nobody else may have it open as long as we have
};

/// What a store takes on the disk, in bytes.
struct Compaction {
  std::uint64_t before = 0;
  std::uint64_t after = 0;
};

/// Completions run on the store's own thread, which starts with the first write. A process may have a
/// store open once; a child that was forked must leave its parent's alone.
class LmdbStore final : public CheckpointStore {
 public:
  /// kPermission, kIo and kFull if the folder cannot be made or written, kNotAStore, kCorrupt,
  /// kNewerVersion, kNotLocal, kOtherNamespace; kInUse if it is not alone.
  static StoreResult<std::unique_ptr<LmdbStore>> open(const LmdbOptions& options);

  /// Gives back the space that nothing takes any more, and closes the store, which was opened alone. Killed at any
  /// moment, it leaves the store as it was, or compacted. Meanwhile the disk holds both: kFull.
  static StoreResult<Compaction> compact(std::unique_ptr<LmdbStore> store);

  /// Looks it over, and changes nothing. What is wrong with it is no error.
  StoreResult<Examination> examine();
  /// Removes what nobody needs, and gives what it was.
  StoreResult<Litter> clear_litter();

  void create(NewRun run, Completion<RunNumber> done) override;
  void append(RunNumber run, std::uint64_t first, std::vector<Row> rows, Completion<void> done) override;
  using CheckpointStore::claim;
  void claim(std::string id, Completion<RunRecord> done) override;
  StoreResult<void> release(RunNumber run) override;
  void join_group(RunNumber run, std::string group, bool queues, Completion<void> done) override;
  StoreResult<std::vector<std::string>> before_in_group(RunNumber run) const override;
  SharedState& shared() override { return shared_; }
  StoreResult<RunRecord> load(std::string_view id) const override;
  StoreResult<Summary> find(std::string_view id) const override;
  StoreResult<std::vector<Summary>> list(const ListFilter& filter) const override;
  StoreResult<std::string> text(std::string_view digest) const override;
  StoreResult<void> put_text(std::string_view digest, std::string_view text) override;
  StoreResult<bool> post(std::string_view id, Request request) override;
  StoreResult<std::vector<Request>> take_requests(RunNumber run) override;
  StoreResult<bool> send(std::string_view id, Signal signal) override;
  StoreResult<std::vector<Signal>> signals(std::string_view id) const override;
  int wake_fd() const override { return owners_.wake_fd(); }
  StoreResult<std::vector<Summary>> old_runs(const OldRuns& which) const override;
  StoreResult<std::vector<std::string>> delete_old(const OldRuns& which) override;
  std::string log_folder(std::string_view id) const override;

  /// How many transactions were ever committed to the store: what grouping saves shows here.
  std::uint64_t transactions() const { return env_->transactions(); }

 private:
  /// A run with all below it.
  struct Family {
    std::vector<std::pair<RunNumber, std::string>> members;  ///< with their ids
    std::uint64_t rows = 0;
  };
  struct OldRun {
    RunNumber number = 0;
    std::uint64_t rows = 0;  ///< with those of its children
    Summary run;
  };

  LmdbStore(std::string folder, StoreUsers users, std::unique_ptr<LmdbEnv> env);

  /// What gives up the ownership of a run without a row.
  LmdbWriter::Work<void> giving_up(RunNumber run);
  /// Clears the owner and its place in a group; who stands next in it is told after the transaction.
  void let_go(Txn& txn, RunNumber run, RunEntry& entry);
  /// Tells those whose turn may have come. On the writer's thread.
  void wake_next();
  /// Takes the last place in a group: see `join_group`.
  StoreResult<void> place_in_group(Txn& txn, RunNumber run, RunEntry& entry, const std::string& group, bool queues);
  /// The run, if it has a place in the group and lives.
  std::optional<RunEntry> living_in(Txn& txn, std::string_view group, RunNumber run) const;
  /// The ids of the first of those that come before `run`, at most so many.
  std::vector<std::string> living_before(Txn& txn, std::string_view group, RunNumber run, std::size_t most) const;
  /// Writes rows behind those that are there, and the entry that sums them up.
  void write_rows(Txn& txn, RunNumber run, RunEntry& entry, const std::vector<Row>& rows,
                  const std::vector<std::string>& encoded);
  /// The entry of a run that this process owns. kNoSuchRun, kNotOwner.
  StoreResult<RunEntry> own_entry(Txn& txn, RunNumber run) const;
  /// As people see it: a run whose owner is gone is interrupted.
  Summary shown(const RunEntry& entry) const;
  /// Adds the run and all below it to its family; false where one of them may not be deleted.
  bool gather(Txn& txn, RunNumber run, const RunEntry& entry, Family& family) const;
  StoreResult<std::vector<OldRun>> find_old(const OldRuns& which) const;
  /// Deletes those of the runs that are still old, in one transaction.
  StoreResult<std::vector<std::string>> delete_some(std::span<const OldRun> runs, const OldRuns& which);
  /// `name`: what they are called until they are gone.
  void put_logs_aside(std::string_view id, const std::string& name) const;
  /// Calls `take(id)` for each folder of logs whose run is not there.
  StoreResult<void> for_each_orphan(const std::function<void(const std::string&)>& take) const;
  /// How many runs' logs are still put aside; with `removes` they are gone then.
  std::size_t deleted_logs(bool removes) const;
  std::string deleted_folder() const;

  std::string folder_;
  StoreUsers users_;
  std::unique_ptr<LmdbEnv> env_;
  mutable Owners owners_;
  std::vector<std::string> to_wake_;  ///< owners, after the transaction; the writer's thread only
  LmdbShared shared_;                 // only keeps the writer until it is asked for something
  LmdbWriter writer_;                 // last: it ends before what it works on
};

}  // namespace canorun::store
