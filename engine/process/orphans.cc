#include "engine/process/orphans.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <functional>
#include <mutex>
#include <optional>

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

// The value of the token's entry; none where there is no such entry, or only a part of it. Entries end with NUL, and
// the wanted one is a whole entry, not the end of another.
std::optional<std::string_view> token_in(std::string_view environment) {
  const std::string begin = fmt::format("{}=", kTokenVariable);
  for (auto at = environment.find(begin); at != std::string_view::npos; at = environment.find(begin, at + 1)) {
    if (at != 0 && environment[at - 1] != '\0') continue;
    const auto end = environment.find('\0', at);
    if (end == std::string_view::npos) return std::nullopt;
    return environment.substr(at + begin.size(), end - at - begin.size());
  }
  return std::nullopt;
}

bool has_ended(const Fd& pidfd) {
  pollfd waited{.fd = pidfd.get(), .events = POLLIN, .revents = 0};
  return ::poll(&waited, 1, 0) != 0;
}

// Whether a process with that environment is meant; none: what was read of it does not tell.
using Meant = std::function<std::optional<bool>(std::string_view environment)>;

enum class Look : std::uint8_t { kMarked, kUnmarked, kUnseen };

// Processes, by pid and start, that were not seen however long they were looked at: no exec takes so long. They are
// looked at again, and not waited for. Any thread.
class Hidden {
 public:
  bool has(pid_t pid, std::uint64_t started) {
    const std::lock_guard lock(mutex_);
    return known_.contains({pid, started});
  }
  void add(pid_t pid, std::uint64_t started) {
    const std::lock_guard lock(mutex_);
    known_.emplace(pid, started);
  }

 private:
  std::mutex mutex_;
  std::set<std::pair<pid_t, std::uint64_t>> known_;
};

Hidden& hidden() {
  static Hidden all;
  return all;
}

// A process in the middle of exec shows no environment, or half of the old one, and would slip through:
// only an environment that was read to its end says no.
Look look_at(const Orphan& process, const Meant& is_meant, std::string& environment) {
  read_environment(process.pid, environment);
  // What the pidfd means still runs, so the environment that was read is its own.
  if (has_ended(process.pidfd)) return Look::kUnmarked;
  if (const auto meant = is_meant(environment)) return *meant ? Look::kMarked : Look::kUnmarked;
  const auto stat = read_proc_stat(process.pid);
  if (!stat || stat->dead || stat->kernel_thread) return Look::kUnmarked;
  const bool whole =
      stat->environment_end != 0 && environment.size() == stat->environment_end - stat->environment_begin;
  return whole || hidden().has(process.pid, stat->started) ? Look::kUnmarked : Look::kUnseen;
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

std::vector<Orphan> find(const Meant& is_meant) {
  std::string environment;
  std::vector<Orphan> found;
  std::vector<Orphan> unseen = processes_in_reach();
  for (int look = 0; look < kLooks && !unseen.empty(); ++look) {
    if (look > 0) ::usleep(1000);
    std::vector<Orphan> still_unseen;
    for (Orphan& process : unseen) {
      const Look seen = look_at(process, is_meant, environment);
      if (seen == Look::kMarked) found.push_back(std::move(process));
      if (seen == Look::kUnseen) still_unseen.push_back(std::move(process));
    }
    unseen = std::move(still_unseen);
  }
  for (const Orphan& process : unseen) {
    if (const auto stat = read_proc_stat(process.pid)) hidden().add(process.pid, stat->started);
  }
  return found;
}

}  // namespace

std::vector<Orphan> find_orphans(std::string_view token) {
  return find([&](std::string_view environment) -> std::optional<bool> {
    const auto found = token_in(environment);
    return found ? std::optional(*found == token) : std::nullopt;
  });
}

std::set<std::string> find_tokens() {
  std::set<std::string> tokens;
  find([&](std::string_view environment) -> std::optional<bool> {
    const auto found = token_in(environment);
    return found ? std::optional(tokens.emplace(*found).second) : std::nullopt;
  });
  return tokens;
}

std::vector<Orphan> find_processes_with(std::string_view text) {
  return find([&](std::string_view environment) -> std::optional<bool> {
    return environment.find(text) != std::string_view::npos ? std::optional(true) : std::nullopt;
  });
}

void signal_orphan(const Orphan& orphan, int signal) { signal_pidfd(orphan.pidfd, signal); }

}  // namespace canorun::process
