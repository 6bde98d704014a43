// Concurrency groups: one run at a time, and what becomes of the others.
#include "engine/run/group.h"

#include "harness.h"

using namespace canorun;
using namespace canorun::test;
using namespace std::chrono_literals;

namespace {

using Strings = std::vector<std::string>;

std::string flow(const std::string& on_conflict) {
  return fmt::format(R"(
name: grouped
inputs: {{of: {{type: string, default: g}}}}
timeout: 1h
concurrency: {{group: "${{{{ inputs.of }}}}", on_conflict: {}}}
states:
  a: {{task: act, next: done}}
  done: {{exit: success}}
)",
                     on_conflict);
}

// A run `r1` that has the group, at work; the others come later.
struct Held : Fixture {
  Held() {
    Harness::acts["a"] = hangs();
    process.start(flow_of(flow("reject")), {{"of", "g"}});
    until_line("attempt a 1/1");
  }
  void end_first() {
    process.interrupt.raise(run::Reason::kCancel, "enough");
    process.until_done();
  }
};

// Time passes until the second is done: who waits looks again now and then.
void finish(Harness& process) {
  process.until([&] {
    process.clock.advance(250ms);
    return process.finished.has_value();
  });
}

}  // namespace

TEST_CASE_FIXTURE(Held, "a run whose group is taken is rejected before anything of it is there") {
  Harness second{store};
  second.start(flow_of(flow("reject")), {{"of", "g"}}, "r2");
  second.until_done();
  REQUIRE(second.finished->store_error);
  CHECK(second.finished->store_error->kind == store::StoreErrorKind::kGroupTaken);
  CHECK(second.finished->store_error->message == "the run 'r1' has the concurrency group 'g'");
  CHECK(second.finished->run.rows == 0);
  CHECK(runs_of(store) == Strings{"r1 running"});
}

TEST_CASE_FIXTURE(Held, "another group is free") {
  Harness::acts["a"] = gives(nullptr);
  Harness second{store};
  second.start(flow_of(flow("reject")), {{"of", "h"}}, "r2");
  second.until_done();
  CHECK(runs_of(store) == Strings{"r1 running", "r2 succeeded"});
}

TEST_CASE_FIXTURE(Held, "a run that skips is not there, and says which one it met") {
  Harness second{store};
  second.start(flow_of(flow("skip")), {{"of", "g"}}, "r2");
  second.until_done();
  CHECK(!second.finished->store_error);
  CHECK(second.finished->skipped == "the run 'r1' has the concurrency group 'g'");
  CHECK(runs_of(store) == Strings{"r1 running"});
}

TEST_CASE_FIXTURE(Held, "runs that queue come one after another, in their order") {
  Harness second{store};
  second.start(flow_of(flow("queue")), {{"of", "g"}}, "r2");
  second.until([&] { return second.recorder.has("queued for g behind r1, 1 ahead"); });
  Harness third{store};
  third.start(flow_of(flow("queue")), {{"of", "g"}}, "r3");
  third.until([&] { return third.recorder.has("queued for g behind r1, 2 ahead"); });
  CHECK(runs_of(store) == Strings{"r1 running", "r2 queued", "r3 queued"});
  Harness::acts["a"] = gives(nullptr);
  end_first();
  third.clock.advance(250ms);
  third.until([&] { return third.recorder.has("queued for g behind r2, 1 ahead"); });
  run::LoopClock::source = &second.clock;
  finish(second);
  CHECK(second.finished->run.status == store::Status::kSucceeded);
  run::LoopClock::source = &third.clock;
  finish(third);
  CHECK(runs_of(store) == Strings{"r1 cancelled", "r2 succeeded", "r3 succeeded"});
  CHECK(rows_of(store, "r2") == Strings{R"(run_started {"inputs":{"of":"g"},"vars":{}})", R"(run_queued {"group":"g"})",
                                        R"(state_entered {"state":"a","visit":1})",
                                        R"(state_ended {"attempts":1,"state":"a","visit":1})",
                                        R"(run_ended {"state":"done","status":"succeeded"})"});
}

TEST_CASE_FIXTURE(Fixture, "of the runs of one process only the first in a queue looks whether it is its turn") {
  std::string items;
  for (int i = 0; i < 200; ++i) items += i == 0 ? "0" : fmt::format(", {}", i);
  Harness::acts["a"] = gives(nullptr);
  process.start(flow_of("name: parent\nstates:\n  s: {split: {for_each: '[" + items +
                            "]', do: {task: flow, with: {file: child.yaml, inputs: {of: g}}}}, next: done}\n"
                            "  done: {exit: success}\n",
                        {{"child.yaml", flow("queue")}}));
  finish(process);
  CHECK(process.finished->run.status == store::Status::kSucceeded);
  // Each was told once of the one before it, when that was gone: all others had gone, too.
  const auto told = std::ranges::count_if(
      process.recorder.lines, [](const std::string& line) { return line.find(": queued for g") != std::string::npos; });
  CHECK(told <= 200);
}

TEST_CASE_FIXTURE(Held, "who cancels those before it waits for them to end") {
  Harness second{store};
  second.start(flow_of(flow("cancel_running")), {{"of", "g"}}, "r2");
  second.until([&] { return second.recorder.has("queued for g behind r1, 1 ahead"); });
  run::LoopClock::source = &process.clock;
  process.until([&] {
    process.clock.advance(1s);
    return process.finished.has_value();
  });
  CHECK(process.finished->run.status == store::Status::kCancelled);
  Harness::acts["a"] = gives(nullptr);
  run::LoopClock::source = &second.clock;
  finish(second);
  CHECK(second.finished->run.status == store::Status::kSucceeded);
}

TEST_CASE_FIXTURE(Held, "to wait in the queue counts for no budget") {
  Harness second{store};
  second.start(flow_of(flow("queue")), {{"of", "g"}}, "r2");
  second.until([&] { return second.recorder.has("queued for g behind r1, 1 ahead"); });
  second.clock.advance(2h);
  turn();
  CHECK(!second.finished);
  run::LoopClock::source = &process.clock;
  end_first();
  run::LoopClock::source = &second.clock;
  second.until([&] {
    second.clock.advance(250ms);
    return second.recorder.has("attempt a 1/1");
  });
  second.clock.advance(59min);
  turn();
  CHECK(!second.finished);
  second.clock.advance(1min);
  second.until_done();
  CHECK(second.finished->run.error["kind"] == "run_timeout");
}

TEST_CASE_FIXTURE(Held, "a run that waits can be cancelled and suspended, and gives up its place") {
  Harness second{store};
  second.start(flow_of(flow("queue")), {{"of", "g"}}, "r2");
  second.until([&] { return second.recorder.has("queued for g behind r1, 1 ahead"); });
  second.interrupt.raise(run::Reason::kSuspend, "SIGTERM");
  second.until_done();
  Harness third{store};
  third.start(flow_of(flow("queue")), {{"of", "g"}}, "r3");
  third.until([&] { return third.recorder.has("queued for g behind r1, 1 ahead"); });
  third.interrupt.raise(run::Reason::kCancel, "by hand");
  third.until_done();
  CHECK(runs_of(store) == Strings{"r1 running", "r2 suspended", "r3 cancelled"});
  end_first();
  Harness::acts["a"] = gives(nullptr);
  Harness fourth{store};
  fourth.resume(flow_of(flow("queue")), {}, "r2");
  fourth.until_done();
  CHECK(fourth.finished->run.status == store::Status::kSucceeded);
  CHECK(fourth.finished->run.worked == 0ms);
}

TEST_CASE_FIXTURE(Held, "a run that was let go of asks for its group again") {
  process.interrupt.raise(run::Reason::kSuspend, "SIGTERM");
  process.until_done();
  Harness second{store};
  second.start(flow_of(flow("reject")), {{"of", "g"}}, "r2");
  second.until([&] { return second.recorder.has("attempt a 1/1"); });
  Harness third{store};
  third.resume(flow_of(flow("reject")));
  third.until_done();
  REQUIRE(third.finished->store_error);
  CHECK(third.finished->store_error->kind == store::StoreErrorKind::kGroupTaken);
  CHECK(runs_of(store) == Strings{"r1 suspended", "r2 running"});
  CHECK(store.claim("r1"));  // it was let go of again
}

namespace {

// `r1` was let go of or has failed, and `r2` has its group now.
struct Away : Fixture {
  Harness second{store};
  explicit Away(Act first) {
    Harness::acts["a"] = std::move(first);
    process.start(flow_of(flow("queue")), {{"of", "g"}});
  }
  void take_group() {
    Harness::acts["a"] = hangs();
    second.start(flow_of(flow("queue")), {{"of", "g"}}, "r2");
    second.until([&] { return second.recorder.has("attempt a 1/1"); });
  }
  void give_group() {
    Harness::acts["a"] = gives(nullptr);
    run::LoopClock::source = &second.clock;
    second.interrupt.raise(run::Reason::kCancel, "enough");
    second.until_done();
  }
};

void queue_up(Harness& third) {
  third.resume(flow_of(flow("queue")));
  third.until([&] { return third.recorder.has("queued for g behind r2, 1 ahead"); });
}

}  // namespace

TEST_CASE("a run that was suspended goes on once it has its group again") {
  Away away(hangs());
  away.until_line("attempt a 1/1");
  away.process.interrupt.raise(run::Reason::kSuspend, "SIGTERM");
  away.process.until_done();
  away.take_group();
  Harness third{away.store};
  queue_up(third);
  CHECK(runs_of(away.store) == Strings{"r1 queued", "r2 running"});
  away.give_group();
  run::LoopClock::source = &third.clock;
  finish(third);
  CHECK(third.finished->run.status == store::Status::kSucceeded);
}

TEST_CASE("a run that has failed is tried anew once it has its group, also when it was suspended in the queue") {
  for (const bool suspended : {false, true}) {
    CAPTURE(suspended);
    Away away(fails("exit"));
    away.process.until_done();
    CHECK(away.process.finished->run.status == store::Status::kFailed);
    away.take_group();
    auto third = std::make_unique<Harness>(away.store);
    queue_up(*third);
    if (suspended) {
      third->interrupt.raise(run::Reason::kSuspend, "SIGTERM");
      third->until_done();
      CHECK(third->finished->run.status == store::Status::kSuspended);
      third.reset();
      third = std::make_unique<Harness>(away.store);
      queue_up(*third);
    }
    away.give_group();
    run::LoopClock::source = &third->clock;
    finish(*third);
    const run::RunState& run = third->finished->run;
    CHECK(run.status == store::Status::kSucceeded);
    CHECK(run.transitions == 1);  // it begins anew to count, as after any failure
  }
}

TEST_CASE_FIXTURE(Fixture, "an outcome that was reached stands when the run is cancelled in the queue") {
  const std::string ends = flow("queue") + "on_end: [{task: act}]\n";
  Harness::acts["a"] = gives(nullptr);
  Harness::acts["on_end.1"] = hangs();
  process.start(flow_of(ends), {{"of", "g"}});
  until_line("attempt on_end.1 1/1");
  REQUIRE(store.release(1));
  Harness::acts["a"] = hangs();
  Harness second{store};
  second.start(flow_of(flow("queue")), {{"of", "g"}}, "r2");
  second.until([&] { return second.recorder.has("attempt a 1/1"); });
  Harness::acts["on_end.1"] = gives(nullptr);
  Harness third{store};
  third.resume(flow_of(ends));
  third.until([&] { return third.recorder.has("queued for g behind r2, 1 ahead"); });
  third.interrupt.raise(run::Reason::kCancel, "by hand");
  third.until_done();
  CHECK(third.finished->run.status == store::Status::kSucceeded);
  CHECK(third.recorder.has("attempt on_end.1 1/1"));
}

TEST_CASE_FIXTURE(Fixture, "a run that is cancelled in the queue takes the children of an earlier process with it") {
  const std::string parent = R"(
name: parent
concurrency: {group: g, on_conflict: queue}
states:
  s: {task: flow, with: {file: child.yaml}, next: done}
  done: {exit: success}
)";
  const std::string child = R"(
name: child
states:
  a: {task: act, next: done}
  done: {exit: success}
)";
  Harness::acts["a"] = hangs();
  process.start(flow_of(parent, {{"child.yaml", child}}));
  until_line("s: attempt a 1/1");
  REQUIRE(store.release(1));
  REQUIRE(store.release(2));
  Harness second{store};
  second.start(flow_of(flow("queue")), {{"of", "g"}}, "other");
  second.until([&] { return second.recorder.has("attempt a 1/1"); });
  Harness third{store};
  third.resume(flow_of(parent, {{"child.yaml", child}}));
  third.until([&] { return third.recorder.has("queued for g behind other, 1 ahead"); });
  third.interrupt.raise(run::Reason::kCancel, "by hand");
  third.until_done();
  CHECK(runs_of(store) == Strings{"r1 cancelled", "r1.1 cancelled", "other running"});
}

TEST_CASE_FIXTURE(Held, "a dead process holds nothing") {
  REQUIRE(store.release(1));
  Harness::acts["a"] = gives(nullptr);
  Harness second{store};
  second.start(flow_of(flow("reject")), {{"of", "g"}}, "r2");
  second.until_done();
  CHECK(second.finished->run.status == store::Status::kSucceeded);
}

TEST_CASE_FIXTURE(Held, "a run that died in the queue goes on without, where its flow has no group any more") {
  Harness second{store};
  second.start(flow_of(flow("queue")), {{"of", "g"}}, "r2");
  second.until([&] { return second.recorder.has("queued for g behind r1, 1 ahead"); });
  REQUIRE(store.release(2));
  Harness::acts["a"] = gives(nullptr);
  Harness third{store};
  third.resume(flow_of(R"(
name: grouped
inputs: {of: string}
states:
  a: {task: act, next: done}
  done: {exit: success}
)"),
               {}, "r2");
  third.until_done();
  CHECK(third.finished->run.status == store::Status::kSucceeded);
}

TEST_CASE_FIXTURE(Fixture, "a child of a run that has the group goes in with it, and another child is turned away") {
  Harness::acts["a"] = gives(nullptr);
  const std::string parent = R"(
name: parent
concurrency: {group: g}
states:
  s: {task: flow, with: {file: child.yaml}, next: t}
  t: {task: flow, with: {file: child.yaml, inputs: {of: other}}, on_error: failed, next: done}
  failed: {exit: failure, output: "${{ states.t.error.message }}"}
  done: {exit: success}
)";
  Harness other{store};
  Harness::acts["a"] = hangs();
  other.start(flow_of(flow("reject")), {{"of", "other"}}, "other");
  other.until([&] { return other.recorder.has("attempt a 1/1"); });
  Harness::acts["a"] = gives(nullptr);
  process.start(flow_of(parent, {{"child.yaml", flow("reject")}}));
  process.until_done();
  CHECK(process.finished->run.state == "failed");
  CHECK(process.finished->run.output ==
        "the run 'other' has the concurrency group 'other' (wait for it, or stop it with `canorun cancel other`)");
  CHECK(runs_of(store) == Strings{"other running", "r1 failed", "r1.1 succeeded"});
}

TEST_CASE_FIXTURE(Fixture, "an error of the group shows no secret") {
  process.start(flow_of(R"(
name: grouped
inputs: {token: {type: string, secret: true}}
concurrency: {group: "g-${{ int(inputs['tok' + 'en']) }}"}
states: {done: {exit: success}}
)"),
                {{"token", "Hunter2-x"}});
  process.until_done();
  REQUIRE(process.finished->refused);
  CHECK(process.finished->refused->message == "concurrency.group: '***' is not an int");
}

TEST_CASE_FIXTURE(Fixture, "a group without a name is refused") {
  process.start(flow_of(flow("reject")), {{"of", ""}});
  process.until_done();
  REQUIRE(process.finished->refused);
  CHECK(process.finished->refused->message == "concurrency.group: the group has no name");
  CHECK(runs_of(store).empty());
}
