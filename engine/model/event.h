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
struct AttemptBegan {
  std::string_view state;
  std::uint32_t attempt = 1;
  std::uint32_t of = 1;
};
struct AttemptFailed {
  std::string_view state;
  std::uint32_t attempt = 1;
  std::uint32_t of = 1;
  const RunError* error = nullptr;
  std::optional<Millis> retry_in;  ///< none: it was the last
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
struct Waiting {
  std::string_view state;
  WallTime until{};
};
struct Said {
  std::string_view state;
  LogLevel level = LogLevel::kInfo;
  std::string_view message;
};
/// What a command wrote, as it comes: any number of bytes.
struct Wrote {
  std::string_view state;
  Stream stream = Stream::kStdout;
  std::string_view bytes;
};
/// Processes of an earlier attempt were found alive and are being ended.
struct OrphansFound {
  std::string_view state;
  std::size_t count = 0;
};
struct Stopping {
  bool cancel = false;  ///< else: suspend
  std::string_view reason;
};

struct Event {
  std::string_view run;
  std::variant<RunBegan, StateBegan, AttemptBegan, AttemptFailed, StateSucceeded, StateFailed, Waiting, Said, Wrote,
               OrphansFound, Stopping>
      what;
};

/// Called on the event-loop thread, after what it tells is durable. What an event refers to lives
/// until the call returns.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void on_event(const Event& event) = 0;
};

}  // namespace canorun::model
