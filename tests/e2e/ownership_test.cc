// One process owns a run at a time.
#include "canorun.h"

using namespace canorun;
using namespace canorun::test;

namespace {

// Counts how often its command ran, from outside.
const char* const kCounting = R"(
name: counting
inputs: {file: string}
states:
  count: {run: 'echo x >> "${{ inputs.file }}"', next: done}
  done: {exit: success}
)";

const char* const kSleeping = R"(
name: sleeping
inputs: {file: string}
states:
  sleep: {run: 'echo $$ >> "${{ inputs.file }}"; exec sleep 1000', next: done}
  done: {exit: success}
)";

long lines(const std::string& path) {
  const std::string text = read_file(path);
  return std::count(text.begin(), text.end(), '\n');
}

}  // namespace

TEST_CASE("of two processes that start one id at the same time exactly one works, every time") {
  const World world;
  const std::string flow = world.file("flow.yaml", kCounting);
  for (int round = 0; round < 100; ++round) {
    CAPTURE(round);
    const std::string ledger = world.folder() + "/ledger" + std::to_string(round);
    const auto start = world.command({"run", flow, "--id", "r" + std::to_string(round), "-i", "file=" + ledger});
    Program one(start), two(start);
    const Ran first = one.wait();
    const Ran second = two.wait();
    CHECK(std::min(first.code, second.code) == 0);
    CHECK(std::max(first.code, second.code) == 6);
    CHECK(lines(ledger) == 1);
  }
  CHECK(world.json({"list"}).size() == 100);
}

TEST_CASE("of two processes that resume one id at the same time exactly one works, every time") {
  const World world;
  const std::string flow = world.file("flow.yaml", kCounting);
  for (int round = 0; round < 100; ++round) {
    CAPTURE(round);
    const std::string id = "r" + std::to_string(round);
    const std::string ledger = world.folder() + "/ledger" + std::to_string(round);
    const Ran killed = world.canorun({"run", flow, "--id", id, "-i", "file=" + ledger}, {{"CANORUN_CRASH", "after:1"}});
    REQUIRE(killed.signal == SIGKILL);
    const auto resume = world.command({"resume", id});
    Program one(resume), two(resume);
    const Ran first = one.wait();
    const Ran second = two.wait();
    CHECK(std::min(first.code, second.code) == 0);
    CHECK(std::max(first.code, second.code) == 6);
    CHECK(lines(ledger) == 1);
  }
}

TEST_CASE("a run that is worked on is refused to others, with the process told, and goes on untouched") {
  const World world;
  const std::string flow = world.file("flow.yaml", kSleeping);
  const std::string pids = world.folder() + "/pids";
  Program owner(world.command({"run", flow, "--id", "r1", "-i", "file=" + pids}));
  REQUIRE(eventually([&] { return lines(pids) == 1; }));
  CHECK(world.json({"show", "r1"})["status"] == "running");
  const Ran resumed = world.canorun({"resume", "r1"});
  CHECK(resumed.code == 6);
  CHECK(resumed.err.find("r1") != std::string::npos);
  CHECK(world.canorun({"run", flow, "--id", "r1", "-i", "file=" + pids}).code == 6);
  CHECK(world.canorun({"run", flow, "--id", "r1", "--or-resume", "-i", "file=" + pids}).code == 6);
  CHECK(owner.running());
  CHECK(lines(pids) == 1);
  owner.signal(SIGINT);
  CHECK(owner.wait().code == 5);
}

TEST_CASE("a killed owner's run is interrupted, and its command does not outlive the resume") {
  const World world;
  const std::string flow = world.file("flow.yaml", R"(
name: sleeping
inputs: {file: string}
states:
  sleep:
    run: |
      trap '' TERM
      [ -e "${{ inputs.file }}" ] && exit 0
      echo $$ >> "${{ inputs.file }}"
      while :; do sleep 1; done
    next: done
  done: {exit: success}
)");
  const std::string pids = world.folder() + "/pids";
  Program owner(world.command({"run", flow, "--id", "r1", "-i", "file=" + pids}));
  REQUIRE(eventually([&] { return lines(pids) == 1; }));
  owner.signal(SIGKILL);
  owner.wait();
  const pid_t command = static_cast<pid_t>(std::stol(read_file(pids)));
  CHECK(::kill(command, 0) == 0);  // it ignores TERM, so the death signal did not end it
  CHECK(world.json({"show", "r1"})["status"] == "interrupted");
  const Ran resumed = world.canorun({"resume", "r1"});
  CHECK(resumed.code == 0);
  CHECK(eventually([&] { return ::kill(command, 0) != 0; }));
  CHECK(world.json({"show", "r1"})["status"] == "succeeded");
}
