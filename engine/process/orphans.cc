#include "engine/process/orphans.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include "engine/process/pidfd.h"
#include "engine/process/proc_stat.h"

namespace canorun::process {
namespace {

// More than Linux lets an environment have (3/4 of 8 MiB of stack).
constexpr std::size_t kMaxEnvironment = std::size_t{8} << 20;

// How often a process whose environment could not be seen is looked at again, a millisecond apart.
constexpr int kLooks = 20;

void read_environment(pid_t pid, std::string& text) {
  text.clear();
  const Fd file(::open(fmt::format("/proc/{}/environ", pid).c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return;
  constexpr std::size_t kStep = std::size_t{64} << 10;
  while (text.size() < kMaxEnvironment) {
    const std::size_t before = text.size();
    text.resize(before + kStep);
    const ssize_t count = ::read(file.get(), text.data() + before, kStep);
    text.resize(before + (count > 0 ? static_cast<std::size_t>(count) : 0));
    if (count <= 0) return;
  }
}

// Entries are separated by NUL: the wanted one is a whole entry, not the end of another.
bool has_entry(std::string_view environment, std::string_view entry) {
  for (auto at = environment.find(entry); at != std::string_view::npos; at = environment.find(entry, at + 1)) {
    const auto end = at + entry.size();
    const bool begins = at == 0 || environment[at - 1] == '\0';
    if (begins && (end == environment.size() || environment[end] == '\0')) return true;
  }
  return false;
}

bool has_ended(const Fd& pidfd) {
  pollfd waited{.fd = pidfd.get(), .events = POLLIN, .revents = 0};
  return ::poll(&waited, 1, 0) != 0;
}

enum class Look : std::uint8_t { kMarked, kUnmarked, kUnseen };

// A process in the middle of exec shows no environment, or half of the old one, and would slip through:
// only an environment that was read to its end says no.
Look look_at(const Orphan& process, std::string_view entry, std::string& environment) {
  read_environment(process.pid, environment);
  // What the pidfd means still runs, so the environment that was read is its own.
  if (has_ended(process.pidfd)) return Look::kUnmarked;
  if (has_entry(environment, entry)) return Look::kMarked;
  const auto stat = read_proc_stat(process.pid);
  if (!stat || stat->dead || stat->kernel_thread) return Look::kUnmarked;
  const bool whole =
      stat->environment_end != 0 && environment.size() == stat->environment_end - stat->environment_begin;
  return whole ? Look::kUnmarked : Look::kUnseen;
}

// Who may be signalled; the owner of a folder in /proc is not always the process's.
std::vector<Orphan> processes_in_reach() {
  std::vector<Orphan> found;
  for (const pid_t pid : all_processes()) {
    if (pid == ::getpid()) continue;
    Fd pidfd = open_pidfd(pid);
    if (pidfd && signal_pidfd(pidfd, 0)) found.push_back({pid, std::move(pidfd)});
  }
  return found;
}

}  // namespace

std::vector<Orphan> find_orphans(std::string_view token) {
  const std::string entry = fmt::format("{}={}", kTokenVariable, token);
  std::string environment;
  std::vector<Orphan> found;
  std::vector<Orphan> unseen = processes_in_reach();
  for (int look = 0; look < kLooks && !unseen.empty(); ++look) {
    if (look > 0) ::usleep(1000);
    std::vector<Orphan> still_unseen;
    for (Orphan& process : unseen) {
      const Look seen = look_at(process, entry, environment);
      if (seen == Look::kMarked) found.push_back(std::move(process));
      if (seen == Look::kUnseen) still_unseen.push_back(std::move(process));
    }
    unseen = std::move(still_unseen);
  }
  return found;
}

void signal_orphan(const Orphan& orphan, int signal) { signal_pidfd(orphan.pidfd, signal); }

}  // namespace canorun::process
