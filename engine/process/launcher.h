// Starting commands, and ending them and what they left behind. No event loop here: what is waited
// for is given as file descriptors.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/clock.h"
#include "engine/base/fd.h"

namespace canorun::process {

struct Command {
  std::vector<std::string> argv;  ///< argv[0] without a slash is looked up in PATH of `environment`
  std::vector<std::pair<std::string, std::string>> environment;  ///< whole; later names win
  std::string folder;       ///< absolute; relative programs and PATH entries start from it
  bool with_stdin = false;  ///< else /dev/null
};

/// That of this process.
std::vector<std::pair<std::string, std::string>> own_environment();

enum class LaunchErrorKind : std::uint8_t { kNotFound, kNotExecutable, kBadFolder, kTooLarge, kBadArgument, kSystem };

struct LaunchError {
  LaunchErrorKind kind;
  std::string message;
  std::string hint = {};
};

/// A started command: leader of a session (and so of a process group) of its own. All descriptors are
/// close-on-exec, the pipes' ends here are non-blocking. Who writes to `stdin_pipe` ignores SIGPIPE.
struct Child {
  pid_t pid = -1;
  Fd pidfd;       ///< readable when the leader has exited
  Fd stdin_pipe;  ///< empty unless asked for
  Fd stdout_pipe;
  Fd stderr_pipe;
};

/// How a command ended.
struct ExitStatus {
  bool signalled = false;
  int value = 0;  ///< the exit code, or the signal
  bool operator==(const ExitStatus&) const = default;
};

/// The seam through which commands are started. Event-loop thread only: a death signal follows the
/// thread that started the command.
class Launcher {
 public:
  virtual ~Launcher() = default;
  /// Returns when the program runs, so that whatever kept it from running is in the error.
  virtual std::expected<Child, LaunchError> launch(const Command& command) = 0;
};

/// Starts real processes: with default signal dispositions (an ignored SIGHUP stays ignored), an empty
/// signal mask, and SIGTERM as death signal.
class SystemLauncher final : public Launcher {
 public:
  std::expected<Child, LaunchError> launch(const Command& command) override;
};

/// Whether the leader has exited, or does so within `wait`, which blocks; leaves the status to `reap`.
bool has_exited(const Child& child, Millis wait = Millis{0});

/// Collects the status of a leader, once; blocks until it has exited.
ExitStatus reap(const Child& child);

/// Sends a signal to the whole group of a leader that was not reaped yet, or whose group is alive (its
/// number cannot be given to others until then). A group that is gone is no error.
void signal_group(pid_t leader, int signal);

/// Whether any process of the group is left (zombies aside). Cheap when the leader was reaped and
/// nothing is left; otherwise it reads /proc.
bool group_alive(pid_t leader);

/// The name of a signal: `SIGKILL`.
std::string signal_name(int signal);

}  // namespace canorun::process
