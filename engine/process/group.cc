// Ending commands: statuses, groups and signals.
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "engine/process/launcher.h"
#include "engine/process/proc_stat.h"

namespace canorun::process {

bool has_exited(const Child& child, Millis wait) {
  pollfd pidfd{.fd = child.pidfd.get(), .events = POLLIN, .revents = 0};
  return ::poll(&pidfd, 1, static_cast<int>(wait.count())) > 0;
}

ExitStatus reap(const Child& child) {
  siginfo_t info{};
  while (::waitid(P_PID, static_cast<id_t>(child.pid), &info, WEXITED) != 0) {
    if (errno != EINTR) return {.signalled = true, .value = SIGKILL};
  }
  return {.signalled = info.si_code != CLD_EXITED, .value = info.si_status};
}

void signal_group(pid_t leader, int signal) {
  if (leader > 1) ::kill(-leader, signal);
}

bool group_alive(pid_t leader) {
  if (leader <= 1 || (::kill(-leader, 0) != 0 && errno == ESRCH)) return false;
  // Something answers, but a zombie would too, and who inherited it may be slow to reap it.
  return std::ranges::any_of(all_processes(), [&](pid_t pid) {
    const auto stat = read_proc_stat(pid);
    return stat && stat->group == leader && !stat->dead;
  });
}

std::string signal_name(int signal) {
  if (const char* name = ::sigabbrev_np(signal)) return fmt::format("SIG{}", name);
  if (signal >= SIGRTMIN && signal <= SIGRTMAX) return fmt::format("SIGRTMIN+{}", signal - SIGRTMIN);
  return fmt::format("signal {}", signal);
}

}  // namespace canorun::process
