#include "cli/self.h"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "engine/base/signals.h"
#include "engine/process/orphans.h"
#include "engine/process/pidfd.h"

namespace canorun::cli {
namespace {

using Steady = std::chrono::steady_clock;

constexpr Millis kGrace{15'000};  // a run that suspends gives its commands 10 s
constexpr std::size_t kTail = 4096;
constexpr int kMostLooks = 5000;  // a millisecond apart

// The pipes and the time of one child.
class Watch {
 public:
  Watch(process::Child child, const SelfCommand& command, StopSignals& stop)
      : child_(std::move(child)), command_(command), stop_(stop) {
    if (command.patience) deadline_ = began_ + *command.patience;
  }

  SelfEnded wait() {
    while (turn()) {
    }
    while (take(child_.stdout_pipe, nullptr) || take(child_.stderr_pipe, &ended_.err)) {
    }
    ended_.status = process::reap(child_);
    ended_.took = std::chrono::duration_cast<Millis>(Steady::now() - began_);
    return std::move(ended_);
  }

 private:
  // False once it has ended.
  bool turn() {
    std::array<pollfd, 5> fds{{{child_.pidfd.get(), POLLIN, 0},
                               {child_.stdout_pipe.get(), POLLIN, 0},
                               {child_.stderr_pipe.get(), POLLIN, 0},
                               {child_.stdin_pipe.get(), POLLOUT, 0},
                               {stop_.fd(), POLLIN, 0}}};
    if (::poll(fds.data(), fds.size(), until_deadline()) < 0 && errno != EINTR) return false;
    if (fds[1].revents != 0) take(child_.stdout_pipe, nullptr);
    if (fds[2].revents != 0) take(child_.stderr_pipe, &ended_.err);
    if (fds[3].revents != 0) give();
    for (int signals = stop_.take(); signals > 0; --signals) end();
    if (deadline_ && Steady::now() >= *deadline_) {
      ended_.impatient = ended_.impatient || !ending_;
      end();
    }
    return fds[0].revents == 0;
  }

  int until_deadline() const {
    if (!deadline_) return -1;
    return static_cast<int>(
        std::clamp<std::int64_t>(std::chrono::ceil<Millis>(*deadline_ - Steady::now()).count(), 0, 1'000'000));
  }

  // First it is asked, then it is made to.
  void end() {
    process::signal_pidfd(child_.pidfd, std::exchange(ending_, true) ? SIGKILL : SIGTERM);
    deadline_ = Steady::now() + kGrace;
  }

  void give() {
    const auto rest = std::string_view(command_.input).substr(given_);
    const ssize_t wrote = rest.empty() ? 0 : ::write(child_.stdin_pipe.get(), rest.data(), rest.size());
    if (wrote < 0 && errno == EAGAIN) return;
    given_ += wrote > 0 ? static_cast<std::size_t>(wrote) : 0;
    if (wrote <= 0 || given_ == command_.input.size()) child_.stdin_pipe.reset();
  }

  // Takes what there is; false when there is nothing, or no one any more.
  static bool take(Fd& pipe, std::string* to) {
    if (!pipe) return false;
    std::array<char, 16 * 1024> buffer;
    const ssize_t got = ::read(pipe.get(), buffer.data(), buffer.size());
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return false;
    if (got <= 0) {
      pipe.reset();
      return false;
    }
    if (to == nullptr) return true;
    to->append(buffer.data(), static_cast<std::size_t>(got));
    if (to->size() > kTail) to->erase(0, to->size() - kTail);
    return true;
  }

  process::Child child_;
  const SelfCommand& command_;
  StopSignals& stop_;
  SelfEnded ended_;
  Steady::time_point began_ = Steady::now();
  std::optional<Steady::time_point> deadline_;
  std::size_t given_ = 0;
  bool ending_ = false;
};

}  // namespace

StopSignals::StopSignals() {
  sigset_t all;
  ::sigemptyset(&all);
  ::sigaddset(&all, SIGINT);
  ::sigaddset(&all, SIGTERM);
  if (!is_ignored(SIGHUP)) ::sigaddset(&all, SIGHUP);
  ::pthread_sigmask(SIG_BLOCK, &all, &before_);
  fd_.reset(::signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK));
}

StopSignals::~StopSignals() {
  take();
  ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

bool StopSignals::came() {
  take();
  return came_;
}

int StopSignals::take() {
  int count = 0;
  signalfd_siginfo signal{};
  while (::read(fd_.get(), &signal, sizeof signal) == static_cast<ssize_t>(sizeof signal)) ++count;
  came_ = came_ || count > 0;
  return count;
}

std::expected<SelfEnded, process::LaunchError> run_self(const SelfCommand& command, StopSignals& stop) {
  process::Command start{
      .argv = command.arguments, .environment = command.environment, .folder = command.folder, .with_stdin = true};
  start.argv.insert(start.argv.begin(), "/proc/self/exe");
  process::SystemLauncher launcher;
  auto child = launcher.launch(start);
  if (!child) return std::unexpected(std::move(child.error()));
  return Watch(std::move(*child), command, stop).wait();
}

void end_processes_with(const std::string& text) {
  for (int look = 0; look < kMostLooks; ++look) {
    const auto found = process::find_processes_with(text);
    if (found.empty()) return;
    for (const process::Orphan& one : found) process::signal_orphan(one, SIGKILL);
    ::usleep(1000);
  }
}

}  // namespace canorun::cli
