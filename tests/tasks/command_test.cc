#include "tasks/command.h"

#include <doctest/doctest.h>
#include <sys/resource.h>

#include "engine/process/launcher.h"
#include "engine/process/orphans.h"
#include "tasks/fake_context.h"

namespace canorun::tasks {
namespace {

using test::Bench;

Json shell(std::string script, Json more = Json::object()) {
  more["script"] = std::move(script);
  return more;
}

std::size_t left_behind(const Bench& bench) { return process::find_orphans(bench.context.idempotency_key()).size(); }

std::unique_ptr<model::Task> script_with_grace(std::string script, Grace grace) {
  CommandSpec spec;
  spec.argv = {"/bin/sh", "-c", std::move(script)};
  return std::make_unique<CommandTask>(std::move(spec), grace);
}

long peak_memory_kib() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

}  // namespace

TEST_CASE("a command that succeeds gives its whole output") {
  Bench bench;
  CHECK(bench.output("shell", shell("echo out; echo err >&2")) == Json{{"exit_code", 0},
                                                                       {"stdout", "out"},
                                                                       {"stderr", "err"},
                                                                       {"truncated", false},
                                                                       {"values", Json::object()},
                                                                       {"duration_ms", 0}});
  CHECK(bench.context.out == "out\n");
  CHECK(bench.context.err == "err\n");
}

TEST_CASE("a command whose task fails right after its start is ended") {
  struct Broken final : Clock {
    WallTime now() const override { throw boost::system::system_error(boost::asio::error::fault); }
    SteadyTime steady() const override { throw boost::system::system_error(boost::asio::error::fault); }
  };
  const Broken broken;
  Bench bench;
  bench.context.given_clock = &broken;
  bench.start(*Bench::make("exec", {{"argv", {"sleep", "98765"}}}));
  bench.until([&] { return bench.ended; });
  CHECK(bench.thrown_ == boost::asio::error::fault);
  CHECK(left_behind(bench) == 0);
}

TEST_CASE("a script runs under sh -e unless a shell is given") {
  CHECK(Bench().error("shell", shell("false; echo not reached")).message == "exit code 1");
  CHECK(Bench().output("shell", shell("false; echo $0 reached", {{"shell", {"sh"}}})).at("stdout") == "sh reached");
}

TEST_CASE("exec gives arguments as they are, and env values are never code") {
  const std::string nasty = "a b'\"$(touch x)`id`;\n*";
  CHECK(Bench().output("exec", {{"argv", {"printf", "%s", nasty}}}).at("stdout") == nasty);
  Bench bench;
  const Json output = bench.output("shell", shell("printf %s \"${CANORUN_V1}\"", {{"env", {{"CANORUN_V1", nasty}}}}));
  CHECK(output.at("stdout") == nasty);
  CHECK_FALSE(std::filesystem::exists(bench.context.folder() + "/x"));
}

TEST_CASE("the environment is the process's, the flow's, the action's and canorun's own, in this order") {
  ::setenv("CANORUN_TEST_A", "process", 1);
  ::setenv("CANORUN_TEST_B", "process", 1);
  Bench bench;
  bench.context.environment_ = {{"CANORUN_TEST_B", "flow"}, {"CANORUN_TEST_C", "flow"}, {"CANORUN_TEST_D", "flow"}};
  const std::string script =
      "echo $CANORUN_TEST_A $CANORUN_TEST_B $CANORUN_TEST_C $CANORUN_TEST_D\n"
      "echo $CANORUN_RUN_ID $CANORUN_FLOW $CANORUN_STATE $CANORUN_VISIT $CANORUN_ATTEMPT\n"
      "echo $CANORUN_IDEMPOTENCY_KEY\n";
  const Json env = {{"CANORUN_TEST_C", "action"}, {"CANORUN_TEST_D", ""}, {"CANORUN_RUN_ID", "forged"}};
  CHECK(bench.output("shell", shell(script, {{"env", env}})).at("stdout") ==
        "process flow action\norder-1 order reserve 2 3\n" + bench.context.idempotency_key());
}

TEST_CASE("a command runs in the flow's folder, or where cwd says") {
  Bench bench;
  std::filesystem::create_directory(bench.context.folder() + "/sub");
  CHECK(bench.output("shell", shell("pwd")).at("stdout") == bench.context.folder());
  CHECK(Bench().output("shell", shell("pwd", {{"cwd", "/usr"}})).at("stdout") == "/usr");
  Bench other;
  std::filesystem::create_directory(other.context.folder() + "/sub");
  CHECK(other.output("shell", shell("pwd", {{"cwd", "sub"}})).at("stdout") == other.context.folder() + "/sub");
}

TEST_CASE("what keeps a command from starting is the task's failure, with what to do") {
  const auto error = Bench().error("exec", {{"argv", {"no-such-tool"}}, {"env", {{"PATH", "/bin"}}}});
  CHECK(error.kind == "task");
  CHECK(error.message == "command not found: no-such-tool (no folder of PATH has it: /bin)");
  CHECK(Bench().error("exec", {{"argv", {"true"}}, {"cwd", "/no/such"}}).message == "folder does not exist: /no/such");
}

TEST_CASE("stdin is empty unless given, and given as text or as JSON") {
  CHECK(Bench().output("shell", shell("cat")).at("stdout") == "");
  CHECK(Bench().output("shell", shell("cat", {{"stdin", "a\nb"}})).at("stdout") == "a\nb");
  CHECK(Bench().output("shell", shell("cat", {{"stdin", {{"a", {1, 2}}}}})).at("stdout") == R"({"a":[1,2]})");
  CHECK(Bench().output("shell", shell("cat", {{"stdin", nullptr}})).at("stdout") == "");
}

TEST_CASE("a stdin larger than a pipe arrives whole, also while the command writes") {
  std::string text;
  for (int i = 0; i < 40'000; ++i) text += fmt::format("line {}\n", i);
  Json output = Bench().output("shell", shell("tee /dev/stderr", {{"stdin", text}}));
  text.pop_back();
  CHECK((output.at("stdout") == text));
  CHECK((output.at("stderr") == text));
}

TEST_CASE("a command that does not read its stdin is no error") {
  CHECK(Bench().output("shell", shell("head -c 3", {{"stdin", std::string(1 << 20, 'x')}})).at("stdout") == "xxx");
  // It lives on after it has closed its end.
  const auto error =
      Bench().error("shell", shell("exec <&-; sleep 0.1; exit 3", {{"stdin", std::string(1 << 20, 'x')}}));
  CHECK(error.exit_code == 3);
}

TEST_CASE("stdout is parsed as asked") {
  CHECK(Bench().output("shell", shell("echo '{\"a\": [1, 2.5]}'", {{"parse", "json"}})).at("json") ==
        Json{{"a", {1, 2.5}}});
  const auto lines = [](const char* script) {
    return Bench().output("shell", shell(script, {{"parse", "lines"}})).at("lines");
  };
  CHECK(lines("printf 'a\\n\\nb c\\n\\n'") == Json{"a", "", "b c", ""});
  CHECK(lines("printf 'a\\nb'") == Json{"a", "b"});
  CHECK(lines("true") == Json::array());
  const Json plain = Bench().output("shell", shell("echo 1"));
  CHECK_FALSE(plain.contains("json"));
  CHECK_FALSE(plain.contains("lines"));
}

TEST_CASE("stdout that cannot be parsed is the task's failure, and says why") {
  auto error = Bench().error("shell", shell("echo hello; echo why >&2", {{"parse", "json"}}));
  CHECK(error.kind == "task");
  CHECK(error.message.starts_with("stdout: not JSON: "));
  CHECK(error.stderr_tail == "why");
  error = Bench().error("shell", shell("echo '[1, 2, 3]'", {{"parse", "json"}, {"capture", "4B"}}));
  CHECK(error.message == "stdout is larger than 4 B and cannot be parsed (raise `capture`)");
  CHECK(Bench().error("shell", shell("printf 'a\\nb\\n'", {{"parse", "lines"}, {"capture", 2}})).kind == "task");
}

TEST_CASE("capture bounds what is kept of each stream, not what is logged") {
  Bench bench;
  const Json output = bench.output("shell", shell("printf 12345; printf abc >&2", {{"capture", 3}}));
  CHECK(output.at("stdout") == "123");
  CHECK(output.at("stderr") == "abc");
  CHECK(output.at("truncated") == true);
  CHECK(bench.context.out == "12345");
}

TEST_CASE("exit codes are failures unless they are said to be right") {
  auto error = Bench().error("shell", shell("echo no >&2; exit 3"));
  CHECK(error.kind == "exit");
  CHECK(error.message == "exit code 3");
  CHECK(error.exit_code == 3);
  CHECK(error.stderr_tail == "no");
  CHECK(Bench().output("shell", shell("exit 3", {{"ok_exit_codes", {0, 3}}})).at("exit_code") == 3);
  CHECK(Bench().error("shell", shell("exit 0", {{"ok_exit_codes", {1}}})).exit_code == 0);
  CHECK(Bench::make("shell", shell("true", {{"ok_exit_codes", {256}}})).error().message ==
        "no command ends with exit code 256");
}

TEST_CASE("a command that was killed fails with the signal") {
  const auto error = Bench().error("shell", shell("kill -KILL $$"));
  CHECK(error.kind == "signal");
  CHECK(error.message == "killed by SIGKILL");
  CHECK_FALSE(error.exit_code);
}

TEST_CASE("the end of stderr is kept although capture is small") {
  const auto error = Bench().error("shell", shell("seq 1000 >&2; exit 1", {{"capture", 10}}));
  CHECK(error.stderr_tail.starts_with("981\n"));
  CHECK(error.stderr_tail.ends_with("\n1000"));
}

TEST_CASE("values written to CANORUN_OUTPUT come back beside the chatter") {
  const auto values = [](const char* script) { return Bench().output("shell", shell(script)).at("values"); };
  CHECK(values("echo chatter; echo id=7 >> $CANORUN_OUTPUT; echo name=a b >> $CANORUN_OUTPUT") ==
        Json{{"id", "7"}, {"name", "a b"}});
  CHECK(values("echo '{\"id\": 7}' > $CANORUN_OUTPUT") == Json{{"id", 7}});
  const auto error = Bench().error("shell", shell("echo chatter > $CANORUN_OUTPUT"));
  CHECK(error.kind == "task");
  CHECK(error.message.starts_with("CANORUN_OUTPUT line 1 is no key=value: chatter ("));
}

TEST_CASE("a gigabyte of output runs through in bounded memory") {
  Bench bench;
  const long before = peak_memory_kib();
  const Json output = bench.output("shell", shell("head -c 1G /dev/zero"));
  CHECK(output.at("truncated") == true);
  CHECK(output.at("stdout").get_ref<const std::string&>().size() == 1 << 20);
  CHECK(bench.context.logged == 1ULL << 30);
  CHECK(peak_memory_kib() - before < 64 << 10);
}

TEST_CASE("a command that closes its pipes and lives on is waited for") {
  const auto error = Bench().error("shell", shell("exec >&- 2>&-; sleep 0.1; exit 7"));
  CHECK(error.exit_code == 7);
}

TEST_CASE("what a command leaves in its group is ended, if need be killed") {
  Bench bench;
  auto outcome =
      bench.run(script_with_grace("sh -c 'trap \"\" TERM; echo ready > mark; while :; do sleep 1000; done' &\n"
                                  "while [ ! -s mark ]; do :; done; exit 0",
                                  {.term = Millis(50), .drain = Millis(1000)}));
  CHECK(std::holds_alternative<model::Success>(outcome));
  CHECK(left_behind(bench) == 0);
}

TEST_CASE("what a command leaves in its group is ended although it holds no pipe") {
  Bench bench;
  bench.output("shell", shell("sh -c 'exec > /dev/null 2>&1; echo > mark; exec sleep 1000' &\n"
                              "while [ ! -e mark ]; do :; done"));
  CHECK(left_behind(bench) == 0);
}

TEST_CASE("who left the group and holds the pipes is not waited for longer than the grace") {
  Bench bench;
  const auto began = std::chrono::steady_clock::now();
  auto outcome =
      bench.run(script_with_grace("setsid sh -c 'echo ready > mark; exec sleep 1000' &\n"
                                  "while [ ! -s mark ]; do :; done; echo end",
                                  {.term = Millis(50), .drain = Millis(50)}));
  REQUIRE(std::holds_alternative<model::Success>(outcome));
  CHECK(std::get<model::Success>(outcome).output.at("stdout") == "end");
  CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(20));
  const auto escaped = process::find_orphans(bench.context.idempotency_key());
  CHECK(escaped.size() == 1);
  for (const auto& orphan : escaped) process::signal_orphan(orphan, SIGKILL);
}

TEST_CASE("a cancelled command gets TERM and may still say something") {
  Bench bench;
  bench.start(script_with_grace("trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.01; done", {}));
  bench.until([&] { return bench.context.out == "ready\n"; });
  CHECK(bench.cancel() == boost::asio::error::operation_aborted);
  CHECK(bench.context.out == "ready\nbye\n");
  CHECK(left_behind(bench) == 0);
}

TEST_CASE("a cancelled command that ignores TERM is killed with all of its group") {
  Bench bench;
  bench.start(
      script_with_grace("trap '' TERM; sh -c 'while :; do sleep 1000; done' &\n"
                        "echo ready; while :; do sleep 1000; done",
                        {.term = Millis(50), .drain = Millis(1000)}));
  bench.until([&] { return bench.context.out == "ready\n"; });
  CHECK(bench.cancel() == boost::asio::error::operation_aborted);
  CHECK(left_behind(bench) == 0);
}

TEST_CASE("a cancelled command that is stopped ends all the same") {
  Bench bench;
  bench.start(script_with_grace("trap 'exit 0' TERM; echo ready; kill -STOP $$", {.term = std::chrono::minutes(1)}));
  bench.until([&] { return bench.context.out == "ready\n"; });
  CHECK(bench.cancel() == boost::asio::error::operation_aborted);
  CHECK(left_behind(bench) == 0);
}

TEST_CASE("after a cancellation whoever caught it can wait again, and be cancelled again") {
  Bench bench;
  auto task = script_with_grace("echo ready; exec sleep 1000", {});
  boost::asio::cancellation_signal cancel;
  int caught = 0;
  const auto twice = [&]() -> boost::asio::awaitable<void> {
    for (int i = 0; i < 2; ++i) {
      try {
        co_await task->run(bench.context);
      } catch (const boost::system::system_error&) {
        ++caught;
      }
    }
  };
  bool ended = false;
  const auto done = [&](std::exception_ptr thrown) {
    CHECK_FALSE(thrown);
    ended = true;
  };
  boost::asio::co_spawn(bench.io, twice(), boost::asio::bind_cancellation_slot(cancel.slot(), done));
  bench.until([&] { return bench.context.out == "ready\n"; });
  cancel.emit(boost::asio::cancellation_type::terminal);
  bench.until([&] { return bench.context.out == "ready\nready\n"; });
  cancel.emit(boost::asio::cancellation_type::terminal);
  bench.until([&] { return ended; });
  CHECK(caught == 2);
  CHECK(left_behind(bench) == 0);
}

TEST_CASE("a loop that goes away takes its commands along") {
  auto bench = std::make_unique<Bench>();
  const std::string key = bench->context.idempotency_key();
  bench->start(script_with_grace("trap '' TERM; echo ready; while :; do sleep 1000; done", {}));
  bench->until([&] { return bench->context.out == "ready\n"; });
  CHECK_FALSE(process::find_orphans(key).empty());
  bench.reset();
  // All were killed; the last of them may still be dying.
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!process::find_orphans(key).empty()) REQUIRE(std::chrono::steady_clock::now() < end);
}

TEST_CASE("many commands at once leave no descriptors behind") {
  const auto descriptors = [] {
    const std::filesystem::directory_iterator entries("/proc/self/fd");
    return std::distance(begin(entries), end(entries));
  };
  Bench bench;
  bench.output("shell", shell("true"));
  const auto before = descriptors();
  int ended = 0;
  std::vector<std::unique_ptr<model::Task>> tasks;
  for (int i = 0; i < 50; ++i) {
    tasks.push_back(script_with_grace("cat; echo x", {}));
    const auto done = [&](std::exception_ptr thrown, const model::Outcome& outcome) {
      if (!thrown && std::holds_alternative<model::Success>(outcome)) ++ended;
    };
    boost::asio::co_spawn(bench.io, tasks.back()->run(bench.context), done);
  }
  bench.io.run();
  CHECK(ended == 50);
  CHECK(descriptors() == before);
}

}  // namespace canorun::tasks
