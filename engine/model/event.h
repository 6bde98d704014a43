// What happens in a run, told to whoever watches: progress, JSON, logs. The engine prints nothing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "engine/base/clock.h"
#include "engine/model/error.h"
#include "engine/model/task.h"

namespace canorun::model {

struct RunBegan {
  std::string_view flow;
  bool resumed = false;
  std::string_view state;  ///< resumed at
};
struct StateBegan {
  std::string_view state;
  std::uint64_t visit = 1;
};
/// `part` is a branch's name, an item's index and the like; empty: the work is the state's own action.
struct AttemptBegan {
  std::string_view state;
  std::uint32_t attempt = 1;
  std::uint32_t of = 1;
  std::string_view part = {};
};
struct AttemptFailed {
  std::string_view state;
  std::uint32_t attempt = 1;
  std::uint32_t of = 1;
  const RunError* error = nullptr;
  std::optional<Millis> retry_in;  ///< none: it was the last
  std::string_view part = {};
};
struct StateSucceeded {
  std::string_view state;
  std::uint64_t visit = 1;
  std::uint32_t attempts = 1;
  Millis duration{0};
};
struct StateFailed {
  std::string_view state;
  std::uint64_t visit = 1;
  const RunError* error = nullptr;
  Millis duration{0};
  std::string_view goes_to;  ///< the state `on_error` chose; empty: the run fails
};
/// A state works on so many parts, of which some had ended before this process took the run up.
struct PartsBegan {
  std::string_view state;
  std::uint64_t total = 0;
  std::uint64_t ended = 0;
  bool branches = false;  ///< else: items
};
/// What became of one of them.
struct PartEnded {
  std::string_view state;
  std::string_view part;
  const RunError* error = nullptr;  ///< null: it succeeded
  std::uint32_t attempts = 1;
  Millis duration{0};
  bool branch = false;  ///< else: an item
};
/// A loop of steps, a stream or a poll has come so far.
struct Advanced {
  std::string_view state;
  std::string_view unit;  ///< `step`, `window`, `poll`: what is counted
  std::uint64_t count = 0;
  std::uint64_t items = 0;             ///< of a stream, in all windows
  std::optional<WallTime> until = {};  ///< when it goes on, where it waits
};
struct Waiting {
  std::string_view state;
  std::optional<WallTime> until;
  std::string_view signal = {};  ///< it waits for that, too
};
/// An attempt waits for a rate limit, as far as can be told for so long; 0: until others have gone first.
struct Held {
  std::string_view state;
  std::string_view limit;
  Millis time{0};
  std::string_view part = {};
};
/// The run waits for its concurrency group; `before` is the id of the run that holds it.
struct Queued {
  std::string_view group;
  std::string_view before;
  std::size_t ahead = 0;  ///< so many runs come first
};
struct Said {
  std::string_view state;
  LogLevel level = LogLevel::kInfo;
  std::string_view message;
  std::string_view part = {};
};
/// What a command wrote, as it comes: any number of bytes.
struct Wrote {
  std::string_view state;
  Stream stream = Stream::kStdout;
  std::string_view bytes;
  std::string_view part = {};
};
/// Processes of an earlier attempt were found alive and are being ended.
struct OrphansFound {
  std::string_view state;
  std::size_t count = 0;
};
/// What was done is being undone, the last first; so much is.
struct RollbackBegan {
  std::size_t count = 0;
  const RunError* error = nullptr;  ///< the cause; null: the flow asks for it
};
/// `part` is what its attempts are told under, `undoes` the part that it undoes; empty: all of the state's work.
struct CompensationBegan {
  std::string_view state;
  std::uint64_t visit = 1;
  std::string_view part;
  std::string_view undoes;
};
struct CompensationEnded {
  std::string_view state;
  std::uint64_t visit = 1;
  std::string_view part;
  std::string_view undoes;
  const RunError* error = nullptr;  ///< null: it succeeded
  std::uint32_t attempts = 1;
  Millis duration{0};
};
struct Stopping {
  bool cancel = false;  ///< else: suspend
  std::string_view reason;
};

/// `around` and `of_part` are of child runs: `ship`, `fetch/us`, `ship > pack` is the work that the run is for its
/// parents; some of it is one part of many.
struct Event {
  std::string_view run;
  std::variant<RunBegan, StateBegan, AttemptBegan, AttemptFailed, StateSucceeded, StateFailed, PartsBegan, PartEnded,
               Advanced, Waiting, Held, Queued, Said, Wrote, OrphansFound, RollbackBegan, CompensationBegan,
               CompensationEnded, Stopping>
      what;
  std::string_view around = {};
  bool of_part = false;
};

/// Called on the event-loop thread, after what it tells is durable. What an event refers to lives
/// until the call returns.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void on_event(const Event& event) = 0;
};

}  // namespace canorun::model
