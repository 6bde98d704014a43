// Stopping a run at an inconvenient moment.
#include "canorun.h"

using namespace canorun;
using namespace canorun::test;

namespace {

// Commits all the time: whatever stops it comes in the middle of a commit.
std::string busy(const std::string& more) {
  return "name: busy\nmax_transitions: 1000000000\n" + more +
         "states:\n  a: {task: pass, next: [{when: states.a.visits < 0, to: done}, {to: a}]}\n  done: {exit: "
         "success}\n";
}

}  // namespace

TEST_CASE("what stops a run in the middle of a commit stops it as it would anywhere else") {
  const World world;
  const std::string flow = world.file("busy.yaml", busy(""));
  struct Stop {
    int signal;
    int code;
    std::string status;
  };
  for (const Stop& stop :
       {Stop{SIGINT, 5, "cancelled"}, Stop{SIGTERM, 75, "suspended"}, Stop{SIGHUP, 75, "suspended"}}) {
    for (const bool kept : {true, false}) {
      CAPTURE(stop.status);
      CAPTURE(kept);
      const std::string id = stop.status + std::to_string(stop.signal);
      std::vector<std::string> arguments{"run", flow, "--id", id};
      if (!kept) arguments.push_back("--no-store");
      Program run(world.command(arguments));
      REQUIRE(eventually([&] { return run.err().find("visit 20") != std::string::npos; }));
      run.signal(stop.signal);
      const Ran ran = run.wait();
      CHECK(ran.code == stop.code);
      CHECK(ran.err.find("fault") == std::string::npos);
      if (kept) CHECK(world.json({"show", id})["status"] == stop.status);
    }
  }
}

TEST_CASE("a budget that is spent in the middle of a commit ends the run") {
  const World world;
  const Json run = world.json({"run", world.file("busy.yaml", busy("timeout: 300ms\n")), "--quiet"});
  CHECK(run["status"] == "failed");
  CHECK(run["error"]["kind"] == "run_timeout");
}

TEST_CASE("a run that is stopped while its orphans are being ended leaves none of them") {
  const World world;
  const std::string flow = world.file("flow.yaml", R"yaml(
name: stubborn
states:
  work: {run: 'trap "" TERM; echo $$ > pid; while :; do sleep 98771; done', next: done}
  done: {exit: success}
)yaml");
  Program owner(world.command({"run", flow, "--id", "r1"}));
  REQUIRE(eventually([&] { return !read_file(world.folder() + "/pid").empty(); }));
  owner.signal(SIGKILL);
  owner.wait();
  REQUIRE(processes_with("98771") > 0);
  Program second(world.command({"resume", "r1"}));
  REQUIRE(eventually([&] { return second.err().find("earlier attempt") != std::string::npos; }));
  second.signal(SIGINT);
  CHECK(second.wait().code == 5);
  CHECK(world.json({"show", "r1"})["status"] == "cancelled");
  CHECK(processes_with("98771") == 0);
}

TEST_CASE("resume --from is one commit: killed beside it, the person's word stands or was never given") {
  const TempFolder flows;
  const std::string flow = flows.path() + "/three.yaml";
  write_file(flow, R"yaml(
name: three
inputs: {trace: string}
states:
  a: {run: 'echo a >> "${{ inputs.trace }}"; exit 1', next: b}
  b: {run: 'echo b >> "${{ inputs.trace }}"', next: done}
  done: {exit: success}
)yaml");
  // Rows of the failed run: 0 run_started, 1 entered a, 2 ended a, 3 run_ended. The resume adds 4 and 5.
  for (const char* crash : {"before:4", "after:4", "before:5", "after:5"}) {
    CAPTURE(crash);
    const World world;
    const std::string trace = world.folder() + "/trace";
    REQUIRE(world.canorun({"run", flow, "--id", "r1", "-i", "trace=" + trace}).code == 1);
    REQUIRE(world.canorun({"resume", "r1", "--from", "b"}, {{"CANORUN_CRASH", crash}}).signal == SIGKILL);
    const bool given = std::string(crash).starts_with("after");
    CHECK(world.json({"show", "r1"})["state"] == (given ? "b" : "a"));
    CHECK(world.canorun({"resume", "r1"}).code == (given ? 0 : 1));
    CHECK(read_file(trace) == (given ? "a\nb\n" : "a\na\n"));
  }
}

TEST_CASE("without a place for temporary files a command fails, and nothing else is touched") {
  const World world;
  const std::string flow =
      world.file("flow.yaml", "name: one\nstates:\n  a: {run: 'true', next: done}\n  done: {exit: success}\n");
  world.file("plain", "kept");
  const Ran ran = world.canorun({"run", flow, "--no-store"}, {{"TMPDIR", world.folder() + "/plain"}});
  CHECK(ran.code == 1);
  CHECK(
      ran.err.find("cannot make a temporary folder: Not a directory (make room, or name another place with TMPDIR)") !=
      std::string::npos);
  CHECK(read_file(world.folder() + "/plain") == "kept");
}
