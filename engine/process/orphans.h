// Finding processes that an interrupted attempt left behind.
#pragma once

#include <sys/types.h>

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/fd.h"

namespace canorun::process {

/// The environment variable whose value marks every process of one visit of a state.
inline constexpr std::string_view kTokenVariable = "CANORUN_TOKEN";

/// A process that carries the token. The pidfd was opened before the environment was read, so a
/// signal through it can only reach that process, whatever happens to the pid.
struct Orphan {
  pid_t pid = -1;
  Fd pidfd;
};

/// Every process of this user, not this one and no zombie, whose environment has
/// `CANORUN_TOKEN=token`. Reads /proc.
std::vector<Orphan> find_orphans(std::string_view token);

/// The tokens of all such processes, in one look.
std::set<std::string> find_tokens();

/// Every process of this user, not this one and no zombie, that has the text anywhere in its environment.
std::vector<Orphan> find_processes_with(std::string_view text);

/// Sends a signal to one; a process that is gone is no error.
void signal_orphan(const Orphan& orphan, int signal);

}  // namespace canorun::process
