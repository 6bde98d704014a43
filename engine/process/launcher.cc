#include "engine/process/launcher.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <optional>
#include <system_error>

#include "engine/base/signals.h"
#include "engine/process/pidfd.h"
#include "engine/process/program.h"

namespace canorun::process {
namespace {

/// What the child needs, made ready before it exists: between vfork and exec nothing may allocate.
struct Plan {
  const char* program;
  char* const* argv;
  char* const* environment;
  const char* folder;
  int in;  ///< -1: /dev/null
  int out;
  int err;
  int report;  ///< close-on-exec: its end without a word means that the program runs
  pid_t parent;
};

enum class Stage : int { kSetup, kFolder, kExec };

/// What went wrong in the child, as it travels through the report pipe.
struct Report {
  Stage stage;
  int error;
};

[[noreturn]] void give_up(const Plan& plan, Stage stage) {
  const Report report{stage, errno};
  [[maybe_unused]] const auto written = ::write(plan.report, &report, sizeof report);
  ::_exit(127);
}

// Handlers go first: a signal that is let in afterwards must not run one in the parent's memory.
void reset_signals() {
  struct sigaction standard = {};
  standard.sa_handler = SIG_DFL;
  for (int signal = 1; signal < NSIG; ++signal) {
    if (signal == SIGHUP && is_ignored(SIGHUP)) continue;
    ::sigaction(signal, &standard, nullptr);
  }
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

// The child, from its birth to exec. Async-signal-safe calls only, and it never returns: it may share
// the parent's memory and stack.
[[noreturn, gnu::noinline]] void become(const Plan& plan) {
  ::setsid();
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  // A parent that died before the call above sends nothing any more.
  if (::getppid() != plan.parent) ::_exit(127);
  if (::chdir(plan.folder) != 0) give_up(plan, Stage::kFolder);
  const int in = plan.in >= 0 ? plan.in : ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (in < 0 || ::dup2(in, 0) < 0 || ::dup2(plan.out, 1) < 0 || ::dup2(plan.err, 2) < 0) give_up(plan, Stage::kSetup);
  // Our own descriptors are close-on-exec already; this catches what was inherited or a library opened.
  ::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
  reset_signals();
  ::execve(plan.program, plan.argv, plan.environment);
  give_up(plan, Stage::kExec);
}

// vfork spares copying the page tables; the sanitizers replace it by what they can follow.
[[gnu::noinline]] pid_t start(const Plan& plan) {
  const pid_t pid = ::vfork();
  if (pid == 0) become(plan);
  return pid;
}

struct Pipe {
  Fd read;
  Fd write;
};

// Above the standard descriptors, which the child's are moved to, even if ours are closed.
bool lift(Fd& fd) {
  if (fd.get() > 2) return true;
  fd.reset(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 3));
  return static_cast<bool>(fd);
}

std::optional<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return std::nullopt;
  Pipe pipe{Fd(ends[0]), Fd(ends[1])};
  if (!lift(pipe.read) || !lift(pipe.write)) return std::nullopt;
  return pipe;
}

// An end of a pipe is a description of its own: the child's end stays blocking.
void set_non_blocking(const Fd& fd) { ::fcntl(fd.get(), F_SETFL, O_NONBLOCK); }

LaunchError system_error(const Command& command, int error) {
  const bool crowded = error == EAGAIN || error == ENOMEM || error == EMFILE || error == ENFILE;
  return {LaunchErrorKind::kSystem,
          fmt::format("cannot start {}: {}", command.argv[0], std::generic_category().message(error)),
          crowded ? "this machine or this user is at its limit of processes, memory or open files" : ""};
}

LaunchError folder_error(const Command& command, int error) {
  if (error == ENOENT) return {LaunchErrorKind::kBadFolder, fmt::format("folder does not exist: {}", command.folder)};
  if (error == ENOTDIR) return {LaunchErrorKind::kBadFolder, fmt::format("not a folder: {}", command.folder)};
  return {LaunchErrorKind::kBadFolder,
          fmt::format("cannot enter folder {}: {}", command.folder, std::generic_category().message(error))};
}

LaunchError explain(const Command& command, const std::string& program, const Report& report) {
  switch (report.stage) {
    case Stage::kFolder: return folder_error(command, report.error);
    case Stage::kExec: return exec_error(command, program, report.error);
    case Stage::kSetup: break;
  }
  return system_error(command, report.error);
}

std::optional<Report> read_report(const Fd& pipe) {
  Report report{};
  ssize_t count = 0;
  do {
    count = ::read(pipe.get(), &report, sizeof report);
  } while (count < 0 && errno == EINTR);
  if (count == static_cast<ssize_t>(sizeof report)) return report;
  return std::nullopt;
}

void collect(pid_t pid) {
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace

std::vector<std::pair<std::string, std::string>> own_environment() {
  std::vector<std::pair<std::string, std::string>> all;
  for (char** entry = ::environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const auto equals = text.find('=');
    if (equals == std::string_view::npos || equals == 0) continue;
    all.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  return all;
}

std::expected<Child, LaunchError> SystemLauncher::launch(const Command& command) {
  const auto image = make_image(command);
  if (!image) return std::unexpected(image.error());
  auto in = command.with_stdin ? make_pipe() : Pipe{};
  auto out = make_pipe();
  auto err = make_pipe();
  auto report = make_pipe();
  if (!in || !out || !err || !report) return std::unexpected(system_error(command, errno));

  Child child;
  {
    const Plan plan{.program = image->program.c_str(),
                    .argv = image->argv.data(),
                    .environment = image->environment.data(),
                    .folder = command.folder.c_str(),
                    .in = in->read.get(),
                    .out = out->write.get(),
                    .err = err->write.get(),
                    .report = report->write.get(),
                    .parent = ::getpid()};
    const AllSignalsBlocked blocked;  // no handler may run in a child that shares this memory
    child.pid = start(plan);
  }
  if (child.pid < 0) return std::unexpected(system_error(command, errno));
  report->write.reset();
  if (const auto failed = read_report(report->read)) {
    collect(child.pid);
    return std::unexpected(explain(command, image->program, *failed));
  }
  // The child cannot be reaped by anyone else, so its number still means it.
  child.pidfd = open_pidfd(child.pid);
  if (!child.pidfd) {
    const int error = errno;
    ::kill(-child.pid, SIGKILL);
    collect(child.pid);
    return std::unexpected(system_error(command, error));
  }
  child.stdin_pipe = std::move(in->write);
  child.stdout_pipe = std::move(out->read);
  child.stderr_pipe = std::move(err->read);
  for (const Fd* pipe : {&child.stdin_pipe, &child.stdout_pipe, &child.stderr_pipe}) {
    if (*pipe) set_non_blocking(*pipe);
  }
  return child;
}

}  // namespace canorun::process
