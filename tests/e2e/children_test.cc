// Runs below runs in real processes: killed, stopped, waiting, told of by their own ids.
#include "support/sanitizer.h"
#include "sweep.h"

using namespace canorun;
using namespace canorun::test;

namespace {

using Strings = std::vector<std::string>;

std::string example(const std::string& name) { return std::string(CANORUN_SOURCE_DIR) + "/workflows/examples/" + name; }

// `r1 running`, the children behind their parents.
Strings runs(const World& world) {
  Strings lines;
  for (const Json& run : world.json({"list"})) {
    lines.push_back(run["id"].get<std::string>() + " " + run["status"].get<std::string>());
  }
  return lines;
}

// Every state leaves a line; the child is longer than its parent.
const char* const kTraced = R"yaml(
name: traced
inputs: {trace: string}
states:
  one: {task: flow, with: {file: steps.yaml, inputs: {trace: "${{ inputs.trace }}", name: one}}, next: both}
  both:
    split:
      branches:
        a: {task: flow, with: {file: steps.yaml, inputs: {trace: "${{ inputs.trace }}", name: a}}}
        b: {task: flow, with: {file: steps.yaml, inputs: {trace: "${{ inputs.trace }}", name: b}}}
    next: done
  done: {exit: success, output: "${{ [states.one.output, states.both.output.branches.a.output] }}"}
)yaml";

const char* const kSteps = R"yaml(
name: steps
inputs: {trace: string, name: string}
env: {TRACE: "${{ inputs.trace }}/${{ inputs.name }}"}
states:
  a: {run: 'echo "$CANORUN_STATE" >> "$TRACE-a"', next: b}
  b: {run: 'echo "$CANORUN_STATE" >> "$TRACE-b"', next: c}
  c: {run: 'echo "$CANORUN_STATE" >> "$TRACE-c"', next: d}
  d: {run: 'echo "$CANORUN_STATE" >> "$TRACE-d"', next: end}
  end: {exit: success, output: "${{ inputs.name }}"}
)yaml";

const char* const kApproved = R"yaml(
name: approved
states:
  both:
    split:
      branches:
        ask: {task: flow, with: {file: ask.yaml}}
        nap: {task: flow, with: {file: nap.yaml}}
    next: done
  done: {exit: success, output: "${{ states.both.output.branches.ask.output }}"}
)yaml";
const char* const kAsk =
    "name: ask\nstates:\n  wait: {wait: {signal: answer, type: int}, next: end}\n"
    "  end: {exit: success, output: \"${{ states.wait.output }}\"}\n";
const char* const kNap = "name: nap\nstates:\n  nap: {timer: {for: 1h}, next: end}\n  end: {exit: success}\n";

std::string write_approved(const World& world) {
  world.file("ask.yaml", kAsk);
  world.file("nap.yaml", kNap);
  return world.file("approved.yaml", kApproved);
}

}  // namespace

TEST_CASE("runs below runs survive a kill at every row, and come to the same end") {
  CHECK(sweep({.flow = example("nightly.yaml"),
               .inputs = {R"(folders=["{world}/one", "{world}/two"])", "into={world}/into"},
               .compare = {"one", "two"},
               .prepare = [](const World& world) {
                 const Ran ran = run_program(
                     {{"sh", "-euc", "mkdir one two into; echo 1 > one/file; echo 2 > two/file"}, {}, world.folder()});
                 REQUIRE(ran.code == 0);
               }}) == 10);
}

TEST_CASE("no state of a child that has ended runs again, wherever its process was killed") {
  const TempFolder flows;
  write_file(flows.path() + "/traced.yaml", kTraced);
  write_file(flows.path() + "/steps.yaml", kSteps);
  // A child's rows: 0 run_started, 1 entered a, 2 ended a, 3 entered b, and so on to 9 run_ended.
  for (int row = 0; row < 10; ++row) {
    for (const std::string at : {"before:", "after:"}) {
      const std::string crash = at + std::to_string(row);
      CAPTURE(crash);
      const World world;
      const Strings arguments{"run", flows.path() + "/traced.yaml", "--id", "r1", "--or-resume",
                              "-i",  "trace=" + world.folder()};
      REQUIRE(world.canorun(arguments, {{"CANORUN_CRASH", crash}}).signal == SIGKILL);
      std::map<std::string, std::string> recorded;
      for (const Json& run : world.json({"list"})) {
        const std::string id = run["id"];
        recorded[id] = world.canorun({"events", id, "--json"}).out;
      }
      const Ran ended = world.canorun(arguments);
      INFO(ended.err);
      CHECK(ended.code == 0);
      CHECK(runs(world) == Strings{"r1 succeeded", "r1.1 succeeded", "r1.2 succeeded", "r1.3 succeeded"});
      CHECK(world.json({"show", "r1"})["output"] == Json{"one", "a"});
      std::size_t twice = 0;
      for (const char* child : {"one", "a", "b"}) {
        for (const char* state : {"-a", "-b", "-c", "-d"}) {
          const std::string lines = read_file(world.folder() + "/" + child + state);
          if (lines.size() > 2) ++twice;
          CHECK(lines.size() <= 4);
        }
      }
      CHECK(twice <= 2);  // what was at work in that moment: at most the two branches
      for (const auto& [id, rows] : recorded) CHECK(world.canorun({"events", id, "--json"}).out.starts_with(rows));
    }
  }
}

TEST_CASE("a run waits without a process for its children's times and signals, and each is told by its id") {
  const World world;
  const std::string flow = write_approved(world);
  const Ran waiting = world.canorun({"run", flow, "--id", "r1", "--suspend"});
  CHECK(waiting.code == 75);
  CHECK(waiting.out.find("canorun signal r1.1 answer  # what it waits for") +
            waiting.err.find("canorun signal r1.1 answer") !=
        2 * std::string::npos);
  CHECK(runs(world) == Strings{"r1 waiting", "r1.1 waiting", "r1.2 waiting"});
  const Json waits = world.json({"show", "r1"})["waits_for"];
  CHECK(waits["signal"] == "answer");
  CHECK(waits["run"] == "r1.1");
  CHECK(waits["until"] == world.json({"show", "r1.2"})["waits_for"]["until"]);
  CHECK(world.canorun({"list"}).out.find("waits for signal answer to r1.1, at most until ") != std::string::npos);

  CHECK(world.canorun({"resume", "--due"}).err.ends_with("no run is due\n"));
  CHECK(world.canorun({"signal", "r1.1", "answer", "--data", "\"x\""}).code == 2);
  CHECK(world.canorun({"signal", "r1.1", "answer", "--data", "7"}).code == 0);
  CHECK(world.canorun({"resume", "--due"}).code == 0);
  CHECK(runs(world) == Strings{"r1 waiting", "r1.1 succeeded", "r1.2 waiting"});
  CHECK(world.canorun({"events", "r1.2", "--json"}).out.find("run_resumed") == std::string::npos);

  // A person cancels the nap: its failure is the branch's.
  CHECK(world.canorun({"cancel", "r1.2"}).code == 0);
  CHECK(world.canorun({"resume", "--due"}).code == 1);
  CHECK(runs(world) == Strings{"r1 failed", "r1.1 succeeded", "r1.2 cancelled"});
  CHECK(world.json({"show", "r1"})["error"]["message"].get<std::string>().find("run r1.2: nap: cancelled by") !=
        std::string::npos);
}

TEST_CASE("a child is shown below its parent, and goes on with it") {
  const World world;
  const std::string flow = write_approved(world);
  CHECK(world.canorun({"run", flow, "--id", "r1", "--suspend", "-q"}).code == 75);
  const Json shown = world.json({"show", "r1"});
  CHECK(shown["parent"] == nullptr);
  REQUIRE(shown["children"].size() == 2);
  CHECK(shown["children"][1]["id"] == "r1.2");
  CHECK(shown["children"][1]["flow"] == "nap");
  CHECK(world.json({"show", "r1.2"})["parent"] == "r1");
  CHECK(world.canorun({"show", "r1"}).out.find("  r1.2  waiting  nap ") != std::string::npos);
  CHECK(world.canorun({"show", "r1.2"}).out.find("  child of  r1\n") != std::string::npos);
  CHECK(world.json({"list", "--under", "r1"}).size() == 2);
  CHECK(world.json({"list", "--flow", "nap"})[0]["id"] == "r1.2");
  CHECK(world.canorun({"list", "--under", "r2"}).code == 6);

  CHECK(world.canorun({"resume", "r1.1", "--from", "end"}).code == 2);
  CHECK(world.canorun({"run", flow, "--id", "r1.1", "--or-resume"}).err ==
        "error: run 'r1.1' is a child of 'r1', and goes on with it\nhint: canorun resume r1\n");
  CHECK(world.canorun({"signal", "r1.1", "answer", "--data", "7"}).code == 0);
  const Ran resumed = world.canorun({"resume", "r1.1", "--suspend"});
  CHECK(resumed.code == 75);
  CHECK(resumed.err.starts_with("r1.1 is a child of r1, which is resumed\n"));
  CHECK(runs(world) == Strings{"r1 waiting", "r1.1 succeeded", "r1.2 waiting"});

  CHECK(world.canorun({"cancel", "r1"}).code == 0);
  CHECK(runs(world) == Strings{"r1 cancelled", "r1.1 succeeded", "r1.2 cancelled"});
}

TEST_CASE("a signal and a cancellation reach a child that a process works on") {
  const World world;
  const std::string flow = write_approved(world);
  Program run(world.command({"run", flow, "--id", "r1", "-v"}));
  REQUIRE(eventually([&] { return runs(world) == Strings{"r1 running", "r1.1 running", "r1.2 running"}; }));
  CHECK(world.json({"signal", "r1.1", "answer", "--data", "7"})["owned"] == true);
  REQUIRE(eventually([&] { return run.err().find("both/ask: ok in ") != std::string::npos; }));
  CHECK(run.err().find("both/ask > wait: ok in ") != std::string::npos);
  CHECK(world.canorun({"cancel", "r1.2"}).code == 0);
  const Ran ended = run.wait();
  CHECK(ended.code == 1);
  CHECK(runs(world) == Strings{"r1 failed", "r1.1 succeeded", "r1.2 cancelled"});
}

TEST_CASE("a run and its children are suspended and cancelled together, and no process of theirs is left") {
  const World world;
  world.file("child.yaml",
             "name: child\nstates:\n  work: {run: 'echo $$ > pid; sleep 1000', next: end}\n  end: {exit: success}\n");
  const std::string flow = world.file(
      "flow.yaml",
      "name: flow\nstates:\n  s: {task: flow, with: {file: child.yaml}, next: done}\n  done: {exit: success}\n");
  Program run(world.command({"run", flow, "--id", "r1"}));
  REQUIRE(eventually([&] { return read_file(world.folder() + "/pid").ends_with("\n"); }));
  run.signal(SIGTERM);
  CHECK(run.wait().code == 75);
  CHECK(runs(world) == Strings{"r1 suspended", "r1.1 suspended"});
  const auto gone = [&] { return ::kill(std::stoi(read_file(world.folder() + "/pid")), 0) != 0; };
  CHECK(gone());
  write_file(world.folder() + "/pid", "");
  Program again(world.command({"resume", "--all"}));
  REQUIRE(eventually([&] { return read_file(world.folder() + "/pid").ends_with("\n"); }));
  again.signal(SIGINT);
  CHECK(again.wait().code == 5);
  CHECK(gone());
  CHECK(runs(world) == Strings{"r1 cancelled", "r1.1 cancelled"});
}

TEST_CASE("a run keeps the texts of the flows below it") {
  const World world;
  const std::string flow = write_approved(world);
  CHECK(world.canorun({"run", flow, "--id", "r1", "--suspend"}).code == 75);
  world.file("ask.yaml", "name: none of that\n");
  CHECK(world.canorun({"signal", "r1.1", "answer", "--data", "7"}).code == 0);
  CHECK(world.canorun({"resume", "--due"}).code == 0);
  CHECK(world.json({"show", "r1.1"})["output"] == 7);
  const Ran refused = world.canorun({"resume", "r1", "--file", flow});
  CHECK(refused.code == 2);
  CHECK(refused.err.find("error: " + flow + " and the flows it runs have ") != std::string::npos);
}

TEST_CASE("ten thousand children that wait a second end together") {
  const World world;
  world.file("nap.yaml", "name: nap\nstates:\n  nap: {timer: {for: 1s}, next: end}\n  end: {exit: success}\n");
  const std::size_t count = kSanitized ? 500 : 10'000;
  Json list = Json::array();
  for (std::size_t i = 0; i < count; ++i) list.push_back(i);
  world.file("list.json", Json{{"list", std::move(list)}}.dump());
  const std::string flow = world.file("flow.yaml", R"yaml(
name: many
inputs: {list: list}
states:
  all: {split: {for_each: inputs.list, do: {task: flow, with: {file: nap.yaml}}}, next: done}
  done: {exit: success, output: "${{ states.all.output.succeeded }}"}
)yaml");
  const Ran ran = world.canorun({"run", flow, "--id", "r1", "--inputs", "list.json", "-q"});
  CHECK(ran.code == 0);
  CHECK(world.json({"show", "r1"})["output"] == count);
  CHECK(world.json({"list", "--status", "succeeded"}).size() == count + 1);
}

TEST_CASE("a child that another definition does not fit is refused before anything runs") {
  const World world;
  const std::string flow = write_approved(world);
  CHECK(world.canorun({"run", flow, "--id", "r1", "--suspend"}).code == 75);
  const std::string before = world.canorun({"events", "r1", "--json"}).out;
  world.file("ask.yaml", "name: ask\nversion: 2\nstates: {end: {exit: success, output: 1}}\n");
  const Ran version = world.canorun({"resume", "r1", "--file", flow});
  CHECK(version.code == 2);
  CHECK(
      version.err.starts_with("error: run 'r1.1' cannot go on: it was begun with version 0 of flow 'ask', and this is "
                              "version 2 of 'ask'\nhint: leave --file away"));
  world.file("ask.yaml", "name: ask\nstates: {wait: {exit: success, output: 1}}\n");
  CHECK(world.canorun({"resume", "r1", "--file", flow})
            .err.starts_with(
                "error: run 'r1.1' cannot go on: its state 'wait' is due, and does no work in the flow of now\n"));
  CHECK(world.canorun({"events", "r1", "--json"}).out == before);
  CHECK(runs(world) == Strings{"r1 waiting", "r1.1 waiting", "r1.2 waiting"});
}
