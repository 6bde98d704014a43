#include "tasks/command_lines.h"

#include "engine/base/line_buffer.h"
#include "engine/process/orphans.h"
#include "tasks/fake_context.h"

namespace canorun::tasks {
namespace {

using test::Bench;

// A source on a loop of its own, and what it gave.
struct Lines {
  explicit Lines(std::string script, Grace grace = {}) {
    CommandSpec spec;
    spec.argv = {"/bin/sh", "-c", std::move(script)};
    source = std::make_unique<CommandLines>(std::move(spec), grace);
    const auto failed = source->start(bench.context, [this] { ++rung; });
    REQUIRE_MESSAGE(!failed, (failed ? failed->error.message : ""));
  }
  // The next line, or none with `outcome` set.
  std::optional<std::string> next() {
    std::optional<std::string> line;
    bench.until([&] {
      model::NextLine next = source->next();
      if (auto* given = std::get_if<model::Line>(&next)) line = std::move(given->bytes);
      if (auto* ended = std::get_if<model::Outcome>(&next)) outcome = std::move(*ended);
      return line || outcome;
    });
    return line;
  }
  std::vector<std::string> all() {
    std::vector<std::string> lines;
    while (auto line = next()) lines.push_back(std::move(*line));
    return lines;
  }
  model::RunError error() {
    REQUIRE(outcome);
    REQUIRE(std::holds_alternative<model::Failure>(*outcome));
    return std::get<model::Failure>(*outcome).error;
  }
  void end() {
    bool ended = false;
    boost::asio::co_spawn(bench.io, source->end(), [&](const std::exception_ptr& thrown) { ended = !thrown; });
    bench.until([&] { return ended; });
  }
  std::size_t left_behind() const { return process::find_orphans(bench.context.idempotency_key()).size(); }

  Bench bench;
  int rung = 0;
  std::unique_ptr<CommandLines> source;
  std::optional<model::Outcome> outcome;
};

}  // namespace

TEST_CASE("lines come as they are printed, the last one without its end, too") {
  Lines lines("printf 'a\\n\\nb\\r\\nc'; echo err >&2");
  CHECK(lines.all() == std::vector<std::string>{"a", "", "b\r", "c"});
  CHECK(std::holds_alternative<model::Success>(*lines.outcome));
  CHECK(lines.bench.context.err == "err\n");
  CHECK(lines.bench.context.out.empty());
}

TEST_CASE("a source that dies gives its exit code and the end of its stderr, and no half line") {
  Lines lines("printf 'a\\nhalf'; echo why >&2; exit 3");
  CHECK(lines.all() == std::vector<std::string>{"a"});
  CHECK(lines.error().kind == "exit");
  CHECK(lines.error().message == "exit code 3");
  CHECK(lines.error().exit_code == 3);
  CHECK(lines.error().stderr_tail == "why");
}

TEST_CASE("a source that a signal kills is told by its name") {
  Lines lines("echo a; kill -9 $$");
  CHECK(lines.all() == std::vector<std::string>{"a"});
  CHECK(lines.error().message == "killed by SIGKILL");
}

TEST_CASE("a line of 1 MiB is taken, and a longer one is an error") {
  Lines good("head -c 1048576 /dev/zero | tr '\\0' a; echo; echo b");
  CHECK(good.next()->size() == LineBuffer::kLongest);
  CHECK(good.next() == "b");
  Lines bad("echo a; head -c 1048577 /dev/zero | tr '\\0' a; echo");
  CHECK(bad.all() == std::vector<std::string>{"a"});
  CHECK(bad.error().message == "line 2 of the source is longer than 1.0 MiB");
  bad.end();
  CHECK(bad.left_behind() == 0);
}

TEST_CASE("what nobody asks for is not read: the command waits") {
  // More than a pipe holds, and one read brings.
  Lines lines("head -c 1000000 /dev/zero | tr '\\0' '\\n'; touch written");
  CHECK(lines.next() == "");
  const std::string written = lines.bench.context.folder() + "/written";
  int looks = 0;
  lines.bench.until([&] { return ++looks > 20; });
  CHECK_FALSE(std::filesystem::exists(written));
  CHECK(lines.all().size() == 999'999);
  CHECK(std::filesystem::exists(written));
}

TEST_CASE("a source that is ended gets a TERM, and a KILL when it does not go") {
  Lines polite("trap 'echo bye >&2; exit' TERM; echo a; while :; do sleep 98701 & wait; done");
  CHECK(polite.next() == "a");
  polite.end();
  CHECK(polite.bench.context.err == "bye\n");
  CHECK(polite.left_behind() == 0);
  Lines stubborn("trap '' TERM; echo a; while :; do sleep 98702; done", {.term = Millis{50}, .drain = Millis{50}});
  CHECK(stubborn.next() == "a");
  stubborn.end();
  CHECK(stubborn.left_behind() == 0);
}

TEST_CASE("a source that is ended right after its start, or let go of, leaves nothing behind") {
  Lines ended("sleep 98703");
  ended.end();
  CHECK(ended.left_behind() == 0);
  Lines let_go("sleep 98704");
  let_go.source.reset();
  let_go.bench.until([&] { return let_go.left_behind() == 0; });
}

TEST_CASE("who holds the pipe open when the leader has ended is not waited for") {
  Lines lines("setsid sh -c 'echo b; exec sleep 98705' & sleep 0.2; echo a",
              {.term = Millis{5000}, .drain = Millis{100}});
  CHECK(lines.all() == std::vector<std::string>{"b", "a"});
  CHECK(std::holds_alternative<model::Success>(*lines.outcome));
  for (const auto& orphan : process::find_orphans(lines.bench.context.idempotency_key())) {
    process::signal_orphan(orphan, SIGKILL);
  }
}

TEST_CASE("a command that cannot be started is its failure") {
  CommandSpec spec;
  spec.argv = {"no-such-program"};
  Bench bench;
  CommandLines source(spec);
  const auto failed = source.start(bench.context, [] {});
  REQUIRE(failed);
  CHECK(failed->error.message.starts_with("command not found: no-such-program"));
}

}  // namespace canorun::tasks
