// A store of a process that dies at a commit: from then on nothing that it asked for is answered.
#pragma once

#include <functional>
#include <set>

#include "engine/store/memory_store.h"

namespace canorun::test {

/// Over a store that outlives it. One per process.
class MortalStore final : public store::CheckpointStore {
 public:
  enum class At : std::uint8_t { kBefore, kAfter };

  explicit MortalStore(store::MemoryStore& store) : store_(store) {}

  /// The process dies at its commit of that number, from 1.
  void die_at(std::size_t commit, At at) {
    dies_ = commit;
    at_ = at;
  }
  bool is_dead() const { return dead_; }
  std::size_t commits() const { return commits_; }
  /// Is called for each commit, before it is made.
  std::function<void(std::size_t commit)> on_commit;
  /// Is called for each row that is durable.
  std::function<void(const std::string& run, const store::Row& row)> on_row;

  /// What the dead process owned is nobody's. What it waited for lets go of it: its loop is not turned any more.
  void bury() {
    for (const store::RunNumber run : owned_) (void)store_.release(run);
    for (auto& answer : unanswered_) answer();
    unanswered_.clear();
  }

  void create(store::NewRun run, store::Completion<store::RunNumber> done) override {
    if (dies(At::kBefore)) return bury_with(std::move(done));
    const std::string id = run.id;
    const std::vector<store::Row> rows = run.rows;
    store_.create(std::move(run), [&](store::StoreResult<store::RunNumber> made) {
      if (made) wrote(*made, id, rows);
      if (dies(At::kAfter)) return bury_with(std::move(done));
      done(std::move(made));
    });
  }
  void append(store::RunNumber run, std::uint64_t first, std::vector<store::Row> rows,
              store::Completion<void> done) override {
    if (dies(At::kBefore)) return bury_with(std::move(done));
    const std::vector<store::Row> kept = rows;
    store_.append(run, first, std::move(rows), [&](store::StoreResult<void> made) {
      if (made) wrote(run, ids_[run], kept);
      if (dies(At::kAfter)) return bury_with(std::move(done));
      done(std::move(made));
    });
  }
  using CheckpointStore::claim;
  void claim(std::string id, store::Completion<store::RunRecord> done) override {
    store_.claim(id, [&](store::StoreResult<store::RunRecord> claimed) {
      if (claimed) own(claimed->number, id);
      done(std::move(claimed));
    });
  }
  store::StoreResult<void> release(store::RunNumber run) override { return store_.release(run); }
  void join_group(store::RunNumber run, std::string group, bool queues, store::Completion<void> done) override {
    store_.join_group(run, std::move(group), queues, std::move(done));
  }
  store::StoreResult<std::vector<std::string>> before_in_group(store::RunNumber run) const override {
    return store_.before_in_group(run);
  }
  store::SharedState& shared() override { return store_.shared(); }
  store::StoreResult<store::RunRecord> load(std::string_view id) const override { return store_.load(id); }
  store::StoreResult<store::Summary> find(std::string_view id) const override { return store_.find(id); }
  store::StoreResult<std::vector<store::Summary>> list(const store::ListFilter& filter) const override {
    return store_.list(filter);
  }
  store::StoreResult<std::string> text(std::string_view digest) const override { return store_.text(digest); }
  store::StoreResult<void> put_text(std::string_view digest, std::string_view text) override {
    return store_.put_text(digest, text);
  }
  store::StoreResult<bool> post(std::string_view id, store::Request request) override {
    return store_.post(id, request);
  }
  store::StoreResult<std::vector<store::Request>> take_requests(store::RunNumber run) override {
    return store_.take_requests(run);
  }
  store::StoreResult<bool> send(std::string_view id, store::Signal signal) override {
    return store_.send(id, std::move(signal));
  }
  store::StoreResult<std::vector<store::Signal>> signals(std::string_view id) const override {
    return store_.signals(id);
  }
  int wake_fd() const override { return -1; }
  store::StoreResult<std::vector<store::Summary>> old_runs(const store::OldRuns& which) const override {
    return store_.old_runs(which);
  }
  store::StoreResult<std::vector<std::string>> delete_old(const store::OldRuns& which) override {
    return store_.delete_old(which);
  }
  std::string log_folder(std::string_view) const override { return {}; }

 private:
  template <class T>
  void bury_with(store::Completion<T> done) {
    unanswered_.push_back([done = std::move(done)]() mutable {
      done(std::unexpected(store::StoreError{store::StoreErrorKind::kIo, "the process is dead"}));
    });
  }
  void own(store::RunNumber run, const std::string& id) {
    owned_.insert(run);
    ids_[run] = id;
  }
  void wrote(store::RunNumber run, const std::string& id, const std::vector<store::Row>& rows) {
    own(run, id);
    for (const store::Row& row : rows) {
      if (on_row) on_row(id, row);
    }
  }
  bool dies(At at) {
    if (at == At::kBefore && !dead_) {
      ++commits_;
      if (on_commit) on_commit(commits_);
    }
    dead_ = dead_ || (at == at_ && commits_ == dies_);
    return dead_;
  }

  store::MemoryStore& store_;
  std::size_t dies_ = 0;
  At at_ = At::kBefore;
  std::size_t commits_ = 0;
  bool dead_ = false;
  std::set<store::RunNumber> owned_;
  std::map<store::RunNumber, std::string> ids_;
  std::vector<std::move_only_function<void()>> unanswered_;
};

}  // namespace canorun::test
