#include "engine/process/launcher.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>

#include <array>

#include "process/commands.h"

namespace canorun::process {
namespace {

using test::Ended;
using test::eventually;
using test::finish;
using test::shell;
using test::TempFolder;
using test::write_file;

Ended run(const Command& command) {
  SystemLauncher launcher;
  auto child = launcher.launch(command);
  REQUIRE_MESSAGE(child, (child ? "" : child.error().message));
  return finish(*child);
}

LaunchError refused(const Command& command) {
  SystemLauncher launcher;
  auto child = launcher.launch(command);
  REQUIRE_FALSE(child);
  return child.error();
}

std::size_t open_descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) ++count;
  return count;
}

}  // namespace

TEST_CASE("a command's streams and exit code arrive") {
  CHECK(run(shell("echo out; echo err >&2; exit 3")) == Ended{"out\n", "err\n", {false, 3}});
}

TEST_CASE("a command that was killed says by which signal") {
  CHECK(run(shell("kill -KILL $$")).status == ExitStatus{true, SIGKILL});
  CHECK(run(shell("kill -TERM $$")).status == ExitStatus{true, SIGTERM});
}

TEST_CASE("the environment is exactly what was given, and later names win") {
  Command command{
      .argv = {"/usr/bin/env"}, .environment = {{"A", "1"}, {"B", "x y\n$(z)'\""}, {"A", "2"}}, .folder = "/"};
  CHECK(run(command).out == "A=2\nB=x y\n$(z)'\"\n");
}

TEST_CASE("arguments arrive as they are") {
  Command command{.argv = {"printf", "<%s>", "", "a b", "$(id)", "'\"\n"}, .environment = {}, .folder = "/"};
  CHECK(run(command).out == "<><a b><$(id)><'\"\n>");
}

TEST_CASE("a command runs in its folder, in a session of its own, with empty stdin") {
  Command command = shell("pwd; cat; ps -o sid=,pgid= -p $$ | tr -s ' ' | sed 's/^ //'; echo $$");
  command.folder = "/usr";
  SystemLauncher launcher;
  auto child = launcher.launch(command);
  REQUIRE(child);
  const pid_t pid = child->pid;
  CHECK(finish(*child).out == fmt::format("/usr\n{0} {0}\n{0}\n", pid));
}

TEST_CASE("stdin is a pipe when it is asked for") {
  Command command = shell("cat");
  command.with_stdin = true;
  SystemLauncher launcher;
  auto child = launcher.launch(command);
  REQUIRE(child);
  REQUIRE(::write(child->stdin_pipe.get(), "hello", 5) == 5);
  child->stdin_pipe.reset();
  CHECK(finish(*child).out == "hello");
}

TEST_CASE("the ends of the pipes here do not block, those of the command do") {
  Command command = shell("cat; echo done");
  command.with_stdin = true;
  SystemLauncher launcher;
  auto child = launcher.launch(command);
  REQUIRE(child);
  char byte = 0;
  CHECK(::read(child->stdout_pipe.get(), &byte, 1) == -1);
  CHECK(errno == EAGAIN);
  child->stdin_pipe.reset();
  CHECK(finish(*child).out == "done\n");
}

TEST_CASE("a command inherits no descriptors but its own three") {
  const Fd leaked(::open("/dev/null", O_RDONLY));               // without close-on-exec, as a library might
  CHECK(run(shell("ls /proc/self/fd")).out == "0\n1\n2\n3\n");  // 3 is what ls reads the folder with
}

TEST_CASE("a command has default dispositions and an empty mask, but an ignored SIGHUP stays ignored") {
  const auto hang_up = ::signal(SIGHUP, SIG_IGN);
  const auto pipe = ::signal(SIGPIPE, SIG_IGN);
  const auto user = ::signal(SIGUSR1, [](int) {});
  sigset_t blocked;
  sigset_t before;
  ::sigemptyset(&blocked);
  ::sigaddset(&blocked, SIGUSR2);
  ::pthread_sigmask(SIG_BLOCK, &blocked, &before);
  const std::string out =
      run(Command{.argv = {"grep", "-E", "Sig(Blk|Ign)", "/proc/self/status"}, .environment = {}, .folder = "/"}).out;
  CHECK((::signal(SIGHUP, hang_up) == SIG_IGN));
  CHECK((::signal(SIGPIPE, pipe) == SIG_IGN));
  ::signal(SIGUSR1, user);
  sigset_t after;
  ::pthread_sigmask(SIG_SETMASK, &before, &after);
  CHECK(::sigismember(&after, SIGUSR2) == 1);
  CHECK(::sigismember(&after, SIGTERM) == 0);
  CHECK(out == "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000001\n");
}

TEST_CASE("a program is looked up in the command's own PATH, also relative to its folder") {
  const TempFolder folder;
  std::filesystem::create_directory(folder.path() + "/bin");
  write_file(folder, "bin/tool", "#!/bin/sh\necho from bin\n", 0755);
  write_file(folder, "tool", "#!/bin/sh\necho from here: $0\n", 0755);
  CHECK(run({.argv = {"tool"}, .environment = {{"PATH", "bin:/bin"}}, .folder = folder.path()}).out == "from bin\n");
  CHECK(run({.argv = {"./tool"}, .environment = {}, .folder = folder.path()}).out == "from here: ./tool\n");
}

TEST_CASE("what keeps a command from running is said, with what to do") {
  const TempFolder folder;
  const std::string& here = folder.path();
  write_file(folder, "plain.sh", "#!/bin/sh\n");
  write_file(folder, "orphaned.sh", "#!/no/such/interpreter\n", 0755);
  write_file(folder, "text", "no program\n", 0755);
  const auto expect = [](const Command& command, LaunchErrorKind kind, const std::string& message,
                         const std::string& hint) {
    const LaunchError error = refused(command);
    CHECK(error.kind == kind);
    CHECK(error.message == message);
    CHECK(error.hint == hint);
  };
  using enum LaunchErrorKind;
  expect({.argv = {"no-such-tool"}, .environment = {{"PATH", "/bin"}}, .folder = here}, kNotFound,
         "command not found: no-such-tool", "no folder of PATH has it: /bin");
  expect({.argv = {"./none.sh"}, .environment = {}, .folder = here}, kNotFound, "command not found: ./none.sh",
         "it was looked for in " + here);
  expect({.argv = {"./plain.sh"}, .environment = {}, .folder = here}, kNotExecutable, "not executable: ./plain.sh",
         "chmod +x ./plain.sh");
  expect({.argv = {"plain.sh"}, .environment = {{"PATH", here}}, .folder = here}, kNotExecutable,
         "not executable: " + here + "/plain.sh", "chmod +x " + here + "/plain.sh");
  expect({.argv = {"./orphaned.sh"}, .environment = {}, .folder = here}, kNotFound,
         "the interpreter of ./orphaned.sh was not found", "check its first line (#!…)");
  expect({.argv = {"./text"}, .environment = {}, .folder = here}, kNotExecutable, "not a program: ./text",
         "a script begins with a line like #!/bin/sh");
  expect({.argv = {"/tmp"}, .environment = {}, .folder = here}, kNotExecutable, "a folder cannot be executed: /tmp",
         "");
  expect({.argv = {"true"}, .environment = {}, .folder = "/no/such"}, kBadFolder, "folder does not exist: /no/such",
         "");
  expect({.argv = {"true"}, .environment = {}, .folder = "/etc/passwd"}, kBadFolder, "not a folder: /etc/passwd", "");
  expect({.argv = {"true", std::string(4 << 20, 'x')}, .environment = {}, .folder = here}, kTooLarge,
         "the arguments and environment of true are too large", "hand large values over by stdin or a file");
  expect({.argv = {"true", std::string("a\0b", 3)}, .environment = {}, .folder = here}, kBadArgument,
         "argument 1 of true holds a NUL byte", "hand such values over by stdin or a file");
  expect({.argv = {"true"}, .environment = {{"A=B", "c"}}, .folder = here}, kBadArgument,
         "'A=B' cannot be the name of an environment variable", "");
  expect({.argv = {}, .environment = {}, .folder = here}, kBadArgument, "there is no command to start", "");
}

TEST_CASE("a command that could not start leaves neither a process nor descriptors") {
  const std::size_t before = open_descriptors();
  refused({.argv = {"./none"}, .environment = {}, .folder = "/"});
  CHECK(open_descriptors() == before);
  CHECK(::waitpid(-1, nullptr, WNOHANG) == -1);
  CHECK(errno == ECHILD);
}

TEST_CASE("a command dies when the process that started it is killed") {
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  const Fd read_end(ends[0]);
  const pid_t parent = ::fork();
  if (parent == 0) {
    SystemLauncher launcher;
    const auto child = launcher.launch(shell("echo ready; exec sleep 1000"));
    const pid_t pid = child && test::read_line(child->stdout_pipe) == "ready" ? child->pid : -1;
    [[maybe_unused]] const auto written = ::write(ends[1], &pid, sizeof pid);
    ::pause();
  }
  ::close(ends[1]);
  pid_t command = -1;
  REQUIRE(::read(read_end.get(), &command, sizeof command) == sizeof command);
  REQUIRE(command > 0);
  CHECK(group_alive(command));
  ::kill(parent, SIGKILL);
  ::waitpid(parent, nullptr, 0);
  CHECK(eventually([&] { return !group_alive(command); }));
}

TEST_CASE("a group lives as long as any member that is no zombie") {
  SystemLauncher launcher;
  auto child = launcher.launch(shell("trap '' TERM; sleep 1000 & echo ready; exit 0"));
  REQUIRE(child);
  CHECK(test::read_line(child->stdout_pipe) == "ready");
  test::wait_until_readable(child->pidfd);
  CHECK(has_exited(*child));
  CHECK(group_alive(child->pid));
  CHECK(reap(*child) == ExitStatus{false, 0});
  signal_group(child->pid, SIGTERM);
  CHECK(group_alive(child->pid));
  signal_group(child->pid, SIGKILL);
  CHECK(eventually([&] { return !group_alive(child->pid); }));
}

TEST_CASE("a dead leader that was not reaped is no living group") {
  SystemLauncher launcher;
  auto child = launcher.launch(shell("exit 0"));
  REQUIRE(child);
  test::wait_until_readable(child->pidfd);
  CHECK_FALSE(group_alive(child->pid));
  reap(*child);
  CHECK_FALSE(group_alive(child->pid));
  signal_group(child->pid, SIGTERM);  // no error
}

TEST_CASE("signals have their names") {
  CHECK(signal_name(SIGKILL) == "SIGKILL");
  CHECK(signal_name(SIGTERM) == "SIGTERM");
  CHECK(signal_name(SIGRTMIN + 2) == "SIGRTMIN+2");
  CHECK(signal_name(500) == "signal 500");
}

}  // namespace canorun::process
