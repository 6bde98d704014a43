// Where runs are kept. Two implementations: memory_store.h and lmdb_store.h.
#pragma once

#include <cstdint>
#include <functional>
#include <future>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/store/result.h"
#include "engine/store/shared.h"
#include "engine/store/summary.h"

namespace canorun::store {

/// A run inside one store, while this process has it open.
using RunNumber = std::uint64_t;

/// Flows' texts by digest.
using Texts = std::map<std::string, std::string, std::less<>>;

struct NewRun {
  std::string id;         ///< `is_run_id`
  std::vector<Row> rows;  ///< the first is a RunStarted
  /// By digest, kept once each: what the first row refers to and is not in the store yet.
  Texts texts = {};
  std::string group = {};  ///< its concurrency group; empty: none
  bool queues = false;     ///< it is created although another run holds the group, or waits for it
};

struct RunRecord {
  RunNumber number = 0;
  Summary summary;        ///< with kInterrupted where the owner is gone
  std::vector<Row> rows;  ///< those that are there; gaps in their sequences are those that `gap_before` tells
};

struct ListFilter {
  std::optional<Status> status = {};
  std::optional<std::string> flow = {};
  std::optional<std::string> parent = {};  ///< empty: that have none
  std::size_t limit = 0;                   ///< 0: all
};

/// Which of the runs that may be deleted are old.
struct OldRuns {
  std::optional<std::string> flow = {};  ///< only its runs
  std::optional<WallTime> before = {};   ///< only those that ended before
  std::size_t keep = 0;                  ///< the newest so many of each flow are not old
  std::size_t limit = 0;                 ///< at most so many, the oldest; 0: all
};

/// What somebody outside told a run; it waits until a state takes it.
struct Signal {
  std::uint64_t number = 0;  ///< of this run; rises
  std::string name;
  WallTime at{};
  Json data = nullptr;
  bool operator==(const Signal&) const = default;
};

/// What another process asks of a run's owner.
enum class Request : std::uint8_t {
  kCancel,
  kGiveWay,  ///< likewise, as another run takes its concurrency group
};

/// One store. One process at a time owns a run; what a run's owner appends is what the run is.
///
/// Threads: `create`, `append` and `claim` may be called from any thread and complete on any thread; the other
/// calls are synchronous, from any thread, but not from within a completion. Closing waits for what
/// was asked.
class CheckpointStore {
 public:
  virtual ~CheckpointStore() = default;

  /// Starts a run and owns it, with its place in its group: all of its first rows in one durable transaction.
  /// kRunExists; kGroupTaken; kNotFound if a row refers to a text that is not there.
  virtual void create(NewRun run, Completion<RunNumber> done) = 0;

  /// Appends rows `first`, `first`+1, … in one durable transaction, together with whatever else is
  /// waiting. kRowExists if `first` is not the run's next sequence, kNotOwner if it is not owned here;
  /// a refusal touches no other call's rows. A WindowEnded takes away the rows that it replaces; kRowExists if they
  /// are something else. A RunEnded or RunSuspended gives up the ownership.
  /// kNotFound if a row refers to a text that is not there (RunResumed::digest).
  virtual void append(RunNumber run, std::uint64_t first, std::vector<Row> rows, Completion<void> done) = 0;

  /// Takes ownership of a run that nobody owns, and reads it: the summary has the status from before.
  /// kNoSuchRun, kOwned (by this process, too). Ended runs can be claimed: the caller looks at the
  /// rows and lets go if there is nothing to do.
  virtual void claim(std::string id, Completion<RunRecord> done) = 0;
  /// The same, and waits for it.
  StoreResult<RunRecord> claim(std::string_view id) {
    std::promise<StoreResult<RunRecord>> promise;
    auto result = promise.get_future();
    claim(std::string(id), [&promise](StoreResult<RunRecord> record) { promise.set_value(std::move(record)); });
    return result.get();
  }

  /// Gives up the ownership without a row.
  virtual StoreResult<void> release(RunNumber run) = 0;

  /// Takes the last place in a group for a run that is owned here; kGroupTaken if it would not be the first and does
  /// not queue. The place is given up with the ownership. Once more for the same group: nothing happens.
  virtual void join_group(RunNumber run, std::string group, bool queues, Completion<void> done) = 0;
  /// The runs that have a place before this one's and live, the one that holds the group first; none: it holds it.
  virtual StoreResult<std::vector<std::string>> before_in_group(RunNumber run) const = 0;

  virtual StoreResult<RunRecord> load(std::string_view id) const = 0;
  /// One run without its rows.
  virtual StoreResult<Summary> find(std::string_view id) const = 0;
  /// Newest first. The children of one run are found without a look at the others.
  virtual StoreResult<std::vector<Summary>> list(const ListFilter& filter) const = 0;
  /// The flow text of a digest. kNotFound.
  virtual StoreResult<std::string> text(std::string_view digest) const = 0;
  /// Keeps a text that a run will refer to (`resume --file`).
  virtual StoreResult<void> put_text(std::string_view digest, std::string_view text) = 0;

  /// Leaves a request for a run's owner and wakes it. kNoSuchRun. Gives false when nobody owns it:
  /// then nothing is left behind.
  virtual StoreResult<bool> post(std::string_view id, Request request) = 0;
  /// The requests for a run since the last call, oldest first. What was asked of an earlier owner is
  /// not among them: requests go when ownership is given up or taken.
  virtual StoreResult<std::vector<Request>> take_requests(RunNumber run) = 0;
  /// Keeps a signal for a run, whether somebody owns it or not, and wakes its owner; its number is given by the
  /// store. kNoSuchRun. Gives whether somebody owns it.
  virtual StoreResult<bool> send(std::string_view id, Signal signal) = 0;
  /// The signals that no row has taken yet, oldest first: a SignalReceived takes one. kNoSuchRun.
  virtual StoreResult<std::vector<Signal>> signals(std::string_view id) const = 0;
  /// Breakers and rate limits; part of the store.
  virtual SharedState& shared() = 0;
  /// Becomes readable when requests or signals may be waiting, or something that this process queues for is free (read
  /// what is in it, then look); -1 where no other process can ask. Owned by the store.
  virtual int wake_fd() const = 0;

  /// The old runs that may be deleted and that nobody owns, oldest first. A child is not among them: it goes with its
  /// parent, and a parent below which something is worked on, or needs somebody's attention, does not go.
  virtual StoreResult<std::vector<Summary>> old_runs(const OldRuns& which) const = 0;
  /// Deletes them, with all their children; gives the ids without theirs. What fails later leaves what is deleted
  /// deleted.
  virtual StoreResult<std::vector<std::string>> delete_old(const OldRuns& which) = 0;
  StoreResult<std::vector<std::string>> delete_ended(std::string_view flow, WallTime before, std::size_t limit) {
    return delete_old({.flow = std::string(flow), .before = before, .limit = limit});
  }

  /// Where the attempts' logs of a run are kept; empty when nothing is kept.
  virtual std::string log_folder(std::string_view id) const = 0;
};

}  // namespace canorun::store
