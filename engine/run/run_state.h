// All that a run knows: folded from its rows. The loop decides on this alone, so a resumed run and a
// running one are the same code.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/base/value.h"
#include "engine/expr/value.h"
#include "engine/store/row.h"

namespace canorun::run {

/// A field of `states.NAME` in expressions. Borrows the values.
std::optional<expr::Value> state_field(std::string_view key, const Json& output, const Json& error,
                                       std::uint64_t visits);
std::vector<std::string> state_fields();

/// What is known of one state.
struct StateRecord final : expr::Object {
  std::string name;
  std::uint64_t visits = 0;
  std::uint32_t attempts = 0;  ///< of the last visit that ended
  Json output = nullptr;
  Json error = nullptr;
  std::string stderr_tail;
  bool ended = false;

  std::optional<expr::Value> get(std::string_view key) const override {
    return state_field(key, output, error, visits);
  }
  std::vector<std::string> keys() const override { return state_fields(); }
};

/// A branch or an item that has ended in the visit that is current.
struct EndedPart {
  std::string name;
  std::uint32_t attempts = 0;
  Millis duration{0};
  Json output = nullptr;
  Json error = nullptr;  ///< null: it succeeded
  std::string stderr_tail = {};
};

/// The state whose work is to be done now, and what of it is done.
struct Current {
  std::uint32_t record = 0;  ///< index into RunState::states
  std::uint64_t visit = 1;
  std::uint64_t row = 0;  ///< sequence of the row that entered it
  WallTime entered_at{};
  std::optional<WallTime> deadline;
  std::vector<EndedPart> parts = {};  ///< in the order of their rows, which is the one that a join judges them in
  std::uint64_t steps = 0;
  std::uint64_t windows = 0;
  std::uint64_t items = 0;    ///< in those windows
  std::uint64_t skipped = 0;  ///< between them
  store::StreamEnd end = store::StreamEnd::kNone;
  /// After the steps or windows that have ended; null before the first, and after the last step.
  Json cursor = nullptr;
  Json last = nullptr;                     ///< what the last step gave
  std::optional<Json> signal = {};         ///< what it waited for
  Json progress = nullptr;                 ///< of its shape, when the run was let go of
  std::optional<WallTime> failed_at = {};  ///< and the run was resumed since
};

/// Work that is to be undone when the run is rolled back.
struct Owed {
  std::uint32_t record = 0;  ///< index into RunState::states
  std::uint64_t visit = 1;
  std::string part = {};  ///< a branch or an item; empty: all of the state's work
  Json output = nullptr;  ///< null: it has not ended with success
  Json item = nullptr;    ///< the element that it was for
  bool undone = false;
  Json error = nullptr;  ///< why it could not be undone when that was tried last
  std::string stderr_tail = {};
};

struct RunState {
  std::string id;
  store::RunStarted start;  ///< with what later rows changed of it
  Json vars = Json::object();
  std::vector<StateRecord> states;  ///< in the order they were first entered
  std::vector<std::uint32_t> path;  ///< indices into `states`, every entry, `route` states too
  std::optional<Current> current;   ///< none: before the first state, or the run has ended
  store::Status status = store::Status::kRunning;
  std::string state;    ///< entered last
  bool exited = false;  ///< an exit state was entered
  Json output = nullptr;
  Json error = nullptr;
  std::string stderr_tail;  ///< of what failed, where that is no state
  WallTime started_at{};
  std::optional<WallTime> ended_at;
  std::optional<store::WaitsFor> waits_for;  ///< with kWaiting
  bool queued = false;                       ///< waits for its concurrency group, and is not worked on
  std::optional<WallTime> failed_at;         ///< and no process has taken the run up since
  bool services_up = false;                  ///< a process may have set them up, and not torn down all of them
  std::optional<store::RunEnded> outcome;    ///< reached, and what comes after it is being done
  std::uint64_t outcome_row = 0;             ///< the sequence of its row
  std::vector<Owed> owed;                    ///< in the order in which it became so
  /// Begun, and the run goes nowhere else any more. Its error is the cause.
  std::optional<store::RollbackStarted> rollback;
  std::uint64_t rows = 0;         ///< that were written; windows that are gone are among them
  std::uint64_t replaceable = 0;  ///< the last ones, which the next window's replaces
  std::uint64_t resumes = 0;
  std::uint64_t transitions = 0;  ///< since the run started, or was resumed after a failure
  Millis worked{0};               ///< by processes that are gone, as the run's budget counts it
  WallTime session_began{};
  WallTime last_row{};

  /// Makes room for the states of a flow.
  void expect(std::size_t count);

  const StateRecord* find(std::string_view state) const;

  /// The name of the state that is current: only where there is one.
  const std::string& current_state() const { return states[current->record].name; }

  /// What is still to be undone.
  std::size_t still_owed() const;

  /// A person can still have it rolled back, though it has ended.
  bool is_undoable() const { return status == store::Status::kFailed || status == store::Status::kRollbackIncomplete; }

  /// Nothing can make this run go on: see semantics.md, "Resume".
  bool is_over() const;

 private:
  friend void apply(RunState& run, const store::Row& row);
  std::uint32_t record(const std::string& state);
  /// What is owed for the part in the visit that is current: it is added, if it is not there.
  Owed& owe(std::uint64_t visit, const std::string& part);
  /// Null: nothing of that kind is owed.
  Owed* find_owed(const store::CompensationEnded& ended);
  std::uint32_t pass(const std::string& state);
  /// With the standard hash, which is kept in the table: one of our own would be computed at every look.
  std::unordered_map<std::string, std::uint32_t> index_;
  std::unordered_map<std::string, std::size_t> owed_now_;  ///< part of the visit that is current -> index into `owed`
  std::size_t looked_at_ = 0;                              ///< what `find_owed` found last, plus one
};

/// Folds the run's next row. Rows come in order, from the run's first, and none is left out.
void apply(RunState& run, const store::Row& row);

/// Folds what a store has of a run: without the rows that were replaced.
RunState replay(std::string id, const std::vector<store::Row>& rows);

/// The key of one piece of a visit's work, or of all of it: the same for every attempt and every resume.
std::string work_key(const RunState& run, std::string_view state, std::uint64_t visit, std::string_view part = {});

/// The inputs as they are shown: a secret one is `***`.
Json shown_inputs(const store::RunStarted& start);

/// `{until, signal}`; what it does not wait for is null.
Json to_json(const store::WaitsFor& waits);

/// `exhausted` or `stopped`: the `reason` of a stream's output.
std::string_view stream_end_name(store::StreamEnd end);

/// The JSON of a run (cli.md). `status` is the one to show: the store knows whether an owner is gone.
Json to_json(const RunState& run, store::Status status);

/// One row as `events` prints it: `{seq, at, type, …}`.
Json to_json(const store::Row& row, std::uint64_t sequence);

}  // namespace canorun::run
