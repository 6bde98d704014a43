// Runs below runs: what of the one becomes of the other.
#include "engine/run/children.h"

#include "harness.h"

using namespace canorun;
using namespace canorun::test;
using namespace std::chrono_literals;

namespace {

using Strings = std::vector<std::string>;

// Runs `child.yaml` once; the child's only work is in `a`.
std::string parent(const std::string& more = "") {
  return fmt::format(R"(
name: parent
states:
  s: {{task: flow, with: {{file: child.yaml, inputs: {{n: 1}}}}, {}next: done, on_error: lost}}
  done: {{exit: success, output: "${{{{ states.s.output }}}}"}}
  lost: {{exit: failure, output: "${{{{ states.s.error.kind + ': ' + states.s.error.message }}}}"}}
)",
                     more);
}

constexpr const char* kChild = R"(
name: child
inputs: {n: {type: int, default: 7}}
states:
  a: {task: act, with: {value: "${{ inputs.n }}"}, next: b}
  b: {task: act, with: {value: "${{ states.a.output }}"}, next: end}
  end: {exit: success, output: "${{ states.b.output }}"}
)";

constexpr const char* kWaits = R"(
name: waits
inputs: {for: {type: string}}
states:
  w: {timer: {for: "${{ inputs['for'] }}"}, next: end}
  end: {exit: success}
)";

constexpr const char* kAsks = R"(
name: asks
states:
  w: {wait: {signal: go}, next: end}
  end: {exit: success, output: "${{ states.w.output }}"}
)";

// Two branches, `a` and `b`, each a child.
std::string two(const std::string& a, const std::string& b, const std::string& more = "") {
  return fmt::format(R"(
name: two
states:
  s:
    split:
      branches:
        a: {{task: flow, with: {{{}}}}}
        b: {{task: flow, with: {{{}}}}}
{}
    next: done
    on_error: lost
  done: {{exit: success, output: "${{{{ states.s.output.succeeded }}}}"}}
  lost: {{exit: failure, output: "${{{{ states.s.error.message }}}}"}}
)",
                     a, b, more);
}

void send(store::CheckpointStore& store, const std::string& id) {
  CHECK(store.send(id, {.name = "go", .at = *parse_time("2026-11-23T08:15:00Z"), .data = 5}));
}

struct ChildFixture : Fixture {
  void begin(const std::string& yaml, const char* child = kChild) {
    flow = flow_of(yaml, {{"child.yaml", child}, {"waits.yaml", kWaits}, {"asks.yaml", kAsks}});
    process.start(flow);
  }
  // Another process; the first must have let go.
  void again(std::optional<std::string> from = {}, bool lets_go = false) {
    later.push_back(std::make_unique<Harness>(store));
    if (lets_go) later.back()->let_go();
    later.back()->resume(flow, std::move(from));
  }
  Harness& last() { return *later.back(); }

  std::shared_ptr<const model::Flow> flow;
  std::vector<std::unique_ptr<Harness>> later;
};

}  // namespace

TEST_CASE_FIXTURE(ChildFixture, "a child is a run of its own under its parent, and its output is the action's") {
  begin(parent());
  process.until_done();
  CHECK(process.finished->run.output == 1);
  CHECK(runs_of(store) == Strings{"r1 succeeded", "r1.1 succeeded"});
  CHECK(rows() == Strings{R"(run_started {"inputs":{},"vars":{}})", R"(state_entered {"state":"s","visit":1})",
                          R"(state_ended {"attempts":1,"output":1,"state":"s","visit":1})",
                          R"(run_ended {"output":1,"state":"done","status":"succeeded"})"});
  CHECK(rows_of(store, "r1.1") == Strings{R"(run_started {"inputs":{"n":1},"parent":"r1","vars":{}})",
                                          R"(state_entered {"state":"a","visit":1})",
                                          R"(state_ended {"attempts":1,"output":1,"state":"a","visit":1})",
                                          R"(state_entered {"state":"b","visit":1})",
                                          R"(state_ended {"attempts":1,"output":1,"state":"b","visit":1})",
                                          R"(run_ended {"output":1,"state":"end","status":"succeeded"})"});
  CHECK(process.recorder.lines == Strings{"began parent", "enter s 1", "attempt s 1/1", "s: began child",
                                          "s: enter a 1", "s: attempt a 1/1", "s: succeeded a after 1", "s: enter b 1",
                                          "s: attempt b 1/1", "s: succeeded b after 1", "succeeded s after 1"});
  CHECK(store.find("r1.1")->parent == "r1");
  CHECK(*store.text(flow->children.at("child.yaml")->digest) == kChild);
}

TEST_CASE_FIXTURE(ChildFixture, "the failure of a child is the action's, and each attempt has a child of its own") {
  Harness::acts["b"] = fails("exit", "exit code 3");
  begin(parent("retry: {max: 1, delay: 1s, jitter: 0}, "));
  until_line("failed s 1 exit retry 1000");
  process.clock.advance(1s);
  process.until_done();
  CHECK(process.finished->run.output == "exit: run r1.2: b: exit code 3");
  CHECK(runs_of(store) == Strings{"r1 failed", "r1.1 failed", "r1.2 failed"});
}

TEST_CASE_FIXTURE(ChildFixture, "a child that reaches a failure exit fails its action") {
  begin(parent(),
        "name: child\ninputs: {n: {type: int}}\nstates:\n  a: {task: act, next: no}\n  no: {exit: failure}\n");
  process.until_done();
  CHECK(process.finished->run.output == "task: run r1.1: it ended in 'no', which is a failure");
}

TEST_CASE_FIXTURE(ChildFixture, "what ends a child alone is a failure that its parent can handle") {
  Harness::acts["a"] = hangs();
  std::string child = kChild;
  begin(parent(), (child + "timeout: 1m\n").c_str());
  until_line("s: attempt a 1/1");
  process.clock.advance(1min);
  process.until_done();
  CHECK(process.finished->run.output == "timeout: run r1.1: a: the run's budget of 1m is spent");
}

TEST_CASE_FIXTURE(ChildFixture, "a child alone can be cancelled, and its action fails") {
  Harness::acts["a"] = hangs();
  begin(parent());
  until_line("s: attempt a 1/1");
  CHECK(*store.post("r1.1", store::Request::kCancel));
  process.clock.advance(2s);  // it looks by itself: this store wakes nobody
  process.until_done();
  CHECK(process.finished->run.output == "task: run r1.1: a: cancelled by 'canorun cancel'");
  CHECK(runs_of(store) == Strings{"r1 failed", "r1.1 cancelled"});
}

TEST_CASE_FIXTURE(ChildFixture, "inputs that do not fit at run time fail the action, and no child begins") {
  Harness::acts["x"] = gives("text");
  begin(R"(
name: parent
states:
  x: {task: act, next: s}
  s: {task: flow, with: {file: child.yaml, inputs: "${{ {'n': states.x.output} }}"}, next: done, on_error: lost}
  done: {exit: success}
  lost: {exit: failure, output: "${{ states.s.error.message }}"}
)");
  process.until_done();
  CHECK(process.finished->run.output == "inputs of flow 'child': input 'n' must be an int, not string \"text\"");
  CHECK(runs_of(store) == Strings{"r1 failed"});
}

TEST_CASE_FIXTURE(ChildFixture, "cancelling a run cancels the children that run") {
  Harness::acts["a"] = hangs();
  begin(two("file: child.yaml", "file: child.yaml"));
  process.until([&] { return runs_of(store).size() == 3; });
  turn();
  process.interrupt.raise(run::Reason::kCancel, "by a person");
  process.until_done();
  CHECK(runs_of(store) == Strings{"r1 cancelled", "r1.1 cancelled", "r1.2 cancelled"});
  CHECK(store.load("r1.2")->rows.size() == 4);
  CHECK(run::replay("r1.2", store.load("r1.2")->rows).error["message"] == "by a person");
}

TEST_CASE_FIXTURE(ChildFixture, "an attempt's timeout, and a join that is decided, end a child") {
  Harness::acts["a"] = hangs();
  SUBCASE("timeout") {
    begin(parent("timeout: 1s, "));
    until_line("s: attempt a 1/1");
    process.clock.advance(1s);
    process.until_done();
    CHECK(process.finished->run.output == "timeout: no result within 1s");
    CHECK(run::replay("r1.1", store.load("r1.1")->rows).error["message"] ==
          "not over within the timeout of its parent's action");
  }
  SUBCASE("join") {
    begin(two("file: child.yaml", "file: waits.yaml, inputs: {for: 1s}", "      join: any"));
    until_line("s/b: waiting w 2026-11-23T08:15:01.000Z");
    process.clock.advance(1s);
    process.until_done();
    CHECK(process.finished->run.output == 1);
    CHECK(runs_of(store) == Strings{"r1 succeeded", "r1.1 cancelled", "r1.2 succeeded"});
    CHECK(run::replay("r1.1", store.load("r1.1")->rows).error["message"] == "its parent goes on without it");
  }
}

TEST_CASE_FIXTURE(ChildFixture, "a suspended run and its child go on where they were") {
  Harness::acts["b"] = hangs();
  begin(parent());
  until_line("s: attempt b 1/1");
  process.interrupt.raise(run::Reason::kSuspend, "SIGTERM");
  process.until_done();
  CHECK(runs_of(store) == Strings{"r1 suspended", "r1.1 suspended"});
  Harness::acts.clear();
  again();
  last().until_done();
  CHECK(last().finished->run.output == 1);
  CHECK(runs_of(store) == Strings{"r1 succeeded", "r1.1 succeeded"});
  CHECK(last().recorder.lines == Strings{"resumed at s", "enter s 1", "attempt s 1/1", "s: resumed at b",
                                         "s: enter b 1", "s: attempt b 1/1", "s: succeeded b after 1",
                                         "succeeded s after 1"});
}

TEST_CASE_FIXTURE(ChildFixture, "the resume of a failed run goes on with the child that failed, where it failed") {
  Harness::acts["b"] = fails("exit");
  begin("name: parent\nstates:\n  s: {task: flow, with: {file: child.yaml}, next: done}\n  done: {exit: success}\n");
  process.until_done();
  CHECK(runs_of(store) == Strings{"r1 failed", "r1.1 failed"});
  Harness::acts.clear();
  again();
  last().until_done();
  CHECK(runs_of(store) == Strings{"r1 succeeded", "r1.1 succeeded"});
  CHECK(store.load("r1.1")->rows.size() == 9);  // `a` was not done again
}

TEST_CASE_FIXTURE(ChildFixture, "a child that has succeeded is not run again, whatever became of its parent then") {
  begin(
      "name: parent\nvars: {v: null}\nstates:\n"
      "  s: {task: flow, with: {file: child.yaml}, set: {v: \"${{ [1][output] }}\"}, next: done}\n"
      "  done: {exit: success}\n");
  process.until_done();
  CHECK(process.finished->run.status == store::Status::kFailed);
  again();
  last().until_done();
  CHECK(last().finished->run.error["message"] == process.finished->run.error["message"]);
  CHECK(runs_of(store) == Strings{"r1 failed", "r1.1 succeeded"});
}

TEST_CASE_FIXTURE(ChildFixture, "a failed run whose child is over begins another one") {
  const char* child =
      "name: child\ninputs: {n: {type: int}}\nstates:\n  a: {task: act, next: [{when: output == 1, to: no}, {to: "
      "ok}]}\n"
      "  no: {exit: failure}\n  ok: {exit: success}\n";
  Harness::acts["a"] = gives(1);
  begin(
      "name: parent\nstates:\n  s: {task: flow, with: {file: child.yaml, inputs: {n: 1}}, next: done}\n"
      "  done: {exit: success}\n",
      child);
  process.until_done();
  Harness::acts["a"] = gives(2);
  again();
  last().until_done();
  CHECK(runs_of(store) == Strings{"r1 succeeded", "r1.1 failed", "r1.2 succeeded"});
}

TEST_CASE_FIXTURE(ChildFixture, "a run that goes on elsewhere leaves no child behind") {
  Harness::acts["a"] = hangs();
  begin(parent());
  until_line("s: attempt a 1/1");
  process.interrupt.raise(run::Reason::kSuspend, "SIGTERM");
  process.until_done();
  again("lost");
  last().until_done();
  CHECK(runs_of(store) == Strings{"r1 failed", "r1.1 cancelled"});
}

TEST_CASE_FIXTURE(ChildFixture, "an id that somebody took is passed over") {
  Harness other{store};
  other.start(flow_of(parent(), {{"child.yaml", kChild}}), Json::object(), "r1.1");
  other.until_done();
  run::LoopClock::source = &process.clock;
  begin(parent());
  process.until_done();
  CHECK(runs_of(store) == Strings{"r1.1 succeeded", "r1.1.1 succeeded", "r1 succeeded", "r1.2 succeeded"});
  const auto children = store.list({.parent = "r1"});
  REQUIRE(children->size() == 1);
  CHECK(children->front().id == "r1.2");
}

TEST_CASE_FIXTURE(ChildFixture, "a flow that runs itself ends at the sixteenth level below the first") {
  process.start(
      flow_of("name: again\nstates:\n  s: {task: flow, with: {file: test.yaml}, next: done}\n"
              "  done: {exit: success}\n"));
  process.until_done();
  CHECK(
      process.finished->run.error["message"] ==
      "run r1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1: s: runs nest 16 levels deep already (does a flow run itself without an "
      "end?)");
  CHECK(runs_of(store).size() == 17);
}

TEST_CASE_FIXTURE(ChildFixture, "an id that would become too long fails the action") {
  process.start(flow_of(parent(), {{"child.yaml", kChild}}), Json::object(), std::string(127, 'r'));
  process.until_done();
  CHECK(process.finished->run.output ==
        fmt::format("task: '{}.1' is too long for the id of a child run (give the run a "
                    "shorter one with --id)",
                    std::string(127, 'r')));
}

TEST_CASE_FIXTURE(ChildFixture, "a run whose children only wait is let go of, and goes on with those that are due") {
  process.let_go();
  begin(two("file: asks.yaml", "file: waits.yaml, inputs: {for: 1h}"));
  process.until_done();
  CHECK(runs_of(store) == Strings{"r1 waiting", "r1.1 waiting", "r1.2 waiting"});
  const WallTime end = *parse_time("2026-11-23T09:15:00Z");
  CHECK(store.find("r1")->waits_for == store::WaitsFor{.until = end, .signal = "go", .run = "r1.1", .children = 2});
  CHECK(store.find("r1.2")->waits_for == store::WaitsFor{.until = end});
  send(store, "r1.1");
  again({}, true);
  last().until_done();
  CHECK(runs_of(store) == Strings{"r1 waiting", "r1.1 succeeded", "r1.2 waiting"});
  CHECK(store.find("r1")->waits_for == store::WaitsFor{.until = end, .children = 1});
  CHECK(store.load("r1.2")->rows.size() == 3);  // it was not taken up for nothing
  again({}, true);
  last().clock.advance(1h);
  last().until_done();
  CHECK(last().finished->run.output == 2);
  CHECK(runs_of(store) == Strings{"r1 succeeded", "r1.1 succeeded", "r1.2 succeeded"});
}

TEST_CASE_FIXTURE(ChildFixture, "while another branch works, a child that waits is taken up when it is due") {
  process.let_go();
  Harness::acts["a"] = hangs();
  begin(two("file: child.yaml", "file: waits.yaml, inputs: {for: 1h}"));
  process.until([&] { return runs_of(store) == Strings{"r1 running", "r1.1 running", "r1.2 waiting"}; });
  turn();
  CHECK(!process.finished);
  process.clock.advance(1h);
  until_line("part s/b");
  process.interrupt.raise(run::Reason::kCancel, "enough");
  process.until_done();
  CHECK(runs_of(store) == Strings{"r1 cancelled", "r1.1 cancelled", "r1.2 succeeded"});
}

TEST_CASE_FIXTURE(ChildFixture, "a child that waits, and for which nothing waits any more, is cancelled") {
  process.let_go();
  Harness::acts["a"] = after(2s, gives(1));
  begin(two("file: child.yaml", "file: waits.yaml, inputs: {for: 1h}", "      join: any"));
  process.until([&] { return runs_of(store) == Strings{"r1 running", "r1.1 running", "r1.2 waiting"}; });
  process.clock.advance(2s);
  process.until_done();
  CHECK(runs_of(store) == Strings{"r1 succeeded", "r1.1 succeeded", "r1.2 cancelled"});
}

TEST_CASE_FIXTURE(ChildFixture, "a child that somebody cancels while it waits fails its action") {
  process.let_go();
  begin(R"(
name: parent
states:
  s: {task: flow, with: {file: asks.yaml}, next: done, on_error: lost}
  done: {exit: success}
  lost: {exit: failure, output: "${{ states.s.error.message }}"}
)");
  process.until_done();
  Harness other{store};
  other.cancel("r1.1", "by a person");
  other.until_done();
  again({}, true);
  last().until_done();
  CHECK(last().finished->run.output == "run r1.1: w: by a person");
  CHECK(runs_of(store) == Strings{"r1 failed", "r1.1 cancelled"});
}

TEST_CASE_FIXTURE(ChildFixture, "cancelling a run that nobody works on cancels all below it") {
  process.let_go();
  begin(two("file: asks.yaml", "file: waits.yaml, inputs: {for: 1h}"));
  process.until_done();
  Harness other{store};
  other.cancel("r1", "by a person");
  other.until_done();
  CHECK(runs_of(store) == Strings{"r1 cancelled", "r1.1 cancelled", "r1.2 cancelled"});
}

TEST_CASE_FIXTURE(ChildFixture, "children take up another definition with their parent, unless it does not fit them") {
  constexpr const char* kParent = R"(
name: parent
states:
  s: {task: flow, with: {file: child.yaml}, next: done}
  done: {exit: success, output: "${{ states.s.output }}"}
)";
  const auto child_of = [](int version, const char* output) {
    return fmt::format(
        "name: child\nversion: {}\nstates:\n  a: {{task: act, next: b}}\n"
        "  b: {{task: act, next: end}}\n  end: {{exit: success, output: {}}}\n",
        version, output);
  };
  Harness::acts["b"] = fails("exit");
  begin(kParent, child_of(1, "one").c_str());
  process.until_done();
  Harness::acts.clear();
  SUBCASE("it fits") {
    flow = flow_of(kParent, {{"child.yaml", child_of(1, "another")}});
    again();
    last().until_done();
    CHECK(last().finished->run.output == "another");
    CHECK(runs_of(store) == Strings{"r1 succeeded", "r1.1 succeeded"});
    CHECK(last().finished->run.start.flows.at("/tmp/child.yaml") == flow->children.at("child.yaml")->digest);
  }
  SUBCASE("it does not") {
    flow = flow_of(kParent, {{"child.yaml", child_of(2, "another")}});
    again();
    last().until_done();
    CHECK(run::misfit(*flow->children.at("child.yaml"), run::replay("r1.1", store.load("r1.1")->rows)) ==
          "it was begun with version 1 of flow 'child', and this is version 2 of 'child'");
    CHECK(last().finished->run.output == "another");
    CHECK(runs_of(store) == Strings{"r1 succeeded", "r1.1 failed", "r1.2 succeeded"});
  }
}

TEST_CASE_FIXTURE(ChildFixture, "a child whose due state works no more, or is gone, gives way to another one") {
  Harness::acts["b"] = fails("exit");
  begin("name: parent\nstates:\n  s: {task: flow, with: {file: child.yaml}, next: done}\n  done: {exit: success}\n");
  process.until_done();
  const char* child = "name: child\nstates:\n  a: {task: act, next: b}\n  b: {exit: success}\n";
  flow = flow_of(flow->text + "timeout: 1h\n", {{"child.yaml", child}});
  again();
  last().until_done();
  CHECK(runs_of(store) == Strings{"r1 succeeded", "r1.1 failed", "r1.2 succeeded"});
}

TEST_CASE_FIXTURE(ChildFixture, "a poll goes on with the child that its ask was at, and asks another one then") {
  const char* kPoll = R"(
name: poll
states:
  s: {poll: {do: {task: flow, with: {file: child.yaml}}, until: output.n == 2, every: 1s}, next: done}
  done: {exit: success, output: "${{ states.s.output.polls }}"}
)";
  const char* child = R"(
name: child
states:
  w: {timer: {for: 1h}, next: a}
  a: {task: act, next: end}
  end: {exit: success, output: {n: "${{ states.a.output }}"}}
)";
  Harness::acts["a"] = gives(1);
  process.let_go();
  begin(kPoll, child);
  process.until_done();
  CHECK(runs_of(store) == Strings{"r1 waiting", "r1.1 waiting"});
  const auto session = [&](int hours) {
    again({}, true);
    last().clock.advance(std::chrono::hours(hours));
    last().until([&] { return last().finished || !last().recorder.last_begins("poll s"); });
    int turns = 0;
    last().until([&] {
      last().clock.advance(1s);
      return last().finished || ++turns > 1000;
    });
    CHECK(last().finished);
  };
  session(1);
  CHECK(runs_of(store) == Strings{"r1 waiting", "r1.1 succeeded", "r1.2 waiting"});
  Harness::acts["a"] = gives(2);
  session(3);
  CHECK(runs_of(store) == Strings{"r1 succeeded", "r1.1 succeeded", "r1.2 succeeded"});
  CHECK(last().finished->run.output == 2);
}

TEST_CASE_FIXTURE(ChildFixture, "a child that suspended before its parent was cancelled is cancelled, too") {
  Harness::acts["b"] = [](model::TaskContext& context, Json) -> boost::asio::awaitable<model::Outcome> {
    co_await run::deaf();  // takes its time
    run::Timer timer(context.executor());
    timer.expires_after(5s);
    co_await timer.async_wait(boost::asio::use_awaitable);
    co_await run::calm();
    model::cut_off();
  };
  begin(two("file: child.yaml", "file: waits.yaml, inputs: {for: 1h}"));
  until_line("s/a: attempt b 1/1");
  process.interrupt.raise(run::Reason::kSuspend, "SIGTERM");
  process.until([&] { return runs_of(store)[2] == "r1.2 suspended"; });
  process.interrupt.raise(run::Reason::kCancel, "by a person");
  turn();
  process.clock.advance(5s);
  process.until_done();
  CHECK(runs_of(store) == Strings{"r1 cancelled", "r1.1 cancelled", "r1.2 cancelled"});
}

TEST_CASE_FIXTURE(ChildFixture, "a child of a state that was over when it was taken up again is ended with the state") {
  process.let_go();
  begin(R"(
name: parent
states:
  s: {split: {branches: {x: {task: flow, with: {file: asks.yaml}}}}, timeout: 2m, next: t, on_error: t}
  t: {split: {branches: {x: {task: flow, with: {file: asks.yaml}}}}, next: done}
  done: {exit: success}
)");
  process.until_done();
  CHECK(runs_of(store) == Strings{"r1 waiting", "r1.1 waiting"});
  again({}, true);
  last().clock.advance(2min);
  last().until_done();
  CHECK(runs_of(store) == Strings{"r1 waiting", "r1.1 cancelled", "r1.2 waiting"});
}

TEST_CASE_FIXTURE(ChildFixture, "a child that is cancelled after its parent was resumed fails its action") {
  Harness::acts["a"] = fails("exit");
  begin("name: parent\nstates:\n  s: {task: flow, with: {file: child.yaml}, next: done}\n  done: {exit: success}\n",
        "name: child\nstates:\n  a: {task: act, next: w}\n  w: {wait: {signal: go}, next: end}\n  end: {exit: "
        "success}\n");
  process.until_done();
  Harness::acts.clear();
  again({}, true);
  last().until_done();
  CHECK(runs_of(store) == Strings{"r1 waiting", "r1.1 waiting"});
  Harness other{store};
  other.clock.advance(1s);
  other.cancel("r1.1", "by a person");
  other.until_done();
  again({}, true);
  last().until_done();
  CHECK(last().finished->run.error["message"] == "run r1.1: w: by a person");
  CHECK(last().finished->run.error["run"] == "r1.1");
  CHECK(runs_of(store) == Strings{"r1 failed", "r1.1 cancelled"});
}

TEST_CASE_FIXTURE(ChildFixture, "a run that has ended is not ended again by a cancellation that comes late") {
  begin(parent());
  process.until_done();
  const auto rows_before = store.load("r1")->rows.size();
  Harness other{store};
  other.cancel("r1", "by a person");
  other.until_done();
  CHECK(other.finished->run.status == store::Status::kSucceeded);
  CHECK(store.load("r1")->rows.size() == rows_before);
  CHECK(store.claim("r1"));  // it was let go of
}

TEST_CASE_FIXTURE(ChildFixture, "a waiting child whose action runs another flow now gives way to it at once") {
  const auto yaml = [](const char* file) {
    return fmt::format(
        "name: parent\nstates:\n  s: {{task: flow, with: {{file: {}}}, next: done}}\n"
        "  done: {{exit: success, output: \"${{{{ states.s.output }}}}\"}}\n",
        file);
  };
  process.let_go();
  begin(yaml("asks.yaml"));
  process.until_done();
  CHECK(runs_of(store) == Strings{"r1 waiting", "r1.1 waiting"});
  flow = flow_of(yaml("child.yaml"), {{"child.yaml", kChild}});
  again({}, true);
  last().until_done();
  CHECK(last().finished->run.output == 7);
  CHECK(runs_of(store) == Strings{"r1 succeeded", "r1.1 cancelled", "r1.2 succeeded"});
}

TEST_CASE_FIXTURE(ChildFixture, "a poll does not go on with an ask that has failed") {
  Harness::acts["b"] = fails("exit");
  const auto seen = std::make_shared<int>(0);
  Harness::acts["a"] = [seen](model::TaskContext&, Json) -> boost::asio::awaitable<model::Outcome> {
    ++*seen;
    co_return model::Success{*seen};
  };
  begin(
      "name: poll\nstates:\n  s: {poll: {do: {task: flow, with: {file: child.yaml}}, until: output.polls > 0, every: "
      "10s, max_errors: 5}, next: done}\n  done: {exit: success}\n",
      "name: child\nstates:\n  a: {task: act, next: b}\n  b: {task: act, next: end}\n"
      "  end: {exit: success, output: {polls: 1}}\n");
  until_line("failed s/0 1 exit");
  turn();
  process.interrupt.raise(run::Reason::kSuspend, "SIGTERM");
  process.until_done();
  CHECK(runs_of(store) == Strings{"r1 suspended", "r1.1 failed"});
  Harness::acts.erase("b");
  again();
  last().until_done();
  CHECK(runs_of(store) == Strings{"r1 succeeded", "r1.1 failed", "r1.2 succeeded"});
  CHECK(*seen == 2);
}

TEST_CASE_FIXTURE(ChildFixture, "a run that ends as soon as it is resumed leaves no child open") {
  process.let_go();
  begin("name: parent\nstates:\n  s: {task: flow, with: {file: child.yaml}, next: done}\n  done: {exit: success}\n",
        kAsks);
  process.until_done();
  CHECK(runs_of(store) == Strings{"r1 waiting", "r1.1 waiting"});
  flow = flow_of(flow->text + "env: {X: \"${{ [1][3] }}\"}\n", {{"child.yaml", kAsks}});
  again();
  last().until_done();
  CHECK(runs_of(store) == Strings{"r1 failed", "r1.1 cancelled"});
}
