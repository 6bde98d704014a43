// Commands that behave badly: each ends as designed, and no process is left behind.

#include <fstream>

#include "canorun.h"
#include "support/sanitizer.h"

using namespace canorun;
using namespace canorun::test;

namespace {

// A flow of one command that fails over to `caught`, whose output is the error.
std::string one(const std::string& action) {
  return "name: one\nstates:\n  work:\n" + action +
         "    next: done\n    on_error: caught\n"
         "  caught: {exit: failure, output: '${{ states.work.error }}'}\n"
         "  done: {exit: success, output: '${{ states.work.output }}'}\n";
}

Json run_one(const World& world, const std::string& action) {
  const Json run = world.json({"run", world.file("flow.yaml", one(action)), "--id", "r1"});
  return run["output"];
}

}  // namespace

TEST_CASE("a command that is not found") {
  const World world;
  const Json error = run_one(world, "    task: exec\n    with: {argv: [no-such-command-here]}\n");
  CHECK(error["kind"] == "task");
  CHECK(error["message"].get<std::string>().find("no-such-command-here") != std::string::npos);
}

TEST_CASE("a file that is not executable") {
  const World world;
  world.file("plain", "#!/bin/sh\n");
  const Json error = run_one(world, "    task: exec\n    with: {argv: [./plain]}\n");
  CHECK(error["kind"] == "task");
  CHECK(error["message"].get<std::string>().find("executable") != std::string::npos);
}

TEST_CASE("an exit code, a signal and the tail of stderr reach the report and the JSON") {
  const World world;
  const std::string flow = world.file("flow.yaml", R"yaml(
name: failing
states:
  work: {run: 'echo first >&2; echo "last words" >&2; exit 3', next: done}
  done: {exit: success}
)yaml");
  const Ran ran = world.canorun({"run", flow, "--id", "r1"});
  CHECK(ran.code == 1);
  CHECK(ran.err.find("exit code 3") != std::string::npos);
  CHECK(ran.err.find("last words") != std::string::npos);
  CHECK(ran.err.find("canorun resume r1") != std::string::npos);
  CHECK(ran.err.find("canorun logs r1") != std::string::npos);
  CHECK(world.json({"show", "r1"})["error"] ==
        Json{{"kind", "exit"}, {"message", "exit code 3"}, {"state", "work"}, {"attempts", 1}, {"exit_code", 3}});

  const Json killed = run_one(World(), "    run: 'kill -9 $$'\n");
  CHECK(killed["kind"] == "signal");
  CHECK(killed["message"] == "killed by SIGKILL");
}

TEST_CASE("values with quotes, substitutions, newlines and semicolons arrive unchanged and never run") {
  const World world;
  const std::string flow = world.file("flow.yaml", R"yaml(
name: values
inputs: {value: string}
states:
  work:
    run: |
      printf '%s' ${{ inputs.value }} > bare
      printf '%s' "<${{ inputs.value }}>" > quoted
      cat <<END > here
      ${{ inputs.value }}
      END
    next: done
  done: {exit: success}
)yaml");
  const std::string value = "a  b'c\"d $(touch pwned) `touch pwned` ; touch pwned\n* $HOME \\ end";
  const Ran ran = world.canorun({"run", flow, "-i", "value=" + value});
  INFO(ran.err);
  CHECK(ran.code == 0);
  CHECK(read_file(world.folder() + "/bare") == value);
  CHECK(read_file(world.folder() + "/quoted") == "<" + value + ">");
  CHECK(read_file(world.folder() + "/here") == value + "\n");
  CHECK(!std::filesystem::exists(world.folder() + "/pwned"));
}

TEST_CASE("a gigabyte on stdout is captured up to the cap, in bounded memory") {
  const World world;
  const std::string flow = world.file("flow.yaml", one("    run: 'head -c 1073741824 /dev/zero | tr \"\\\\0\" x'\n"));
  const Ran ran = world.canorun({"run", flow, "--id", "r1", "-q"});
  const Json output = world.json({"show", "r1"})["output"];
  CHECK(output["stdout"].get<std::string>().size() == 1048576);
  CHECK(output["truncated"] == true);
  CHECK((kSanitized || ran.peak < 64 * 1024));
}

TEST_CASE("a command that closes its pipes and lives on is waited for") {
  const World world;
  const Json output = run_one(world, "    run: 'exec >&- 2>&-; sleep 0.3; exit 0'\n");
  CHECK(output["exit_code"] == 0);
  CHECK(output["duration_ms"].get<int>() >= 300);
}

TEST_CASE("children that ignore TERM do not outlive their command, nor a timeout, nor a cancellation") {
  const std::string stubborn =
      "(trap \"\" TERM; exec sleep 98761) & (trap \"\" TERM HUP; while :; do sleep 98761; done) & ";
  {
    const World world;
    CHECK(run_one(world, "    run: '" + stubborn + " exit 0'\n")["exit_code"] == 0);
    CHECK(processes_with("98761") == 0);
  }
  {
    const World world;
    CHECK(run_one(world, "    run: '" + stubborn + " sleep 98761'\n    timeout: 200ms\n")["kind"] == "timeout");
    CHECK(processes_with("98761") == 0);
  }
  {
    const World world;
    const std::string flow = world.file("flow.yaml", one("    run: '" + stubborn + " touch started; sleep 98761'\n"));
    Program run(world.command({"run", flow, "--id", "r1"}));
    REQUIRE(eventually([&] { return std::filesystem::exists(world.folder() + "/started"); }));
    run.signal(SIGINT);
    CHECK(run.wait().code == 5);
    CHECK(processes_with("98761") == 0);
    CHECK(world.json({"show", "r1"})["status"] == "cancelled");
  }
}

TEST_CASE("SIGTERM suspends a run, and a resume ends it") {
  const World world;
  const std::string flow =
      world.file("flow.yaml", one("    run: 'if [ -e started ]; then exit 0; fi; touch started; sleep 98762'\n"));
  Program run(world.command({"run", flow, "--id", "r1"}));
  REQUIRE(eventually([&] { return std::filesystem::exists(world.folder() + "/started"); }));
  run.signal(SIGTERM);
  const Ran suspended = run.wait();
  CHECK(suspended.code == 75);
  CHECK(suspended.err.find("canorun resume r1") != std::string::npos);
  CHECK(processes_with("98762") == 0);
  CHECK(world.json({"show", "r1"})["status"] == "suspended");
  CHECK(world.canorun({"resume", "r1"}).code == 0);
  CHECK(world.json({"show", "r1"})["status"] == "succeeded");
  CHECK(world.canorun({"resume", "r1"}).code == 6);
}

TEST_CASE("a second SIGINT leaves at once, and the run can be resumed") {
  const World world;
  const std::string flow = world.file("flow.yaml", one("    run: 'trap \"\" TERM; if [ -e started ]; then exit 0; fi; "
                                                       "touch started; while :; do sleep 98763; done'\n"));
  Program run(world.command({"run", flow, "--id", "r1"}));
  REQUIRE(eventually([&] { return std::filesystem::exists(world.folder() + "/started"); }));
  run.signal(SIGINT);
  REQUIRE(eventually([&] { return run.err().find("cancel") != std::string::npos; }));
  run.signal(SIGINT);
  CHECK(run.wait().code == 75);
  CHECK(world.json({"show", "r1"})["status"] == "interrupted");
  CHECK(world.canorun({"resume", "r1"}).code == 0);
  CHECK(processes_with("98763") == 0);
}

TEST_CASE("canorun cancel ends a run from another process, whether somebody works on it or not") {
  const World world;
  const std::string flow = world.file("flow.yaml", one("    run: 'touch started; sleep 98764'\n"));
  Program run(world.command({"run", flow, "--id", "r1"}));
  REQUIRE(eventually([&] { return std::filesystem::exists(world.folder() + "/started"); }));
  CHECK(world.canorun({"cancel", "r1"}).code == 0);
  CHECK(run.wait().code == 5);
  CHECK(world.json({"show", "r1"})["status"] == "cancelled");
  CHECK(world.canorun({"cancel", "r1"}).code == 6);

  REQUIRE(world.canorun({"run", flow, "--id", "r2"}, {{"CANORUN_CRASH", "after:1"}}).signal == SIGKILL);
  CHECK(world.canorun({"cancel", "r2"}).code == 0);
  CHECK(world.json({"show", "r2"})["status"] == "cancelled");
  CHECK(processes_with("98764") == 0);
}

TEST_CASE("the idempotency key is the same for attempts and resumes, and differs between runs") {
  const World world;
  const std::string flow = world.file("flow.yaml", R"yaml(
name: keys
states:
  work:
    run: 'echo "$CANORUN_IDEMPOTENCY_KEY" >> keys; [ "$(wc -l < keys)" -ge 3 ]'
    retry: {max: 1, delay: 1ms}
    next: done
  done: {exit: success}
)yaml");
  CHECK(world.canorun({"run", flow, "--id", "r1"}).code == 1);
  CHECK(world.canorun({"resume", "r1"}).code == 0);
  CHECK(world.canorun({"run", flow, "--id", "r2"}).code == 0);
  std::ifstream in(world.folder() + "/keys");
  std::vector<std::string> keys;
  for (std::string line; std::getline(in, line);) keys.push_back(line);
  REQUIRE(keys.size() == 4);
  CHECK(keys[0] == keys[1]);
  CHECK(keys[0] == keys[2]);
  CHECK(keys[3] != keys[0]);
}

TEST_CASE("-v tells what commands write, whether the run is kept or not") {
  const World world;
  const std::string flow = world.file("flow.yaml", one("    run: 'echo to stdout; echo to stderr >&2'\n"));
  for (const char* kept : {"--id=r1", "--no-store"}) {
    const Ran ran = world.canorun({"run", flow, "-v", kept});
    CHECK(ran.code == 0);
    CHECK(ran.err.find("work | to stdout\n") != std::string::npos);
    CHECK(ran.err.find("work | to stderr\n") != std::string::npos);
  }
}
