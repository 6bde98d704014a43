// A store that fails or kills the process at a chosen row: `CANORUN_CRASH`, and tests.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "engine/store/store.h"

namespace canorun::store {

enum class FaultPoint : std::uint8_t {
  kBefore,  ///< the row was not written
  kAfter,   ///< the row is durable, and who wrote it has not been told
};

struct CrashPoint {
  FaultPoint point = FaultPoint::kBefore;
  std::uint64_t row = 0;  ///< its sequence in its run
  std::string run = {};   ///< empty: whichever run that is
};

/// Reads `before:N`, `after:N`, or either with `@ID` behind it, a run; none where the text is empty.
StoreResult<std::optional<CrashPoint>> crash_point_from(std::string_view text);

/// Forwards everything, except that the write with the chosen row does not survive.
class FaultStore final : public CheckpointStore {
 public:
  /// Kills the process (SIGKILL) at `crash`, or fails there with `error`, every time that the row comes by.
  FaultStore(std::unique_ptr<CheckpointStore> store, CrashPoint crash, std::optional<StoreError> error = {})
      : store_(std::move(store)), crash_(crash), error_(std::move(error)) {}

  void create(NewRun run, Completion<RunNumber> done) override;
  void append(RunNumber run, std::uint64_t first, std::vector<Row> rows, Completion<void> done) override;
  using CheckpointStore::claim;
  void claim(std::string id, Completion<RunRecord> done) override;
  StoreResult<void> release(RunNumber run) override { return store_->release(run); }
  void join_group(RunNumber run, std::string group, bool queues, Completion<void> done) override {
    store_->join_group(run, std::move(group), queues, std::move(done));
  }
  StoreResult<std::vector<std::string>> before_in_group(RunNumber run) const override {
    return store_->before_in_group(run);
  }
  SharedState& shared() override { return store_->shared(); }
  StoreResult<RunRecord> load(std::string_view id) const override { return store_->load(id); }
  StoreResult<Summary> find(std::string_view id) const override { return store_->find(id); }
  StoreResult<std::vector<Summary>> list(const ListFilter& filter) const override { return store_->list(filter); }
  StoreResult<std::string> text(std::string_view digest) const override { return store_->text(digest); }
  StoreResult<void> put_text(std::string_view digest, std::string_view text) override {
    return store_->put_text(digest, text);
  }
  StoreResult<bool> post(std::string_view id, Request request) override { return store_->post(id, request); }
  StoreResult<std::vector<Request>> take_requests(RunNumber run) override { return store_->take_requests(run); }
  StoreResult<bool> send(std::string_view id, Signal signal) override { return store_->send(id, std::move(signal)); }
  StoreResult<std::vector<Signal>> signals(std::string_view id) const override { return store_->signals(id); }
  int wake_fd() const override { return store_->wake_fd(); }
  StoreResult<std::vector<Summary>> old_runs(const OldRuns& which) const override { return store_->old_runs(which); }
  StoreResult<std::vector<std::string>> delete_old(const OldRuns& which) override { return store_->delete_old(which); }
  std::string log_folder(std::string_view id) const override { return store_->log_folder(id); }

 private:
  /// The fault that rows [first, first + count) meet at `point`, if any; may not return.
  std::optional<StoreError> fault(FaultPoint point, std::uint64_t first, std::size_t count) const;
  /// Whether the run is one that is meant.
  bool is_meant(std::string_view id) const { return crash_.run.empty() || crash_.run == id; }
  void meet(RunNumber run, std::string_view id);

  /// `done`, or the fault in its place once the rows are durable.
  template <class T>
  Completion<T> guarded(Completion<T> done, std::uint64_t first, std::size_t count) const;

  std::unique_ptr<CheckpointStore> store_;
  CrashPoint crash_;
  std::optional<StoreError> error_;
  std::mutex mutex_;
  std::set<RunNumber> meant_;  ///< that were created or claimed here
};

}  // namespace canorun::store
