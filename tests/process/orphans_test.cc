#include "engine/process/orphans.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <signal.h>

#include "engine/process/launcher.h"
#include "process/commands.h"

namespace canorun::process {
namespace {

using test::eventually;

Child launch_marked(const std::string& token, const std::string& script) {
  Command command = test::shell(script);
  command.environment.emplace_back(kTokenVariable, token);
  SystemLauncher launcher;
  auto child = launcher.launch(command);
  REQUIRE(child);
  REQUIRE(test::read_line(child->stdout_pipe) == "ready");
  return std::move(*child);
}

std::string fresh_token(const char* name) { return fmt::format("token-{}-{}", ::getpid(), name); }

}  // namespace

TEST_CASE("every process with the token is found, also one that left its session") {
  const std::string token = fresh_token("all");
  const Child child = launch_marked(token, "setsid sh -c 'echo ready; exec sleep 1000' & exec sleep 1000");
  // The leader may still be about to become sleep: two are found all the same.
  REQUIRE(eventually([&] { return find_orphans(token).size() == 2; }));
  for (const Orphan& orphan : find_orphans(token)) signal_orphan(orphan, SIGKILL);
  CHECK(eventually([&] { return find_orphans(token).empty(); }));
  reap(child);
}

TEST_CASE("a process with another token, or one that only contains it, is left alone") {
  const std::string token = fresh_token("exact");
  const Child longer = launch_marked(token + "x", "echo ready; exec sleep 1000");
  const Child inside = launch_marked("CANORUN_IDEMPOTENCY_KEY=" + token, "echo ready; exec sleep 1000");
  CHECK(find_orphans(token).empty());
  CHECK(find_orphans(token + "x").size() == 1);
  for (const Child* child : {&longer, &inside}) {
    signal_group(child->pid, SIGKILL);
    reap(*child);
  }
}

TEST_CASE("a zombie and this process itself are no orphans") {
  const std::string token = fresh_token("zombie");
  const Child child = launch_marked(token, "echo ready; exit 0");
  test::wait_until_readable(child.pidfd);
  CHECK(find_orphans(token).empty());
  reap(child);
}

TEST_CASE("a signal to an orphan that is gone is no error and reaches nobody") {
  const std::string token = fresh_token("gone");
  const Child child = launch_marked(token, "echo ready; exec sleep 1000");
  const auto found = find_orphans(token);
  REQUIRE(found.size() == 1);
  CHECK(found[0].pid == child.pid);
  signal_orphan(found[0], SIGKILL);
  CHECK(reap(child) == ExitStatus{true, SIGKILL});
  signal_orphan(found[0], SIGKILL);
  CHECK(find_orphans(token).empty());
}

TEST_CASE("an environment of a mebibyte is searched to its end") {
  const std::string token = fresh_token("large");
  Command command = test::shell("echo ready; exec sleep 1000");
  for (int i = 0; i < 16; ++i) command.environment.emplace_back(fmt::format("FILLER{}", i), std::string(64 << 10, 'x'));
  command.environment.emplace_back(kTokenVariable, token);
  SystemLauncher launcher;
  auto child = launcher.launch(command);
  REQUIRE(child);
  REQUIRE(test::read_line(child->stdout_pipe) == "ready");
  // Loaded, the shell may take long to become sleep, with all that it hands over.
  CHECK(eventually([&] { return find_orphans(token).size() == 1; }));
  signal_group(child->pid, SIGKILL);
  reap(*child);
}

TEST_CASE("one look finds the tokens of all processes") {
  const std::string one = fresh_token("one");
  const std::string two = fresh_token("two");
  const Child first = launch_marked(one, "echo ready; exec sleep 1000");
  const Child second = launch_marked(two, "echo ready; exec sleep 1000");
  const auto tokens = find_tokens();
  CHECK(tokens.contains(one));
  CHECK(tokens.contains(two));
  CHECK(!tokens.contains(one.substr(1)));
  for (const Child* child : {&first, &second}) {
    signal_group(child->pid, SIGKILL);
    reap(*child);
  }
  CHECK(!find_tokens().contains(one));
}

}  // namespace canorun::process
