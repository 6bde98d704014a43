// Looks over the databases of a store: whether all can be read, and fits together.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "engine/store/examination.h"
#include "engine/store/lmdb_env.h"
#include "engine/store/row_codec.h"

namespace canorun::store {

/// Changes nothing. Reads in transactions of bounded length, each of which sees one state of the store: others may
/// write meanwhile.
class LmdbExaminer {
 public:
  using Lives = std::function<bool(std::string_view owner)>;
  LmdbExaminer(LmdbEnv& env, Lives lives, Examination& found) : env_(env), lives_(std::move(lives)), found_(found) {}

  /// An error is one of the system; what is wrong with the store goes into what was found.
  StoreResult<void> examine();

 private:
  /// Gives what the look has cost, in entries.
  using Look = std::function<std::uint64_t(Txn&, std::string_view key, std::string_view value)>;
  StoreResult<void> walk(Table table, std::string_view name, const Look& look);

  std::uint64_t look_at_id(Txn& txn, std::string_view id, std::string_view value);
  std::uint64_t look_at_run(Txn& txn, std::string_view key, std::string_view record);
  std::uint64_t look_at_rows(Txn& txn, RunNumber run, const RunEntry& entry);
  /// What a row needs elsewhere.
  void look_at_row(Txn& txn, RunNumber run, std::string_view id, const Row& row);
  std::uint64_t look_at_text(Txn& txn, std::string_view key, std::string_view text);
  std::uint64_t look_at_signal(Txn& txn, std::string_view key, std::string_view value);
  /// Of what is kept under runs: that they are there. Looks at one entry of each run.
  StoreResult<void> look_for_runs(Table table, std::string_view name);
  bool is_there(Txn& txn, std::string_view run_key);
  void damaged(std::string what);

  LmdbEnv& env_;
  Lives lives_;
  Examination& found_;
};

}  // namespace canorun::store
