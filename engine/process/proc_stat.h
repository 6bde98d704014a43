// What the kernel tells of one process in /proc/PID/stat.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace canorun::process {

struct ProcStat {
  bool dead = false;  ///< a zombie, or about to vanish
  bool kernel_thread = false;
  pid_t group = -1;
  std::uint64_t started = 0;  ///< when it began, in clock ticks since the machine did
  /// Where its environment is in its memory: 0 while it is between two programs (exec), for kernel
  /// threads, and for processes that may not be looked into.
  std::uint64_t environment_begin = 0;
  std::uint64_t environment_end = 0;
};

/// Empty when there is no such process.
std::optional<ProcStat> read_proc_stat(pid_t pid);

/// The same of the file's text.
std::optional<ProcStat> parse_proc_stat(std::string_view text);

/// Every process there is, at some moment of the call.
std::vector<pid_t> all_processes();

}  // namespace canorun::process
