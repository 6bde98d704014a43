// Runs this very program as a child process, in sight of the signals that ask to stop.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/clock.h"
#include "engine/base/fd.h"
#include "engine/process/launcher.h"

namespace canorun::cli {

/// While it lives, SIGINT, SIGTERM and SIGHUP (unless that is ignored) wait to be asked for. Made before any thread is
/// started.
class StopSignals {
 public:
  StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;
  ~StopSignals();

  /// Whether one has come, ever.
  bool came();
  /// Takes those that have come since the last call; gives how many.
  int take();
  int fd() const { return fd_.get(); }

 private:
  Fd fd_;
  sigset_t before_{};
  bool came_ = false;
};

struct SelfCommand {
  std::vector<std::string> arguments;
  std::vector<std::pair<std::string, std::string>> environment;  ///< whole
  std::string folder;
  std::string input;                    ///< on stdin
  std::optional<Millis> patience = {};  ///< then it is ended
};

struct SelfEnded {
  process::ExitStatus status;
  std::string err;  ///< the last it wrote to stderr
  Millis took{0};
  bool impatient = false;  ///< it was ended for its time
};

/// Starts it and waits for its end. When a signal comes it is asked to end too (SIGTERM), and killed when it does not
/// within 15 s, or when a second one comes.
std::expected<SelfEnded, process::LaunchError> run_self(const SelfCommand& command, StopSignals& stop);

/// Kills every process of this user whose environment has the text in it, until none is left.
void end_processes_with(const std::string& text);

}  // namespace canorun::cli
