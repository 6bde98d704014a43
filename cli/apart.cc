#include "cli/apart.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <exception>

#include "engine/base/fd.h"

namespace canorun::cli {
namespace {

[[noreturn]] void do_here(const Fd& out, pid_t parent, const std::function<std::string()>& work) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
  const rlimit no_core{};
  ::setrlimit(RLIMIT_CORE, &no_core);
  if (const Fd nowhere(::open("/dev/null", O_WRONLY)); nowhere) ::dup2(nowhere.get(), STDERR_FILENO);
  std::string said;
  try {
    said = work();
  } catch (const std::exception&) {
    ::_exit(1);
  }
  for (std::size_t at = 0; at < said.size();) {
    const ssize_t wrote = ::write(out.get(), said.data() + at, said.size() - at);
    if (wrote < 0 && errno != EINTR) ::_exit(1);
    at += static_cast<std::size_t>(std::max<ssize_t>(wrote, 0));
  }
  ::_exit(0);
}

std::string read_all(const Fd& in) {
  std::string text;
  std::array<char, 4096> buffer{};
  while (true) {
    const ssize_t got = ::read(in.get(), buffer.data(), buffer.size());
    if (got == 0 || (got < 0 && errno != EINTR)) return text;
    text.append(buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  }
}

}  // namespace

Apart apart(const std::function<std::string()>& work) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return {.error = std::strerror(errno)};
  const Fd in(ends[0]);
  Fd out(ends[1]);
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) return {.error = std::strerror(errno)};
  if (child == 0) do_here(out, parent, work);
  out.reset();
  Apart done{.said = read_all(in)};
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  if (WIFSIGNALED(status)) done.signal = WTERMSIG(status);
  return done;
}

}  // namespace canorun::cli
