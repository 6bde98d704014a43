// Retry, timeouts, timers and budgets, with time held.
#include "harness.h"

using namespace canorun;
using namespace canorun::test;
using namespace std::chrono_literals;

TEST_CASE_FIXTURE(Fixture, "a failed attempt is tried again after its delay and not before") {
  Harness::acts["a"] = fails_first(2, "ok");
  process.start(flow_of(R"(
name: retries
states:
  a: {task: act, retry: {max: 4, delay: 1h, factor: 2, cap: 10h, jitter: 0}, next: done}
  done: {exit: success, output: "${{ states.a.output }}"}
)"));
  until_line("failed a 1 exit retry 3600000");
  process.clock.advance(59min);
  turn();
  CHECK(!process.recorder.has("attempt a 2/5"));
  process.clock.advance(1min);
  until_line("failed a 2 exit retry 7200000");
  process.clock.advance(2h);
  process.until_done();
  CHECK(process.finished->run.output == "ok");
  CHECK(process.finished->run.find("a")->attempts == 3);
}

TEST_CASE_FIXTURE(Fixture, "after the last attempt the error says how many there were") {
  Harness::acts["a"] = fails("exit", "exit code 1");
  process.start(flow_of(R"(
name: retries
states:
  a: {task: act, retry: {max: 2, delay: 0s}, next: done}
  done: {exit: success}
)"));
  process.until_done();
  CHECK(process.finished->run.error ==
        Json{{"attempts", 3}, {"kind", "exit"}, {"message", "exit code 1"}, {"state", "a"}});
  CHECK(process.recorder.has("failed a 3 exit"));
}

TEST_CASE_FIXTURE(Fixture, "retry.when false ends the attempts") {
  Harness::acts["a"] = fails("http_status", "HTTP 404");
  process.start(flow_of(R"(
name: retries
states:
  a: {task: act, retry: {max: 5, delay: 0s, when: "error.kind != 'http_status' || error.attempts > 9"}, next: done}
  done: {exit: success}
)"));
  process.until_done();
  CHECK(process.finished->run.error["attempts"] == 1);
}

TEST_CASE_FIXTURE(Fixture, "what the server asks to wait is waited, beyond the cap") {
  Harness::acts["a"] = [](model::TaskContext& context, Json) -> boost::asio::awaitable<model::Outcome> {
    if (context.attempt() > 1) co_return model::Success{nullptr};
    model::Failure failure = model::failure("http_status", "HTTP 429");
    failure.error.retry_after = 2h;
    co_return failure;
  };
  process.start(flow_of(R"(
name: retries
states:
  a: {task: act, retry: 1, next: done}
  done: {exit: success}
)"));
  until_line("failed a 1 http_status retry 7200000");
  process.clock.advance(2h);
  process.until_done();
  CHECK(process.finished->run.status == store::Status::kSucceeded);
}

TEST_CASE_FIXTURE(Fixture, "each attempt has its own timeout, which does not count the delay") {
  Harness::acts["a"] = hangs();
  process.start(flow_of(R"(
name: timeouts
states:
  a: {task: act, timeout: 10m, retry: {max: 1, delay: 1h, jitter: 0, cap: 1h}, next: done}
  done: {exit: success}
)"));
  until_line("attempt a 1/2");
  process.clock.advance(599s);
  turn();
  CHECK(!process.recorder.has("failed a 1 timeout retry 3600000"));
  process.clock.advance(1s);
  until_line("failed a 1 timeout retry 3600000");
  process.clock.advance(1h);
  until_line("attempt a 2/2");
  process.clock.advance(10min);
  process.until_done();
  CHECK(process.finished->run.error ==
        Json{{"attempts", 2}, {"kind", "timeout"}, {"message", "no result within 10m"}, {"state", "a"}});
}

TEST_CASE_FIXTURE(Fixture, "a timeout that passed does not touch what comes after the state") {
  Harness::acts["a"] = hangs();
  process.start(flow_of(R"(
name: timeouts
states:
  a: {task: act, timeout: 1s, next: done, on_error: b}
  b: {timer: {for: 1h}, next: c}
  c: {task: act, next: done}
  done: {exit: success}
)"));
  until_line("attempt a 1/1");
  process.clock.advance(1s);
  until_line("waiting b 2026-11-23T09:15:01.000Z");
  process.clock.advance(1h);
  process.until_done();
  CHECK(process.finished->run.status == store::Status::kSucceeded);
}

TEST_CASE_FIXTURE(Fixture, "a timer waits once, and a resume waits for what is left") {
  const auto flow = flow_of(R"(
name: timers
states:
  a: {timer: {for: 2h}, next: done}
  done: {exit: success}
)");
  {
    Harness first{store};
    first.start(flow);
    first.until([&] { return first.recorder.has("waiting a 2026-11-23T10:15:00.000Z"); });
    REQUIRE(store.release(store.load("r1")->number));  // its process dies
  }
  process.clock.advance(90min);
  run::LoopClock::source = &process.clock;
  process.resume(flow);
  until_line("waiting a 2026-11-23T10:15:00.000Z");
  process.clock.advance(30min - 1ms);
  turn();
  CHECK(!process.finished);
  process.clock.advance(1ms);
  process.until_done();
  CHECK(process.finished->run.status == store::Status::kSucceeded);
}

TEST_CASE_FIXTURE(Fixture, "a timer to a time that is past fires at once; one that is no time fails its state") {
  process.start(flow_of(R"(
name: timers
vars: {at: "2026-11-23T08:00:00Z", bad: soon}
states:
  a: {timer: {until: "${{ vars.at }}"}, next: b}
  b: {timer: {until: "${{ vars.bad }}"}, next: done, on_error: caught}
  caught: {exit: success, output: "${{ states.b.error.message }}"}
  done: {exit: success}
)"));
  process.until_done();
  CHECK(process.finished->run.output == "timer.until: 'soon' is not a time (write it like 2026-12-01T09:00:00+01:00)");
}

TEST_CASE_FIXTURE(Fixture, "a state's timeout cuts a timer short, counted from its first entry") {
  process.start(flow_of(R"(
name: timers
states:
  a: {timer: {for: "${{ '2h' }}"}, timeout: 1h, next: done, on_error: late}
  late: {exit: failure, output: "${{ states.a.error.message }}"}
  done: {exit: success}
)"));
  until_line("waiting a 2026-11-23T09:15:00.000Z");
  process.clock.advance(1h);
  process.until_done();
  CHECK(process.finished->run.output == "not over within 1h");
}

TEST_CASE_FIXTURE(Fixture, "the run's budget ends it in the middle of an attempt, unseen by on_error") {
  Harness::acts["a"] = hangs();
  process.start(flow_of(R"(
name: budget
timeout: 30m
states:
  a: {task: act, next: done, on_error: done}
  done: {exit: success}
)"));
  until_line("attempt a 1/1");
  process.clock.advance(30min);
  process.until_done();
  CHECK(process.finished->run.status == store::Status::kFailed);
  CHECK(process.finished->run.error["kind"] == "run_timeout");
  CHECK(process.finished->run.error["message"] == "the run's budget of 30m is spent");
  CHECK(process.finished->run.error["state"] == "a");
}

TEST_CASE_FIXTURE(Fixture, "the budget counts the time that a process worked, not the time a run lay") {
  const auto flow = flow_of(R"(
name: budget
timeout: 30m
states:
  a: {task: act, next: done}
  done: {exit: success}
)");
  Harness::acts["a"] = hangs();
  {
    Harness first{store};
    first.start(flow);
    first.until([&] { return first.recorder.has("attempt a 1/1"); });
    first.clock.advance(20min);
    first.interrupt.raise(run::Reason::kSuspend, "SIGTERM");
    first.until_done();
    CHECK(first.finished->run.status == store::Status::kSuspended);
  }
  run::LoopClock::source = &process.clock;
  process.clock.advance(50h);
  process.resume(flow);
  until_line("attempt a 1/1");
  process.clock.advance(10min - 1ms);
  turn();
  CHECK(!process.finished);
  process.clock.advance(1ms);
  process.until_done();
  CHECK(process.finished->run.error["kind"] == "run_timeout");
}

TEST_CASE_FIXTURE(Fixture, "a state's deadline starts anew when a run that failed by it is resumed") {
  const auto flow = flow_of(R"(
name: timers
states:
  a: {timer: {for: "${{ '2h' }}"}, timeout: 1h, next: done}
  done: {exit: success}
)");
  {
    Harness first{store};
    first.start(flow);
    first.until([&] { return first.recorder.has("waiting a 2026-11-23T09:15:00.000Z"); });
    first.clock.advance(1h);
    first.until_done();
    CHECK(first.finished->run.error["kind"] == "timeout");
  }
  run::LoopClock::source = &process.clock;
  process.clock.advance(90min);
  process.resume(flow);
  until_line("waiting a 2026-11-23T10:15:00.000Z");  // the timer's own time is kept
  process.clock.advance(30min);
  process.until_done();
  CHECK(process.finished->run.status == store::Status::kSucceeded);
}

TEST_CASE_FIXTURE(Fixture, "work that never waits still hears a cancellation and the run's budget") {
  process.start(flow_of(R"(
name: busy
timeout: 1h
max_transitions: 1000000000
states:
  a: {task: act, next: [{when: states.a.visits < 0, to: done}, {to: a}]}
  done: {exit: success}
)"));
  process.until([&] { return process.recorder.lines.size() > 1000; });
  process.clock.advance(1h);
  process.until_done();
  CHECK(process.finished->run.error["kind"] == "run_timeout");
}
