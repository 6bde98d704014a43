// canorun at a terminal, behind pipes, under nohup and under cron: what its surroundings do to it.
#include "terminal.h"

using namespace canorun;
using namespace canorun::test;

namespace {

// Says `one`, waits for a file `go`, says `two`.
const char* const kWaiting = R"yaml(
name: waiting
states:
  work: {run: 'echo one; touch started; while [ ! -e go ]; do sleep 0.02; done; echo two', next: done}
  done: {exit: success}
)yaml";

const char* const kShort = R"yaml(
name: short
states:
  work: {run: 'echo chatter', next: done}
  done: {exit: success}
)yaml";

// The lines that stand on the terminal in the end; of its sequences, those that canorun uses.
std::vector<std::string> screen(const std::string& text) {
  std::vector<std::string> lines{""};
  std::size_t row = 0;
  std::size_t column = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\r') {
      column = 0;
    } else if (text[at] == '\n') {
      if (++row == lines.size()) lines.emplace_back();
    } else if (text.compare(at, 2, "\x1b[") == 0) {
      const std::size_t end = text.find_first_of("AKm", at);
      REQUIRE(end != std::string::npos);
      const std::string sequence = text.substr(at + 2, end - at - 1);
      if (sequence == "1A" && row > 0) --row;
      if (sequence == "2K") lines[row].clear();
      at = end;
    } else {
      if (lines[row].size() < column) lines[row].resize(column, ' ');
      lines[row].replace(column, column < lines[row].size() ? 1 : 0, 1, text[at]);
      ++column;
    }
  }
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  return lines;
}

// The script, run by a shell in the world, with CANORUN as the program's path.
Start script(const World& world, const std::string& text) {
  Start start = world.command({});
  start.argv = {"/bin/sh", "-c", text};
  start.env["CANORUN"] = CANORUN_BINARY;
  return start;
}

bool started(const World& world) {
  return eventually([&] { return std::filesystem::exists(world.folder() + "/started"); });
}

}  // namespace

TEST_CASE("Ctrl-C at a terminal cancels the run, and the live view is erased") {
  const World world;
  world.file("flow.yaml", kWaiting);
  Terminal terminal(world.command({"run", "flow.yaml", "--id", "r1"}, {{"NO_COLOR", "1"}}));
  REQUIRE(started(world));
  REQUIRE(terminal.shows("ms\r\n\x1b[1A\x1b[2K"));  // the live view was drawn, and drawn again
  terminal.type("\x03");
  CHECK(terminal.wait() == 5);
  const auto lines = screen(terminal.text());
  REQUIRE(lines.size() == 6);
  CHECK(lines[0] == "▶ r1 started flow waiting");
  CHECK(lines[1] == "! r1 cancelling: SIGINT; a second one leaves at once");
  CHECK(lines[2].starts_with("r1 cancelled in "));
  CHECK(lines[3] == "cancelled: interrupted (SIGINT)");
  CHECK(lines[4] == "  where: state work");
  CHECK(lines[5] == "  rolled back: nothing, as nothing was owed");
  CHECK(world.json({"show", "r1"})["status"] == "cancelled");
}

TEST_CASE("a run that ends at a terminal leaves its lines and no live view") {
  const World world;
  world.file("flow.yaml", kWaiting);
  Terminal terminal(world.command({"run", "flow.yaml", "--id", "r1"}));
  REQUIRE(terminal.shows("\x1b[1A\x1b[2K"));
  world.file("go", "");
  CHECK(terminal.wait() == 0);
  const auto lines = screen(terminal.text());
  REQUIRE(lines.size() == 3);
  CHECK(lines[0] == "▶ r1 started flow waiting");
  CHECK(lines[1].starts_with("✓ work "));
  CHECK(lines[2].starts_with("r1 succeeded in "));
  CHECK(terminal.text().find("\x1b[1m") != std::string::npos);
}

TEST_CASE("a terminal that goes away suspends the run") {
  const World world;
  world.file("flow.yaml", kWaiting);
  Terminal terminal(world.command({"run", "flow.yaml", "--id", "r1"}));
  REQUIRE(started(world));
  terminal.hang_up();
  CHECK(terminal.wait() == 75);
  CHECK(world.json({"show", "r1"})["status"] == "suspended");
  world.file("go", "");
  CHECK(world.canorun({"resume", "r1"}).code == 0);
}

TEST_CASE("SIGHUP suspends a run, and under nohup does nothing") {
  const World world;
  world.file("flow.yaml", kWaiting);
  {
    Program run(world.command({"run", "flow.yaml", "--id", "r1"}));
    REQUIRE(started(world));
    run.signal(SIGHUP);
    CHECK(run.wait().code == 75);
    CHECK(world.json({"show", "r1"})["status"] == "suspended");
  }
  std::filesystem::remove(world.folder() + "/started");
  Program run(script(world, "exec nohup \"$CANORUN\" run flow.yaml --id r2"));
  REQUIRE(started(world));
  run.signal(SIGHUP);
  world.file("go", "");
  CHECK(run.wait().code == 0);
  CHECK(world.json({"show", "r2"})["status"] == "succeeded");
}

TEST_CASE("a reader that leaves early is no error") {
  const World world;
  world.file("flow.yaml", kShort);
  REQUIRE(world.canorun({"run", "flow.yaml", "--id", "r1"}).code == 0);
  // The reader is gone before anything is written; the exit code comes through a file.
  for (const char* words :
       {"list --json", "list", "show r1", "events r1 --json", "logs r1", "kinds", "--help", "run flow.yaml"}) {
    CAPTURE(words);
    std::filesystem::remove(world.folder() + "/code");
    const Ran ran = run_program(script(world, std::string("{ while [ ! -e gone ]; do :; done; \"$CANORUN\" ") + words +
                                                  "; echo $? > code; } | { exec <&-; touch gone; }"));
    CHECK(read_file(world.folder() + "/code") == "0\n");
    CHECK(ran.err.find("error") == std::string::npos);
  }
  const Ran first = run_program(script(world, "\"$CANORUN\" list --json | head -1"));
  CHECK(parse_json(first.out)->size() == 2);
  CHECK(first.err == "");
}

TEST_CASE("closed standard files harm neither the run nor the store") {
  const World world;
  world.file("flow.yaml", kShort);
  const Ran closed = run_program(script(world, "\"$CANORUN\" run flow.yaml --id r1 --json >&-"));
  CHECK(closed.code == 0);
  CHECK(closed.out == "");
  CHECK(run_program(script(world, "\"$CANORUN\" run flow.yaml --id r2 <&- >&- 2>&-")).code == 0);
  CHECK(run_program(script(world, "\"$CANORUN\" list >&- 2>&-")).code == 0);
  for (const char* id : {"r1", "r2"}) {
    CHECK(world.json({"show", id})["states"]["work"]["output"]["stdout"] == "chatter");
  }
}

TEST_CASE("a stdout that cannot be written is told") {
  const World world;
  world.file("flow.yaml", kShort);
  const Ran run = run_program(script(world, "\"$CANORUN\" run flow.yaml --id r1 --json > /dev/full"));
  CHECK(run.code == 1);
  CHECK(run.err.ends_with("error: cannot write to stdout: No space left on device\n"));
  CHECK(world.json({"show", "r1"})["status"] == "succeeded");
}

TEST_CASE("events --follow and logs --follow tell what comes, until the run has ended") {
  const World world;
  world.file("flow.yaml", kWaiting);
  Program run(world.command({"run", "flow.yaml", "--id", "r1"}));
  REQUIRE(started(world));
  Program events(world.command({"events", "r1", "--follow", "--json"}));
  Program logs(world.command({"logs", "r1", "--follow"}));
  REQUIRE(eventually([&] { return events.out().find("state_entered") != std::string::npos; }));
  REQUIRE(eventually([&] { return logs.out().find("one\n") != std::string::npos; }));
  CHECK(events.running());
  CHECK(logs.running());
  CHECK(logs.out() == "==> work, visit 1, attempt 1 <==\none\n");
  world.file("go", "");
  CHECK(run.wait().code == 0);
  const Ran told = events.wait();
  CHECK(told.code == 0);
  CHECK(told.out == world.canorun({"events", "r1", "--json"}).out);
  CHECK(told.out.find("run_ended") != std::string::npos);
  const Ran read = logs.wait();
  CHECK(read.code == 0);
  CHECK(read.out == "==> work, visit 1, attempt 1 <==\none\ntwo\n");
}

TEST_CASE("a follower sees the end of a run whose process is killed") {
  const World world;
  world.file("flow.yaml", kWaiting);
  Program run(world.command({"run", "flow.yaml", "--id", "r1"}));
  REQUIRE(started(world));
  Program events(world.command({"events", "r1", "--follow"}));
  REQUIRE(eventually([&] { return events.out().find("state_entered") != std::string::npos; }));
  run.signal(SIGKILL);
  CHECK(run.wait().signal == SIGKILL);
  CHECK(events.wait().code == 0);
  CHECK(world.json({"cancel", "r1"})["status"] == "cancelled");
}

TEST_CASE("a line of a crontab runs with next to no environment, and keeps its runs under HOME") {
  const World world;
  world.file("flow.yaml", R"yaml(
name: nightly
inputs: {day: string}
states:
  work: {run: 'printf "%s %s\n" "$PWD" "$PATH" > seen; cat; echo done', next: end}
  end: {exit: success, output: "${{ inputs.day }}"}
)yaml");
  const std::string home = world.folder() + "/home";
  std::filesystem::create_directory(home);
  const auto cron = [&](const std::string& line) {
    return run_program({{"/usr/bin/env", "-i", "HOME=" + home, "LOGNAME=someone", "SHELL=/bin/sh", "PATH=/usr/bin:/bin",
                         "/bin/sh", "-c", line},
                        {},
                        home});
  };
  const std::string canorun = CANORUN_BINARY;
  const Ran ran = cron(canorun + " run " + world.folder() +
                       "/flow.yaml -i day=\"$(date +mon)\" --id nightly --or-resume >> night.log 2>&1");
  CHECK(ran.code == 0);
  CHECK(ran.out + ran.err == "");
  CHECK(read_file(world.folder() + "/seen") == world.folder() + " /usr/bin:/bin\n");
  const std::string log = read_file(home + "/night.log");
  CHECK(log.starts_with("nightly: started flow nightly\nwork: started\nwork: ok in "));
  CHECK(log.ends_with("\nmon\n"));
  CHECK(log.find('\x1b') == std::string::npos);
  const std::string store = home + "/.local/state/canorun";
  CHECK((std::filesystem::status(store).permissions() & std::filesystem::perms::mask) ==
        std::filesystem::perms::owner_all);
  CHECK(parse_json(cron(canorun + " show nightly --json").out)->at("status") == "succeeded");
  CHECK(cron(canorun + " list --quiet --status failed").out == "");
  CHECK(!std::filesystem::exists(world.store()));
}
