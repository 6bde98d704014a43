// A store that is gone with the process: for `--no-store`, and for tests.
#pragma once

#include <deque>
#include <map>
#include <mutex>
#include <set>

#include "engine/store/memory_shared.h"
#include "engine/store/store.h"

namespace canorun::store {

/// Keeps rows as they come, never encoded. Everything completes before the call returns.
class MemoryStore final : public CheckpointStore {
 public:
  /// With `kSummaries`, rows are let go once they are summed up, so that a run takes no more memory the
  /// longer it lasts: for a process that never loads what it runs.
  enum class Keeps : std::uint8_t { kRows, kSummaries };
  explicit MemoryStore(Keeps keeps = Keeps::kRows) : keeps_(keeps) {}

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
  int wake_fd() const override { return -1; }
  StoreResult<std::vector<Summary>> old_runs(const OldRuns& which) const override;
  StoreResult<std::vector<std::string>> delete_old(const OldRuns& which) override;
  std::string log_folder(std::string_view) const override { return {}; }

 private:
  struct Run {
    Summary summary;
    std::vector<std::vector<Row>> batches;  ///< as they were appended: nothing is moved twice
    std::vector<Request> requests;
    std::vector<Signal> signals;
    std::uint64_t next_signal = 0;
    std::string group;        ///< in which it has a place
    std::uint64_t place = 0;  ///< the lowest holds it
    bool owned = true;
    bool deleted = false;
  };

  StoreResult<RunNumber> create_now(NewRun& run);
  StoreResult<void> append_now(RunNumber number, std::uint64_t first, std::vector<Row>& rows);
  StoreResult<RunRecord> claim_now(std::string_view id);
  /// The ids of the owned runs in a group with places before this one, in their order.
  std::vector<std::string> before(std::string_view group, std::uint64_t place) const;
  StoreResult<void> join_now(RunNumber number, std::string group, bool queues);
  static void let_go(Run& run);
  Run* run(RunNumber number);
  const Run* run(RunNumber number) const;
  const Run* run(std::string_view id) const;
  RunRecord record(const Run& run) const;
  void add(Run& run, std::vector<Row> rows) const;
  std::vector<RunNumber> find_old(const OldRuns& which) const;
  /// The run with all below it; none if it may not be deleted.
  std::vector<RunNumber> family_of(RunNumber number) const;
  static std::set<std::string> texts_of(const Run& run);

  const Keeps keeps_;
  mutable std::mutex mutex_;
  std::deque<Run> runs_;  ///< the number of a run is its place, from 1
  std::map<std::string, RunNumber, std::less<>> ids_;
  Texts texts_;
  std::uint64_t next_place_ = 0;
  MemoryShared shared_;
};

}  // namespace canorun::store
