// Checkpoint rows: all that can be recorded about a run. How they look on disk: FORMAT.md.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/base/clock.h"
#include "engine/base/value.h"
#include "engine/store/status.h"
#include "engine/store/work_rows.h"

namespace canorun::store {

/// The flows that a run may start as its children, and those that these may: absolute path -> digest of the text.
using Flows = std::map<std::string, std::string>;

/// The first row of every run.
struct RunStarted {
  std::string flow;
  std::uint64_t version = 0;
  std::string digest;  ///< the flow's text is stored under it
  std::string file;    ///< the flow's absolute path, for people
  std::string folder;  ///< absolute: where commands run
  std::string nonce;   ///< idempotency keys are made from it
  Json inputs = Json::object();
  Json vars = Json::object();  ///< initial values, evaluated once
  Flows flows = {};
  std::string parent = {};  ///< the run that started this one as its child; empty: a person did
  std::string work = {};    ///< the key of the work that the parent does by this run
  /// The secret inputs, which are not among `inputs`: name -> where its value is read again from (`@env:NAME`,
  /// `@file:PATH`; empty: a person gives it).
  std::map<std::string, std::string> secrets = {};
  bool operator==(const RunStarted&) const = default;
};

/// A state's work is about to begin.
struct StateEntered {
  std::string state;
  std::uint64_t visit = 1;
  std::vector<std::string> via = {};      ///< `route` states passed on the way here
  std::optional<WallTime> deadline = {};  ///< a timer's end
  bool owed = false;                      ///< from now on its action is to be undone when the run is rolled back
  bool operator==(const StateEntered&) const = default;
};

/// A state's work has ended, either way.
struct StateEnded {
  std::string state;
  std::uint64_t visit = 1;
  std::uint32_t attempts = 0;
  Millis duration{0};
  Json output = nullptr;         ///< of its work; null when that failed
  Json error = nullptr;          ///< null when it succeeded, else {kind, message, state, attempts, exit_code?}
  Json set = nullptr;            ///< variable -> new value; null where nothing was set
  std::string stderr_tail = {};  ///< the last lines a failed command wrote to stderr, for people
  bool owed = false;             ///< from now on its action is to be undone when the run is rolled back
  bool operator==(const StateEnded&) const = default;
};

/// What a run waits for that no process works on. At least one is there.
struct WaitsFor {
  std::optional<WallTime> until = {};
  std::string signal = {};
  std::string run = {};        ///< the child that waits for the signal; empty: the run itself
  std::uint64_t children = 0;  ///< so many of its children wait
  bool operator==(const WaitsFor&) const = default;
};

/// The process let go of the run on purpose; it can be resumed.
struct RunSuspended {
  std::string reason;                      ///< the signal's name
  std::optional<WaitsFor> waits_for = {};  ///< there was nothing to do but wait
  Json progress = nullptr;                 ///< what the shape of the current state goes on from
  bool services_up = false;                ///< they could not all be torn down
  bool operator==(const RunSuspended&) const = default;
};

/// Another process took the run up again, at `state` (empty: before the first state was entered).
struct RunResumed {
  std::string state;
  bool by_hand = false;                    ///< `--from`: a StateEntered row follows
  std::optional<std::string> digest = {};  ///< another definition was given with `--file`
  std::optional<std::string> file = {};
  std::optional<std::string> folder = {};
  Flows flows = {};                           ///< of that definition
  std::optional<std::uint64_t> version = {};  ///< likewise, where it is another than the run's (`--migrate`)
  Json inputs = nullptr;                      ///< that the run has not: their defaults; null: none
  Json vars = nullptr;                        ///< likewise their initial values
  bool operator==(const RunResumed&) const = default;
};

/// The run has its outcome. `state` is the exit state, or the one that failed.
struct RunEnded {
  Status status = Status::kSucceeded;
  std::string state;
  std::vector<std::string> via = {};
  bool entered = false;  ///< `state` is an exit state that was entered by this row
  Json output = nullptr;
  Json error = nullptr;
  std::string stderr_tail = {};  ///< of what failed, where that is no state: the setup of a service
  bool operator==(const RunEnded&) const = default;
};

/// A signal from outside was taken by the state that waited for it.
struct SignalReceived {
  std::string state;
  std::uint64_t visit = 1;
  std::string signal;
  std::uint64_t number = 0;  ///< in the store: it is gone from there with this row
  Json data = nullptr;
  bool operator==(const SignalReceived&) const = default;
};

/// The run waits for its concurrency group; what was being worked on is not.
struct RunQueued {
  std::string group;
  bool operator==(const RunQueued&) const = default;
};

/// The run has its outcome, and a process works on what comes after it: `on_end`, services. A RunEnded follows.
struct OutcomeReached : RunEnded {
  bool operator==(const OutcomeReached&) const = default;
};

/// What was done is being undone, the last first; a RunEnded follows. The status is the one of a run that could be
/// rolled back clean, the error is the cause; none: an exit state asked for it, and was entered by this row.
struct RollbackStarted : RunEnded {
  bool operator==(const RollbackStarted&) const = default;
};

/// In the order of the format's type numbers: new ones go to the end.
using Body = std::variant<RunStarted, StateEntered, StateEnded, RunSuspended, RunResumed, RunEnded, BranchEnded,
                          ItemEnded, StepEnded, SignalReceived, WindowEnded, RunQueued, OutcomeReached, RollbackStarted,
                          CompensationEnded, PartBegan>;

/// One record; its sequence is its place in the run, dense from 0 when it is written (see row_effects.h).
struct Row {
  WallTime at{};
  Body body;
  bool operator==(const Row&) const = default;
};

/// `state_entered` and the like: what `events` prints as `type`.
std::string_view type_name(const Row& row);

}  // namespace canorun::store
