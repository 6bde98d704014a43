// Many real processes on one store: all at once, and killed at any moment.
#include <fmt/format.h>

#include <random>

#include "canorun.h"

using namespace canorun;
using namespace canorun::test;

namespace {

// Each visit is seen from outside, in a file of the run's own, before it can be recorded.
const char* const kCounting = R"yaml(
name: counting
inputs: {trace: string}
vars: {n: 0}
states:
  count:
    run: echo "$CANORUN_VISIT" >> "${{ inputs.trace }}"
    set: {n: "${{ vars.n + 1 }}"}
    next: [{when: vars.n < 100000, to: count}, {to: done}]
  done: {exit: success, output: "${{ vars.n }}"}
)yaml";

const char* const kSmall = R"yaml(
name: small
states:
  a: {run: echo one, next: b}
  b: {run: echo two, next: done}
  done: {exit: success}
)yaml";

long lines(const std::string& text) { return std::count(text.begin(), text.end(), '\n'); }

}  // namespace

TEST_CASE("two hundred runs at once in one store all succeed, and the store is well") {
  constexpr int kRuns = 200;
  const World world;
  world.file("flow.yaml", kSmall);
  std::vector<std::unique_ptr<Program>> programs;
  for (int i = 0; i < kRuns; ++i) {
    programs.push_back(
        std::make_unique<Program>(world.command({"run", "flow.yaml", "--id", fmt::format("r{}", i), "-q"})));
  }
  for (const auto& program : programs) {
    const Ran ran = program->wait();
    INFO(ran.err);
    CHECK(ran.code == 0);
  }
  CHECK(world.json({"list", "--status", "succeeded"}).size() == kRuns);
  const Json found = world.json({"doctor"});
  CHECK(found["well"] == true);
  CHECK(found["runs"] == kRuns);
  CHECK(found["notes"] == Json::array());
  CHECK(said(world, {"prune", "--keep", "0"}) == fmt::format("0\ndeleted {} runs\n", kRuns));
  CHECK(world.json({"doctor"})["rows"] == 0);
}

TEST_CASE("runs that are killed at any moment stand where they were, whatever others do, and go on") {
  constexpr int kAtOnce = 6;
  const World world;
  world.file("flow.yaml", kCounting);
  std::mt19937 random(21);
  std::vector<std::string> killed;
  for (int round = 0; round < 10; ++round) {
    std::vector<std::unique_ptr<Program>> programs;
    for (int i = 0; i < kAtOnce; ++i) {
      const std::string id = fmt::format("r{}-{}", round, i);
      killed.push_back(id);
      programs.push_back(std::make_unique<Program>(
          world.command({"run", "flow.yaml", "--id", id, "-q", "-i", "trace=" + world.folder() + "/" + id})));
    }
    for (const auto& program : programs) {
      ::usleep(static_cast<useconds_t>(random() % 60'000));
      program->signal(SIGKILL);
    }
    for (const auto& program : programs) CHECK(program->wait().signal == SIGKILL);
  }
  long all = 0;
  int there = 0;
  for (const std::string& id : killed) {
    CAPTURE(id);
    const long begun = exists(world.folder() + "/" + id) ? lines(read_file(world.folder() + "/" + id)) : 0;
    all += begun;
    if (begun == 0) continue;  // nothing was told to be kept yet
    const Json run = world.json({"show", id});
    CHECK(run["status"] == "interrupted");
    const long kept = run["vars"]["n"].get<long>();
    CHECK((kept == begun || kept == begun - 1));
    ++there;
  }
  CHECK(all > 60);
  const Json found = world.json({"doctor", "--fix"});
  CHECK(found["well"] == true);
  CHECK(found["interrupted"] >= there);
  CHECK(world.canorun({"prune", "--keep", "0", "--compact"}).code == 0);
  CHECK(world.json({"doctor"})["interrupted"] == found["interrupted"]);
  world.file("short.yaml", replaced(kCounting, "100000", "0"));
  CHECK(world.canorun({"resume", killed[0], "--file", "short.yaml", "-q"}).code == 0);
}
