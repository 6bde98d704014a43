// Work: what a task kind makes, and what it may ask of the engine while it runs.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "engine/base/clock.h"
#include "engine/base/masker.h"
#include "engine/base/result.h"
#include "engine/model/outcome.h"

namespace canorun::model {

enum class Stream : std::uint8_t { kStdout, kStderr };
enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarn, kError };

/// Ends the work that calls it as a cancellation would: with `operation_aborted`, which all let out that do not ask
/// for it.
[[noreturn]] inline void cut_off() { throw boost::system::system_error(boost::asio::error::operation_aborted); }

/// Whether what was thrown is that.
inline bool is_cut_off(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const boost::system::system_error& error) {
    return error.code() == boost::asio::error::operation_aborted;
  } catch (...) {
    return false;
  }
}

/// One attempt, seen by its task. Lives until the task's `run` has returned. Event-loop thread only.
class TaskContext {
 public:
  virtual ~TaskContext() = default;

  virtual boost::asio::any_io_executor executor() const = 0;
  virtual const Clock& clock() const = 0;

  virtual const std::string& run_id() const = 0;
  virtual const std::string& flow_name() const = 0;
  /// Absolute: where commands run unless they say otherwise, and what relative paths start from.
  virtual const std::string& folder() const = 0;
  virtual const std::string& state() const = 0;
  /// Which part of the state's work this is; empty: all of it.
  virtual const std::string& part() const = 0;
  virtual std::uint64_t visit() const = 0;
  virtual std::uint32_t attempt() const = 0;
  /// The same for every attempt and every resume of this piece of work.
  virtual const std::string& idempotency_key() const = 0;
  /// The key of the work that this undoes; empty: it undoes none.
  virtual const std::string& compensates() const = 0;
  /// Marks whatever is started for the visit, so that it can be found when this process has died.
  virtual const std::string& token() const = 0;
  /// The flow's `env`, the defaults' and the action's, evaluated; later names win.
  virtual const std::vector<std::pair<std::string, std::string>>& environment() const = 0;

  /// What hides the run's secrets: output is masked as it comes in, before it is read, cut, kept or logged. Outcomes
  /// are masked by the engine, too.
  virtual const Masker& masker() const = 0;

  /// A path, in a folder that exists, for a file that only this attempt uses. The engine removes what
  /// is left of it when the attempt has ended.
  virtual Result<std::string> scratch_file(std::string_view purpose) = 0;

  /// A path, in a folder that exists, by which this piece of work can tell later what it had begun: every
  /// attempt gets the same one, also after a resume. The engine removes the file when the state's success
  /// is recorded.
  virtual Result<std::string> kept_file() = 0;

  /// Runs the flow that the flow file calls `file` as a child of this run, to its end. An attempt's child is its own;
  /// after a resume, the one that was cut off goes on. A failure is the child's.
  virtual boost::asio::awaitable<Outcome> run_flow(const std::string& file, Json inputs) = 0;

  /// Keeps output, which is masked, in the attempt's log; never fails the attempt.
  virtual void write_log(Stream stream, std::string_view bytes) = 0;
  /// Says something to whoever watches the run.
  virtual void say(LogLevel level, std::string_view message) = 0;
};

/// One attempt's work. Cancellation comes through Asio's cancellation slot as `terminal`: the task ends
/// what it began (a command: TERM, 5 s, KILL), then lets the `operation_aborted` out.
class Task {
 public:
  virtual ~Task() = default;
  virtual boost::asio::awaitable<Outcome> run(TaskContext& context) = 0;
};

struct Line {
  std::string bytes;                         ///< as they are, without the newline
  std::optional<std::uint64_t> behind = {};  ///< where a file goes on after it
};

/// Nothing has come yet.
struct Nothing {};

/// How a source ended is its outcome; there is no line after it.
using NextLine = std::variant<Nothing, Line, Outcome>;

/// Gives lines, and reads none ahead but what one read brings: what it reads from is kept waiting by who takes them
/// slowly. Event-loop thread only.
class LineSource {
 public:
  /// What of it still runs is killed.
  virtual ~LineSource() = default;

  /// Begins, once. `ready` is called whenever there may be more than nothing; not after the source is gone. The
  /// context outlives the source.
  virtual std::optional<Failure> start(TaskContext& context, std::function<void()> ready) = 0;

  /// Never waits.
  virtual NextLine next() = 0;

  /// Ends what runs of it (a command: TERM, 5 s, KILL) and waits until nothing does, also after its outcome. The
  /// caller is deaf to cancellation.
  virtual boost::asio::awaitable<void> end() = 0;
};

}  // namespace canorun::model
