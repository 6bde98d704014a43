// Concurrency groups, services and `on_end`, with real processes that are stopped and killed.
#include <unistd.h>

#include <memory>

#include "canorun.h"
#include "sweep.h"

using namespace canorun;
using namespace canorun::test;

namespace {

// Waits for the file `go` in the folder of the flow, if there is one called `hold`.
std::string grouped(const std::string& on_conflict) {
  return "name: grouped\nconcurrency: {group: deploy, on_conflict: " + on_conflict + R"yaml(}
states:
  work: {run: 'echo "$CANORUN_RUN_ID" >> order; touch begun-$CANORUN_RUN_ID; while [ -e hold ]; do sleep 0.02; done', next: done}
  done: {exit: success}
)yaml";
}

// A run that has the group, at work until `hold` is gone.
struct Holder {
  explicit Holder(const World& in) : world(in), first(begin(in)) {
    REQUIRE(eventually([&] { return exists(world.folder() + "/begun-r1"); }));
  }
  static Start begin(const World& in) {
    in.file("hold", "");
    return in.command({"run", in.file("queue.yaml", grouped("queue")), "--id", "r1"});
  }
  /// A run that waits behind it.
  std::unique_ptr<Program> queue(const std::string& id) const {
    auto run = std::make_unique<Program>(world.command({"run", world.folder() + "/queue.yaml", "--id", id}));
    REQUIRE(is_queued(id));
    return run;
  }
  void let_go() const { REQUIRE(::unlink((world.folder() + "/hold").c_str()) == 0); }
  bool is_queued(const std::string& id) const {
    return eventually([&] {
      const Json runs = world.json({"list", "--status", "queued"});
      return std::ranges::any_of(runs, [&](const Json& run) { return run["id"] == id; });
    });
  }

  const World& world;
  Program first;
};

}  // namespace

TEST_CASE("one run of a group at a time: others are turned away, skip, or wait in their order") {
  const World world;
  Holder holder(world);
  const Ran rejected = world.canorun({"run", world.file("reject.yaml", grouped("reject")), "--id", "no"});
  CHECK(rejected.code == 6);
  CHECK(rejected.err ==
        "error: the run 'r1' has the concurrency group 'deploy'\nhint: wait for it, or stop it with `canorun cancel "
        "r1`\n");
  CHECK(world.json({"run", world.file("reject.yaml", grouped("reject")), "--id", "no"})["error"]["kind"] ==
        "group_taken");
  const Ran skipped = world.canorun({"run", world.file("skip.yaml", grouped("skip")), "--id", "no"});
  CHECK(skipped.code == 0);
  CHECK(skipped.out == "no skipped: the run 'r1' has the concurrency group 'deploy'\n");
  CHECK(world.canorun({"show", "no"}).code == 6);

  const auto second = holder.queue("r2");
  const auto third = holder.queue("r3");
  REQUIRE(eventually(
      [&] { return second->err().find("queued: waits for r1, which has the group deploy") != std::string::npos; }));
  holder.let_go();
  CHECK(holder.first.wait().code == 0);
  CHECK(second->wait().code == 0);
  CHECK(third->wait().code == 0);
  CHECK(read_file(world.folder() + "/order") == "r1\nr2\nr3\n");
}

TEST_CASE("the place of a process that is killed is free, for who comes and for who waits") {
  const World world;
  Holder holder(world);
  const auto second = holder.queue("r2");
  const auto third = holder.queue("r3");
  second->signal(SIGKILL);
  second->wait();
  CHECK(world.json({"show", "r2"})["status"] == "interrupted");
  holder.first.signal(SIGKILL);
  holder.first.wait();
  REQUIRE(eventually([&] { return exists(world.folder() + "/begun-r3"); }));
  // Who was killed in the queue takes a new place.
  Program again(world.command({"resume", "r2"}));
  REQUIRE(holder.is_queued("r2"));
  holder.let_go();
  CHECK(third->wait().code == 0);
  CHECK(again.wait().code == 0);
  CHECK(read_file(world.folder() + "/order") == "r1\nr3\nr2\n");
}

TEST_CASE("a run that waits for its group is cancelled and suspended like any other") {
  const World world;
  Holder holder(world);
  const auto second = holder.queue("r2");
  CHECK(world.canorun({"cancel", "r2"}).code == 0);
  CHECK(second->wait().code == 5);
  const auto third = holder.queue("r3");
  third->signal(SIGTERM);
  CHECK(third->wait().code == 75);
  CHECK(world.json({"show", "r3"})["status"] == "suspended");
  holder.let_go();
  CHECK(holder.first.wait().code == 0);
  CHECK(world.canorun({"resume", "r3"}).code == 0);
  CHECK(read_file(world.folder() + "/order") == "r1\nr3\n");
}

TEST_CASE("a run that waits for its group is shown with the group, and those that it waits for") {
  const World world;
  Holder holder(world);
  const auto second = holder.queue("r2");
  const auto third = holder.queue("r3");
  CHECK(world.json({"show", "r3"})["queued"] == Json{{"group", "deploy"}, {"before", {"r1", "r2"}}});
  CHECK(world.canorun({"show", "r3"}).out.find("  queued   for the group deploy, behind r1, r2\n") !=
        std::string::npos);
  CHECK(!world.json({"show", "r1"}).contains("queued"));
  holder.let_go();
  CHECK(third->wait().code == 0);
  CHECK(!world.json({"show", "r3"}).contains("queued"));
}

TEST_CASE("what a person says of a resume is not lost in silence where it is stopped in the queue") {
  const World world;
  Holder holder(world);
  const auto second = holder.queue("r2");
  second->signal(SIGTERM);
  REQUIRE(second->wait().code == 75);
  Program again(world.command({"resume", "r2", "--from", "work", "--file", world.folder() + "/queue.yaml", "-q"}));
  REQUIRE(holder.is_queued("r2"));
  again.signal(SIGTERM);
  const Ran stopped = again.wait();
  CHECK(stopped.code == 75);
  CHECK(
      stopped.err.starts_with("r2 still waited for its group: --file and --from were not taken, and have to be given "
                              "again when it is resumed\n"));
  holder.let_go();
  CHECK(holder.first.wait().code == 0);
  const Ran resumed = world.canorun({"resume", "r2", "--from", "work"});
  CHECK(resumed.code == 0);
  CHECK(resumed.err.find("have to be given") == std::string::npos);
}

TEST_CASE("the newest run takes the place of those before it") {
  const World world;
  Holder holder(world);
  const auto second = holder.queue("r2");
  world.file("newest.yaml", grouped("cancel_running"));
  Program third(world.command({"run", world.folder() + "/newest.yaml", "--id", "r3"}));
  CHECK(holder.first.wait().code == 5);
  CHECK(second->wait().code == 5);
  REQUIRE(eventually([&] { return exists(world.folder() + "/begun-r3"); }));
  holder.let_go();
  CHECK(third.wait().code == 0);
  CHECK(read_file(world.folder() + "/order") == "r1\nr3\n");
}

TEST_CASE("a flow with services and on_end comes to the same end, killed at every row") {
  const TempFolder flows;
  const std::string flow = flows.path() + "/around.yaml";
  write_file(flow, R"yaml(
name: around
inputs: {trace: string}
concurrency: {group: "${{ run.flow }}", on_conflict: queue}
resources:
  services:
    db: {setup: {run: 'touch "${{ inputs.trace }}/db"'}, teardown: {run: 'rm -f "${{ inputs.trace }}/db"'}}
on_end:
  - run: 'test -e "${{ inputs.trace }}/db"; echo "${{ run.status }}" > "${{ inputs.trace }}/told"'
    when: run.status != 'failed'
states:
  a: {run: 'test -e "${{ inputs.trace }}/db"; echo a >> "${{ inputs.trace }}/a"', next: done}
  done: {exit: success, output: well}
)yaml");
  const SweepCase example{.flow = flow, .inputs = {"trace={world}"}};
  CHECK(sweep(example) == 5);
}

TEST_CASE("what a service's setup left running is ended before it is set up again") {
  const World world;
  const std::string flow = world.file("flow.yaml", R"yaml(
name: serving
resources:
  services:
    web:
      setup: {run: 'setsid sh -c "echo \$\$ > pid; while :; do sleep 98773; done" > /dev/null 2>&1 & while [ ! -s pid ]; do sleep 0.01; done'}
      teardown: {run: 'kill -9 -$(cat pid); rm pid'}
states:
  work: {run: 'touch begun; while [ ! -e go ]; do sleep 0.02; done', next: done}
  done: {exit: success}
)yaml");
  Program owner(world.command({"run", flow, "--id", "r1"}));
  REQUIRE(eventually([&] { return exists(world.folder() + "/begun"); }));
  const std::string first = read_file(world.folder() + "/pid");
  owner.signal(SIGKILL);
  owner.wait();
  world.file("go", "");
  REQUIRE(::unlink((world.folder() + "/pid").c_str()) == 0);
  const Ran resumed = world.canorun({"resume", "r1"});
  INFO(resumed.err);
  CHECK(resumed.code == 0);
  CHECK(processes_with("98773") == 0);
}

TEST_CASE("what a killed process left of on_end is ended before a cancellation does it again") {
  const World world;
  const std::string flow = world.file("flow.yaml", R"yaml(
name: ending
on_end: [{run: 'sh -c "touch begun; [ -e again ] || sleep 98775"; true'}]
states:
  work: {run: 'true', next: done}
  done: {exit: success}
)yaml");
  Program run(world.command({"run", flow, "--id", "r1"}));
  REQUIRE(eventually([&] { return processes_with("98775") > 0; }));
  run.signal(SIGKILL);
  run.wait();
  REQUIRE(processes_with("98775") > 0);
  world.file("again", "");
  world.canorun({"cancel", "r1"});
  CHECK(processes_with("98775") == 0);
  CHECK(world.json({"show", "r1"})["status"] == "succeeded");
}

TEST_CASE("Ctrl-C and a second one, in on_end: the outcome stands, and what is left comes with the resume") {
  const World world;
  const std::string flow = world.file("flow.yaml", R"yaml(
name: ending
on_end:
  - run: 'echo told >> told; touch begun; while [ -e hold ]; do sleep 0.02; done'
  - run: 'echo second >> told'
states:
  work: {run: 'true', next: done}
  done: {exit: success}
)yaml");
  world.file("hold", "");
  Program run(world.command({"run", flow, "--id", "r1"}));
  REQUIRE(eventually([&] { return exists(world.folder() + "/begun"); }));
  run.signal(SIGTERM);
  CHECK(run.wait().code == 75);
  CHECK(world.json({"show", "r1"})["status"] == "suspended");
  REQUIRE(::unlink((world.folder() + "/begun").c_str()) == 0);
  Program second(world.command({"resume", "r1"}));
  REQUIRE(eventually([&] { return exists(world.folder() + "/begun"); }));
  second.signal(SIGINT);
  CHECK(second.wait().code == 0);  // the outcome was reached before
  CHECK(world.json({"show", "r1"})["status"] == "succeeded");
  CHECK(read_file(world.folder() + "/told") == "told\ntold\n");
}

TEST_CASE("a success that is reached stands, also against a person who names another state") {
  const World world;
  const std::string flow = world.file("flow.yaml", R"yaml(
name: ending
on_end: [{run: 'touch begun; while [ -e hold ]; do sleep 0.02; done; touch told'}]
states:
  work: {run: 'echo work >> trace', next: done}
  done: {exit: success}
)yaml");
  world.file("hold", "");
  Program run(world.command({"run", flow, "--id", "r1"}));
  REQUIRE(eventually([&] { return exists(world.folder() + "/begun"); }));
  run.signal(SIGTERM);
  REQUIRE(run.wait().code == 75);
  REQUIRE(::unlink((world.folder() + "/hold").c_str()) == 0);
  CHECK(said(world, {"resume", "r1", "--from", "work"}) ==
        "6\nerror: run 'r1' is over: succeeded, but for what comes at its end\n"
        "hint: that is done by: canorun resume r1\n");
  CHECK(!exists(world.folder() + "/told"));
  CHECK(world.canorun({"resume", "r1"}).code == 0);
  CHECK(exists(world.folder() + "/told"));
  CHECK(read_file(world.folder() + "/trace") == "work\n");
}

TEST_CASE("a setup that fails is reported with the last that it wrote, also by show") {
  const World world;
  const std::string flow = world.file("flow.yaml", R"yaml(
name: serving
resources: {services: {db: {setup: {run: 'echo starting >&2; echo no room >&2; exit 7'}}}}
states:
  work: {run: 'true', next: done}
  done: {exit: success}
)yaml");
  const std::string report =
      "error: exit code 7\n"
      "  where: state services.db.setup, attempt 1, exit code 7\n"
      "  the last it wrote to stderr:\n"
      "    | starting\n"
      "    | no room\n";
  const Ran ran = world.canorun({"run", flow, "--id", "r1", "-q"});
  CHECK(ran.code == 1);
  CHECK(ran.err.starts_with(report));
  CHECK(world.canorun({"show", "r1"}).out.find(report) != std::string::npos);
}
