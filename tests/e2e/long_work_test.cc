// Branches, items, steps and waits in real processes: killed, stopped, taken up again.
#include <filesystem>
#include <set>

#include "support/sanitizer.h"
#include "sweep.h"

using namespace canorun;
using namespace canorun::test;

namespace {

std::string example(const std::string& name) { return std::string(CANORUN_SOURCE_DIR) + "/workflows/examples/" + name; }

// Every piece of work leaves a line in a file of its own.
const char* const kTraced = R"yaml(
name: traced
env: {TRACE: "${{ inputs.trace }}"}
inputs: {trace: string}
states:
  fork:
    split:
      branches:
        a: {run: 'echo >> "$TRACE/fork-$CANORUN_PART"'}
        b: {run: 'echo >> "$TRACE/fork-$CANORUN_PART"; exit 3'}
        c: {run: 'echo >> "$TRACE/fork-$CANORUN_PART"'}
      join: {partial_results: 3}
    next: many
  many:
    batch:
      items: "['x', 'y', 'z']"
      as: it
      concurrency: 2
      do: {run: 'echo >> "$TRACE/many-$CANORUN_PART"; echo ${{ it }}'}
    next: ask
  ask:
    poll:
      do: {run: 'echo >> "$TRACE/ask"; wc -l < "$TRACE/ask"', parse: json}
      until: output.json >= 2
      every: 10ms
    next: walk
  walk:
    stepped:
      initial: 0
      do: {run: 'echo >> "$TRACE/walk-$CANORUN_PART"; echo ${{ cursor }}', parse: json}
      cursor: "output.json == 2 ? dyn(null) : output.json + 1"
    next: done
  done:
    exit: success
    output:
      fork: "${{ states.fork.output.branches.map(b, states.fork.output.branches[b].status) }}"
      many: "${{ states.many.output.items.map(i, i.output.stdout) }}"
      steps: "${{ states.walk.output.steps }}"
)yaml";

// The parts whose end is recorded: `fork-a`, `many-1`, `walk-0`.
std::set<std::string> ended_parts(const World& world) {
  std::set<std::string> parts;
  std::istringstream events(world.canorun({"events", "r1", "--json"}).out);
  for (std::string line; std::getline(events, line);) {
    const Json event = Json::parse(line, nullptr, false);
    if (event.is_discarded()) continue;
    for (const char* key : {"branch", "index", "step"}) {
      if (event.contains(key)) parts.insert(event["state"].get<std::string>() + "-" + to_text(event[key]));
    }
  }
  return parts;
}

}  // namespace

TEST_CASE("branches, items and steps that ended are not done again, wherever the process was killed") {
  const auto run = [](const World& world, const std::string& crash) {
    const std::string flow = world.file("flow.yaml", kTraced);
    const std::string trace = world.folder() + "/trace";
    std::filesystem::create_directory(trace);
    const std::vector<std::string> arguments{"run", flow, "--id", "r1", "--or-resume", "-i", "trace=" + trace};
    if (!crash.empty()) {
      CHECK(world.canorun(arguments, {{"CANORUN_CRASH", crash}}).signal == SIGKILL);
      const auto before = ended_parts(world);
      const Ran resumed = world.canorun(arguments);
      INFO("stderr: ", resumed.err);
      CHECK(resumed.code == 0);
      for (const std::string& part : before) CHECK(read_file(trace + "/" + part) == "\n");
    } else {
      CHECK(world.canorun(arguments).code == 0);
    }
    return world.json({"show", "r1"})["output"];
  };
  const World whole;
  const Json output = run(whole, "");
  CHECK(output == Json{{"fork", {"succeeded", "failed", "succeeded"}}, {"many", {"x", "y", "z"}}, {"steps", 3}});
  const auto rows = whole.canorun({"events", "r1", "--json"}).out;
  const auto count = std::count(rows.begin(), rows.end(), '\n');
  CHECK(count == 19);
  for (int row = 0; row < count; ++row) {
    for (const std::string when : {"before:", "after:"}) {
      const std::string crash = when + std::to_string(row);
      CAPTURE(crash);
      const World world;
      CHECK(run(world, crash) == output);
    }
  }
}

TEST_CASE("a killed split leaves no branch behind once it is resumed") {
  const World world;
  const std::string flow = world.file("flow.yaml", R"yaml(
name: fork
states:
  fork:
    split:
      branches:
        a: {run: 'trap "" TERM HUP; [ -e a ] && exit 0; touch a; while :; do sleep 98771; done'}
        b: {run: 'trap "" TERM HUP; [ -e b ] && exit 0; touch b; while :; do sleep 98771; done'}
    next: done
  done: {exit: success}
)yaml");
  const auto exists = [&](const char* name) { return std::filesystem::exists(world.folder() + "/" + name); };
  Program run(world.command({"run", flow, "--id", "r1"}));
  REQUIRE(eventually([&] { return exists("a") && exists("b"); }));
  run.signal(SIGKILL);
  run.wait();
  CHECK(world.canorun({"resume", "r1"}).code == 0);
  CHECK(processes_with("98771") == 0);
}

TEST_CASE("a join that is decided, a cancellation and a suspension leave no branch running") {
  const std::string flow = R"yaml(
name: fork
inputs: {quick: string}
states:
  fork:
    split:
      branches:
        quick: {run: 'while ! [ -e "${{ inputs.quick }}" ]; do sleep 0.05; done'}
        slow: {run: '(trap "" TERM; exec sleep 98772) & touch slow; sleep 98772'}
      join: any
    next: done
  done: {exit: success}
)yaml";
  const auto stop = [&](const std::function<void(const World&, Program&)>& how, int code) {
    const World world;
    Program run(world.command(
        {"run", world.file("flow.yaml", flow), "--id", "r1", "-i", "quick=" + world.folder() + "/quick"}));
    REQUIRE(eventually([&] { return std::filesystem::exists(world.folder() + "/slow"); }));
    how(world, run);
    CHECK(run.wait().code == code);
    CHECK(processes_with("98772") == 0);
  };
  stop([](const World& world, Program&) { world.file("quick", ""); }, 0);
  stop([](const World&, Program& run) { run.signal(SIGINT); }, 5);
  stop([](const World&, Program& run) { run.signal(SIGTERM); }, 75);
}

TEST_CASE("the examples of long work survive a kill at every row") {
  CHECK(sweep({.flow = example("checksums.yaml"), .inputs = {"list={world}/sums/list"}, .compare = {"sums"}}) >= 14);
  CHECK(sweep({.flow = example("pages.yaml"), .inputs = {"pages={world}/pages"}, .compare = {"pages"}}) == 8);
}

TEST_CASE("a run waits for a person without a process, and goes on with the answer") {
  const World world;
  const auto due = [&] { return world.canorun({"resume", "--due"}); };
  const Ran waiting = world.canorun({"run", example("approval.yaml"), "--id", "r1", "--suspend", "-i", "what=all"});
  CHECK(waiting.code == 75);
  CHECK(waiting.err.find("canorun signal r1 answer") != std::string::npos);
  const Json listed = world.json({"list"})[0];
  CHECK(listed["status"] == "waiting");
  CHECK(listed["waits_for"]["signal"] == "answer");
  CHECK(listed["waits_for"]["until"].is_string());
  CHECK(due().err == "no run is due\n");
  CHECK(world.json({"list"})[0]["status"] == "waiting");

  const Ran misspelt = world.canorun({"signal", "r1", "anser", "--data", "{}"});
  CHECK(misspelt.code == 2);
  CHECK(misspelt.err ==
        "error: no state of flow 'approval' waits for a signal 'anser'\nhint: did you mean 'answer'?\n");
  const Ran empty = world.canorun({"signal", "r1", "answer"});
  CHECK(empty.code == 2);
  CHECK(empty.err == "error: signal 'answer' wants map, not nothing\nhint: give it with --data, as JSON\n");
  CHECK(world.canorun({"signal", "r1", "answer", "--data", "{"}).code == 2);
  CHECK(world.canorun({"signal", "r2", "answer"}).code == 6);

  CHECK(world.json({"signal", "r1", "answer", "--data", R"({"approved": true, "by": "ann"})"}) ==
        Json{{"id", "r1"}, {"signal", "answer"}, {"owned", false}});
  CHECK(due().code == 0);
  const Json run = world.json({"show", "r1"});
  CHECK(run["status"] == "succeeded");
  CHECK(run["output"] == Json{{"by", "ann"}});
  const Ran over = world.canorun({"signal", "r1", "answer", "--data", "{}"});
  CHECK(over.code == 6);
  CHECK(over.err == "error: run 'r1' is over (succeeded) and takes no signal\n");
}

TEST_CASE("a signal reaches a run that waits, and twice the same is kept in order") {
  const World world;
  const std::string flow = world.file("flow.yaml", R"yaml(
name: twice
states:
  one: {wait: {signal: go}, next: two}
  two: {wait: {signal: go}, next: done}
  done: {exit: success, output: ["${{ states.one.output }}", "${{ states.two.output }}"]}
)yaml");
  Program run(world.command({"run", flow, "--id", "r1"}));
  REQUIRE(eventually([&] { return run.err().find("waits for signal go") != std::string::npos; }));
  CHECK(world.json({"signal", "r1", "go", "--data", "1"})["owned"] == true);
  CHECK(world.canorun({"signal", "r1", "go", "--data", "2"}).code == 0);
  const Ran ended = run.wait();
  CHECK(ended.code == 0);
  CHECK(ended.out.ends_with("[1,2]\n"));
}

TEST_CASE("a signal is taken once, wherever the process was killed") {
  const std::string text = R"yaml(
name: once
states:
  one: {wait: {signal: go}, next: done}
  done: {exit: success, output: "${{ states.one.output }}"}
)yaml";
  // Rows: 0 run_started, 1 entered one, 2 run_suspended, 3 run_resumed, 4 signal_received, 5 ended one, 6 run_ended.
  for (const std::string crash : {"before:4", "after:4", "before:5", "after:5"}) {
    CAPTURE(crash);
    const World world;
    const std::string flow = world.file("flow.yaml", text);
    CHECK(world.canorun({"run", flow, "--id", "r1", "--suspend"}).code == 75);
    CHECK(world.canorun({"signal", "r1", "go", "--data", "7"}).code == 0);
    CHECK(world.canorun({"resume", "r1"}, {{"CANORUN_CRASH", crash}}).signal == SIGKILL);
    CHECK(world.canorun({"run", flow, "--id", "r1", "--or-resume"}).code == 0);
    CHECK(world.json({"show", "r1"})["output"] == 7);
    const std::string events = world.canorun({"events", "r1", "--json"}).out;
    CHECK(events.find("signal_received") == events.rfind("signal_received"));
  }
}

TEST_CASE("ten thousand branches that wait a second in one process end together, in 64 MiB") {
  const World world;
  const std::size_t count = kSanitized ? 500 : 10'000;
  Json list = Json::array();
  for (std::size_t i = 0; i < count; ++i) list.push_back(i);
  world.file("list.json", Json{{"list", std::move(list)}}.dump());
  std::string text = R"yaml(
name: many
inputs: {list: list}
states:
  all:
    split:
      for_each: inputs.list
      do: {task: fail, with: {message: "no"}, retry: {max: 1, delay: 1s, jitter: 0}}
      join: {partial_results: COUNT}
    next: done
  done: {exit: success, output: "${{ states.all.output.failed }}"}
)yaml";
  text.replace(text.find("COUNT"), 5, std::to_string(count));
  const std::string flow = world.file("flow.yaml", text);
  const Ran ran = world.canorun({"run", flow, "--id", "r1", "--inputs", "list.json", "-q"});
  CHECK(ran.code == 0);
  CHECK(world.json({"show", "r1"})["output"] == count);
  CHECK((kSanitized || ran.peak < 64 * 1024));
}
