// Rolling back in real processes: what cannot be undone yet, at a person's word, and when the run is stopped.
#include "terminal.h"

using namespace canorun;
using namespace canorun::test;

namespace {

// Every step leaves a line, and so does what undoes it.
const std::string kOrder = R"yaml(
name: order
states:
  reserve: {run: 'echo "+ reserve" >> trace', compensate: {run: 'echo "- reserve" >> trace'}, next: charge}
  charge:
    run: 'echo "+ charge" >> trace'
    compensate: {run: 'echo tried >> tries; test -e open || { echo shut >&2; exit 1; }; echo "- charge" >> trace'}
    next: ship
  ship: {run: END, next: done}
  done: {exit: failure}
on_end: [{run: 'echo "$S" >> ended', env: {S: "${{ run.status }}"}}]
)yaml";

const std::string kDone = "+ reserve\n+ charge\n";
const std::string kUndone = "- charge\n- reserve\n";

struct Order : World {
  Order() { file("open", ""); }
  std::string flow(const std::string& end) const { return file("flow.yaml", replaced(kOrder, "END", end)); }
  std::string trace() const { return read_file(folder() + "/trace"); }
  std::string ended() const { return read_file(folder() + "/ended"); }
  std::string status() const { return json({"show", "r1"})["status"]; }
  bool appears(const std::string& name) const {
    return eventually([&] { return exists(folder() + "/" + name); });
  }
  void remove(const std::string& name) const { std::filesystem::remove(folder() + "/" + name); }
  // What is kept of the run.
  std::string kept() const { return canorun({"events", "r1", "--json"}).out; }
};

// Compensations as `charge done, reserve pending`.
std::string compensations(const World& world) {
  std::string text;
  const Json run = world.json({"show", "r1"});
  for (const Json& one : run["compensations"]) {
    text += (text.empty() ? "" : ", ") + one["state"].get<std::string>() + " " + one["status"].get<std::string>();
  }
  return text;
}

// Waits for `go`, and is undone while `hold` is not there; then something that does not end.
const std::string kStops = R"yaml(
name: stops
states:
  a: {run: 'echo "+ a" >> trace', compensate: {run: 'echo "- a" >> trace'}, next: b}
  b:
    run: 'touch started; while [ ! -e go ]; do sleep 0.02; done; echo "+ b" >> trace'
    compensate: {run: 'touch undoing; while [ -e hold ]; do sleep 0.02; done; echo "- b" >> trace'}
    next: c
  c: {run: 'touch third; END', next: done}
  done: {exit: success}
on_end: [{run: 'echo "$S" >> ended', env: {S: "${{ run.status }}"}}]
)yaml";
const std::string kNeverEnds = "exec sleep 98123";

struct Stops : Order {
  std::string flow(const std::string& end = kNeverEnds) const {
    return file("flow.yaml", replaced(kStops, "END", end));
  }
  const std::string undone = "+ a\n+ b\n- b\n- a\n";
};

}  // namespace

TEST_CASE("what cannot be undone yet is told, and resume undoes it, and nothing else") {
  const Order world;
  world.remove("open");
  const Ran ran = world.canorun({"run", world.flow("exit 3"), "--id", "r1"});
  CHECK(ran.code == 4);
  const std::string report =
      "error: exit code 3\n"
      "  where: state ship, attempt 1, exit code 3\n"
      "  rolled back:\n"
      "    reserve\n"
      "  NOT rolled back:\n"
      "    charge: exit code 1\n"
      "      the last it wrote to stderr:\n"
      "        | shut\n"
      "next:\n";
  CHECK_MESSAGE(ran.err.find(report) != std::string::npos, ran.err);
  CHECK(ran.err.find("canorun resume r1") != std::string::npos);
  CHECK(compensations(world) == "charge failed, reserve done");
  CHECK(world.json({"show", "r1"})["compensations"][0]["error"]["message"] == "exit code 1");
  CHECK(world.trace() == kDone + "- reserve\n");

  CHECK(world.canorun({"resume", "r1"}).code == 4);
  world.file("open", "");
  const Ran resumed = world.canorun({"resume", "r1"});
  CHECK(resumed.code == 3);
  CHECK_MESSAGE(resumed.err.find("error: exit code 3\n  where: state ship, attempt 1, exit code 3\n  rolled back:\n"
                                 "    charge\n    reserve\nnext:\n") != std::string::npos,
                resumed.err);
  CHECK(compensations(world) == "charge done, reserve done");
  CHECK(world.trace() == kDone + "- reserve\n- charge\n");
  CHECK(read_file(world.folder() + "/tries") == "tried\ntried\ntried\n");
  CHECK(world.ended() == "rollback_incomplete\nrollback_incomplete\nrolled_back\n");
  CHECK(world.canorun({"resume", "r1"}).code == 6);
}

TEST_CASE("a run that came to exit: failure is rolled back at a person's word, once, and not without it") {
  const Order world;
  CHECK(world.canorun({"run", world.flow("'true'"), "--id", "r1"}).code == 1);
  CHECK(world.trace() == kDone);
  const std::string kept = world.kept();
  const Ran unasked = world.canorun({"rollback", "r1"});
  CHECK(unasked.code == 2);
  CHECK(unasked.err.find("nobody can be asked whether run 'r1' is to be rolled back") != std::string::npos);
  CHECK(unasked.err.find("rollback r1 --yes") != std::string::npos);
  CHECK(world.kept() == kept);
  CHECK(world.trace() == kDone);
  const Ran rolled = world.canorun({"rollback", "r1", "--yes"});
  CHECK_MESSAGE(rolled.code == 0, rolled.err);
  CHECK(world.trace() == kDone + kUndone);
  CHECK(world.status() == "rolled_back");
  CHECK(world.ended() == "failed\nrolled_back\n");
  CHECK(said(world, {"rollback", "r1", "--yes"}).starts_with("6\nerror: run 'r1' is over: rolled_back"));
  CHECK(world.trace() == kDone + kUndone);
}

TEST_CASE("a run that was killed, and one that was suspended, are rolled back at a person's word") {
  for (const bool killed : {true, false}) {
    CAPTURE(killed);
    const Order world;
    Program run(world.command({"run", world.flow("'touch third; exec sleep 98124'"), "--id", "r1"}));
    REQUIRE(world.appears("third"));
    run.signal(killed ? SIGKILL : SIGTERM);
    CHECK(run.wait().code == (killed ? -1 : 75));
    CHECK(world.status() == (killed ? "interrupted" : "suspended"));
    const Ran rolled = world.canorun({"rollback", "r1", "--yes"});
    CHECK_MESSAGE(rolled.code == 0, rolled.err);
    CHECK(world.trace() == kDone + kUndone);
    CHECK(world.status() == "rolled_back");
    CHECK(processes_with("98124") == 0);
  }
}

TEST_CASE("rollback refuses what it cannot or must not undo") {
  const Order world;
  const std::string plain =
      world.file("plain.yaml",
                 "name: plain\nstates:\n  a: {run: 'true', next: b}\n  b: {run: 'exit 1', next: c}\n"
                 "  c: {exit: success}\n");
  CHECK(world.canorun({"run", plain, "--id", "none"}).code == 1);
  CHECK(said(world, {"rollback", "none", "--yes"})
            .starts_with("6\nerror: run 'none' has failed, and there is nothing to roll back"));
  CHECK(world
            .canorun({"run",
                      world.file("good.yaml",
                                 replaced(replaced(kOrder, "END", "'true'"), "{exit: failure}", "{exit: success}")),
                      "--id", "good"})
            .code == 0);
  CHECK(said(world, {"rollback", "good", "--yes"}).starts_with("6\nerror: run 'good' is over: succeeded"));
  Program run(world.command({"run", world.flow("'touch third; exec sleep 98125'"), "--id", "r1"}));
  REQUIRE(world.appears("third"));
  const std::string owned = said(world, {"rollback", "r1", "--yes"});
  CHECK_MESSAGE(owned.starts_with("6\nerror: "), owned);
  CHECK(owned.find("canorun cancel") != std::string::npos);
  CHECK(run.running());
  run.signal(SIGINT);
  CHECK(run.wait().code == 5);
  CHECK(said(world, {"rollback", "r1", "--yes"}).starts_with("6\nerror: run 'r1' is over: cancelled"));
  CHECK(world.trace() == kDone + kDone + kUndone);
}

TEST_CASE("at a terminal the question says what will be undone, and only a yes changes anything") {
  const Order world;
  CHECK(world.canorun({"run", world.flow("'true'"), "--id", "r1"}).code == 1);
  const std::string kept = world.kept();
  {
    Terminal terminal(world.command({"rollback", "r1"}, {{"NO_COLOR", "1"}}));
    const bool asked = terminal.shows("[y/N] ");
    CHECK(asked);
    CHECK(terminal.text() ==
          "run r1 of flow order: to be undone, in this order:\r\n    charge\r\n    reserve\r\n"
          "roll it back? [y/N] ");
    terminal.type("n\n");
    CHECK(terminal.wait() == 5);
    CHECK(terminal.text().find("nothing was changed") != std::string::npos);
  }
  CHECK(world.kept() == kept);
  CHECK(world.trace() == kDone);
  Terminal terminal(world.command({"rollback", "r1"}));
  CHECK(terminal.shows("[y/N] "));
  terminal.type("y\n");
  CHECK(terminal.wait() == 0);
  CHECK(world.trace() == kDone + kUndone);
}

TEST_CASE("Ctrl-C lets what is undone after its success finish, and undoes it") {
  const Stops world;
  Program run(world.command({"run", world.flow(), "--id", "r1"}));
  REQUIRE(world.appears("started"));
  run.signal(SIGINT);
  REQUIRE(eventually([&] { return run.err().find("cancelling: SIGINT") != std::string::npos; }));
  CHECK(run.running());
  world.file("go", "");
  CHECK(run.wait().code == 5);
  CHECK(world.trace() == world.undone);
  CHECK(world.status() == "cancelled");
  CHECK(world.ended() == "cancelled\n");
  CHECK(!exists(world.folder() + "/third"));
}

TEST_CASE("Ctrl-C ends at once what nothing undoes; a second one leaves, and resume goes on rolling back") {
  const Stops world;
  world.file("go", "");
  world.file("hold", "");
  Program run(world.command({"run", world.flow(), "--id", "r1"}));
  REQUIRE(world.appears("third"));
  run.signal(SIGINT);
  REQUIRE(world.appears("undoing"));
  CHECK(processes_with("98123") == 0);
  CHECK(world.trace() == "+ a\n+ b\n");
  run.signal(SIGINT);
  CHECK(run.wait().code == 75);
  CHECK(world.status() == "interrupted");
  CHECK(compensations(world) == "b pending, a pending");
  world.remove("hold");
  const Ran resumed = world.canorun({"resume", "r1"});
  CHECK_MESSAGE(resumed.code == 5, resumed.err);
  CHECK(world.trace() == world.undone);
  CHECK(world.status() == "cancelled");
}

TEST_CASE("SIGTERM amid a compensation suspends the rollback, and resume goes on with it") {
  const Stops world;
  world.file("go", "");
  world.file("hold", "");
  Program run(world.command({"run", world.flow("exit 3"), "--id", "r1"}));
  REQUIRE(world.appears("undoing"));
  const auto begin = std::chrono::steady_clock::now();
  run.signal(SIGTERM);
  CHECK(run.wait().code == 75);
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(10));
  CHECK(world.status() == "suspended");
  CHECK(world.trace() == "+ a\n+ b\n");
  CHECK(world.ended() == "");
  world.remove("hold");
  CHECK(world.canorun({"resume", "r1"}).code == 3);
  CHECK(world.trace() == world.undone);
  CHECK(world.ended() == "rolled_back\n");
}

TEST_CASE("a run that no process works on is rolled back by who cancels it") {
  const Stops world;
  world.file("go", "");
  Program run(world.command({"run", world.flow(), "--id", "r1"}));
  REQUIRE(world.appears("third"));
  run.signal(SIGTERM);
  CHECK(run.wait().code == 75);
  CHECK(world.trace() == "+ a\n+ b\n");
  const Ran cancelled = world.canorun({"cancel", "r1"});
  CHECK_MESSAGE(cancelled.code == 0, cancelled.err);
  CHECK(cancelled.out == "r1 cancelled\n");
  CHECK(world.trace() == world.undone);
  CHECK(world.ended() == "cancelled\n");
}
