// Batches, polls, steps and waits.
#include "harness.h"

using namespace canorun;
using namespace canorun::test;
using namespace std::chrono_literals;

namespace {

// Succeeds with its item's index, unless it is one of these.
Act fails_at(std::set<std::string> parts) {
  return [parts](model::TaskContext& context, Json) -> boost::asio::awaitable<model::Outcome> {
    if (parts.contains(context.part())) co_return model::failure("exit", "exit code 1");
    co_return model::Success{context.part()};
  };
}

std::string batch_of_ten(const std::string& more) {
  return fmt::format(R"(
name: ten
states:
  s: {{batch: {{items: "[0,1,2,3,4,5,6,7,8,9]", do: {{task: act}}, {}}}, next: done, on_error: lost}}
  done: {{exit: success, output: "${{{{ states.s.output }}}}"}}
  lost: {{exit: failure, output: "${{{{ states.s.error.kind + ': ' + states.s.error.message }}}}"}}
)",
                     more);
}

const std::string kSteps = R"(
name: steps
vars: {round: 0}
states:
  s:
    stepped: {initial: 10, do: {task: act, with: {value: "${{ cursor + step }}"}}, cursor: "output >= 13 ? dyn(null) : output + 1"}
    set: {round: "${{ vars.round + 1 }}"}
    next: [{when: vars.round < 2, to: s}, {to: done}]
  done: {exit: success, output: "${{ states.s.output }}"}
)";

}  // namespace

TEST_CASE_FIXTURE(Fixture, "a batch gives its results in the order of its items, whoever was first") {
  Harness::acts["s/0"] = after(2s, gives("slow"));
  process.start(flow_of(R"(
name: order
states:
  s: {batch: {items: "['a', 'b', 'c']", as: it, concurrency: 3, do: {task: act, with: {value: "${{ it }}"}}}, next: done}
  done: {exit: success, output: "${{ states.s.output }}"}
)"));
  until_line("part s/2");
  process.clock.advance(2s);
  process.until_done();
  const auto item = [](Json output) { return Json{{"status", "succeeded"}, {"output", output}, {"error", nullptr}}; };
  CHECK(process.finished->run.output ==
        Json{{"items", {item("slow"), item("b"), item("c")}}, {"succeeded", 3}, {"failed", 0}});
  CHECK(rows()[2] == R"(item_ended {"attempts":1,"index":1,"output":"b","state":"s","visit":1})");
}

TEST_CASE_FIXTURE(Fixture, "a batch fails below its share of successes, and not at it") {
  SUBCASE("at it") {
    Harness::acts["s"] = fails_at({"3"});
    const auto& run = run_to_end(batch_of_ten("min_success: 90%"));
    CHECK(run.output["failed"] == 1);
    CHECK(run.output["items"][3]["status"] == "failed");
    CHECK(run.output["items"][3]["error"]["kind"] == "exit");
  }
  SUBCASE("below it") {
    Harness::acts["s"] = fails_at({"3", "7"});
    CHECK(run_to_end(batch_of_ten("min_success: 90%")).output ==
          "batch: 2 of 10 items failed, and 9 must succeed: 3 (exit code 1), 7 (exit code 1)");
  }
}

TEST_CASE_FIXTURE(Fixture, "an empty batch succeeds") {
  CHECK(run_to_end(R"(
name: none
states:
  s: {batch: {items: "[]", do: {task: act}}, next: done}
  done: {exit: success, output: "${{ states.s.output }}"}
)")
            .output == Json{{"items", Json::array()}, {"succeeded", 0}, {"failed", 0}});
}

TEST_CASE_FIXTURE(Fixture, "a batch of thousands that take no time keeps neither the loop nor all ends to itself") {
  Json items = Json::array();
  for (int i = 0; i < 5'000; ++i) items.push_back(i);
  Harness::acts["s"] = [this](model::TaskContext& context, Json) -> boost::asio::awaitable<model::Outcome> {
    if (context.part() == "3000") process.interrupt.raise(run::Reason::kSuspend, "SIGTERM");
    co_return model::Success{nullptr};
  };
  process.start(flow_of(R"(
name: thousands
inputs: {many: list}
states:
  s: {batch: {items: inputs.many, do: {task: act}}, next: done}
  done: {exit: success}
)"),
                {{"many", items}});
  process.until_done();
  CHECK(process.finished->run.status == store::Status::kSuspended);
  const std::size_t ended = process.finished->run.current->parts.size();
  CHECK(ended > 3'000);
  CHECK(ended < 4'000);
}

TEST_CASE_FIXTURE(Fixture, "a batch that was killed goes on with the items that are left") {
  const auto flow = flow_of(batch_of_ten("concurrency: 2"));
  Harness::acts["s"] = gives("first");
  Harness::acts["s/4"] = hangs();
  {
    Harness first{store};
    first.start(flow);
    first.until([&] { return first.recorder.has("part s/9"); });
    REQUIRE(store.release(store.load("r1")->number));
  }
  run::LoopClock::source = &process.clock;
  Harness::acts = {{"s", gives("second")}};
  process.resume(flow);
  process.until_done();
  for (std::size_t i = 0; i < 10; ++i)
    CHECK(process.finished->run.output["items"][i]["output"] == (i == 4 ? "second" : "first"));
}

TEST_CASE_FIXTURE(Fixture, "a poll asks until the answer will do, each time after its delay") {
  Harness::acts["s"] = [](model::TaskContext& context, Json) -> boost::asio::awaitable<model::Outcome> {
    co_return model::Success{{{"ready", context.part() == "0:2"}}};
  };
  process.start(flow_of(R"(
name: poll
states:
  s: {poll: {do: {task: act}, until: output.ready, every: 10s}, next: done}
  done: {exit: success, output: "${{ states.s.output }}"}
)"));
  until_line("poll s 1 until 2026-11-23T08:15:10.000Z");
  process.clock.advance(9999ms);
  turn();
  CHECK(!process.recorder.has("attempt s/0:1 1/1"));
  process.clock.advance(1ms);
  until_line("poll s 2 until 2026-11-23T08:15:20.000Z");
  process.clock.advance(10s);
  process.until_done();
  CHECK(process.finished->run.output == Json{{"ready", true}, {"polls", 3}});
}

TEST_CASE_FIXTURE(Fixture, "a poll bears so many errors in a row, and an answer starts their count anew") {
  std::vector<bool> good{false, false, true, false, false, false};
  std::size_t asks = 0;
  Harness::acts["s"] = [&](model::TaskContext&, Json) -> boost::asio::awaitable<model::Outcome> {
    if (good[asks++]) co_return model::Success{false};
    co_return model::failure("http_status", "HTTP 503");
  };
  process.start(flow_of(R"(
name: poll
states:
  s: {poll: {do: {task: act}, until: output, every: 1s, max_errors: 2}, next: done}
  done: {exit: success}
)"));
  process.until([&] {
    process.clock.advance(1s);
    return process.finished.has_value();
  });
  CHECK(asks == 6);
  CHECK(process.finished->run.error["message"] == "HTTP 503");
  CHECK(process.finished->run.error["kind"] == "http_status");
}

TEST_CASE_FIXTURE(Fixture, "the deadline of a poll is kept over a resume") {
  const auto flow = flow_of(R"(
name: poll
states:
  s: {poll: {do: {task: act, with: {value: false}}, until: output, every: 10m}, timeout: 1h, next: done, on_error: late}
  late: {exit: failure, output: "${{ states.s.error.message }}"}
  done: {exit: success}
)");
  {
    Harness first{store};
    first.start(flow);
    first.until([&] { return first.recorder.last_begins("poll s 1"); });
    REQUIRE(store.release(store.load("r1")->number));
  }
  run::LoopClock::source = &process.clock;
  SUBCASE("that comes before it") {
    process.clock.advance(59min);
    process.resume(flow);
    until_line("poll s 1 until 2026-11-23T09:24:00.000Z");
    process.clock.advance(1min);
    process.until_done();
  }
  SUBCASE("that comes after it") {
    process.clock.advance(2h);
    process.resume(flow);
    process.until_done();
    CHECK(!process.recorder.has("attempt s/1:0 1/1"));
  }
  CHECK(process.finished->run.output == "not over within 1h");
}

TEST_CASE_FIXTURE(Fixture, "steps carry their cursor on, and a second visit starts anew") {
  const auto& run = run_to_end(kSteps);
  CHECK(run.output == Json{{"steps", 3}, {"last", 15}});
  CHECK(run.find("s")->visits == 2);
  CHECK(rows()[2] == R"(step_ended {"attempts":1,"cursor":11,"output":10,"state":"s","step":0,"visit":1})");
  CHECK(rows()[3] == R"(step_ended {"attempts":1,"cursor":13,"output":12,"state":"s","step":1,"visit":1})");
}

TEST_CASE_FIXTURE(Fixture, "a resume goes on at the cursor that was kept") {
  const auto flow = flow_of(kSteps);
  Harness::acts["s/1"] = hangs();
  {
    Harness first{store};
    first.start(flow);
    first.until([&] { return first.recorder.has("attempt s/1 1/1"); });
    REQUIRE(store.release(store.load("r1")->number));
  }
  run::LoopClock::source = &process.clock;
  Harness::acts.clear();
  process.resume(flow);
  process.until_done();
  CHECK(process.finished->run.output == Json{{"steps", 3}, {"last", 15}});
  CHECK(!process.recorder.has("attempt s/0 2/1"));
}

TEST_CASE_FIXTURE(Fixture, "a cursor that never ends is an end") {
  const auto& run = run_to_end(R"(
name: steps
max_transitions: 20
states:
  s: {stepped: {initial: 0, do: {task: act}, cursor: cursor + 1}, next: done}
  done: {exit: success}
)");
  CHECK(run.error["kind"] == "max_transitions");
  CHECK(run.error["message"] == "more than 20 steps: does the cursor never become null?");
}

namespace {

const std::string kWait = R"(
name: waits
states:
  s: {wait: {signal: go, type: map}, timeout: 1h, next: again, on_error: late}
  again: {wait: {signal: go}, next: done}
  done: {exit: success, output: ["${{ states.s.output }}", "${{ states.again.output }}"]}
  late: {exit: failure, output: "${{ states.s.error.message }}"}
)";

void send(store::MemoryStore& store, Json data, const std::string& name = "go") {
  REQUIRE(store.send("r1", {.name = name, .data = std::move(data)}));
}

}  // namespace

TEST_CASE_FIXTURE(Fixture, "a wait takes the oldest signal of its name, also one that came before it") {
  process.start(flow_of(kWait));
  until_line("waiting s 2026-11-23T09:15:00.000Z for go");
  send(store, "other", "stop");
  send(store, {{"n", 1}});
  send(store, 2);
  process.clock.advance(2s);  // nobody wakes it here: it looks by itself
  process.until_done();
  CHECK(process.finished->run.output == Json{{{"n", 1}}, 2});
  CHECK(rows()[2] == R"(signal_received {"data":{"n":1},"signal":"go","state":"s","visit":1})");
  CHECK(store.signals("r1")->size() == 1);
}

TEST_CASE_FIXTURE(Fixture, "a wait ends when its time is up") {
  process.start(flow_of(kWait));
  until_line("waiting s 2026-11-23T09:15:00.000Z for go");
  process.clock.advance(1h);
  process.until_done();
  CHECK(process.finished->run.output == "not over within 1h");
}

TEST_CASE_FIXTURE(Fixture, "a run that only waits is let go of, and goes on when it is taken up") {
  const auto flow = flow_of(kWait);
  {
    Harness first{store};
    first.let_go();
    first.start(flow);
    first.until_done();
    CHECK(first.finished->run.status == store::Status::kWaiting);
  }
  CHECK(store.find("r1")->waits_for == store::WaitsFor{.until = *parse_time("2026-11-23T09:15:00Z"), .signal = "go"});
  send(store, Json::object());
  send(store, nullptr);
  run::LoopClock::source = &process.clock;
  process.let_go();
  process.resume(flow);
  process.until_done();
  CHECK(process.finished->run.status == store::Status::kSucceeded);
  CHECK(!store.find("r1")->waits_for);
}

TEST_CASE_FIXTURE(Fixture, "a poll that is let go of counts on") {
  const auto flow = flow_of(R"(
name: poll
states:
  s: {poll: {do: {task: act, with: {value: {ready: "${{ action.visit == 2 }}"}}}, until: output.ready, every: 1m, max_errors: 1}, timeout: 1h, next: done}
  done: {exit: success, output: "${{ states.s.output }}"}
)");
  const auto session = [&](store::Status status) {
    Harness harness{store};
    harness.let_go();
    if (store.find("r1")) {
      harness.resume(flow);
    } else {
      harness.start(flow);
    }
    harness.until_done();
    CHECK(harness.finished->run.status == status);
  };
  session(store::Status::kWaiting);
  CHECK(store.find("r1")->waits_for == store::WaitsFor{.until = *parse_time("2026-11-23T08:16:00Z")});
  Harness::acts["s"] = fails("exit");
  session(store::Status::kWaiting);
  Harness::acts["s"] = gives({{"ready", true}});
  session(store::Status::kSucceeded);
  run::LoopClock::source = &process.clock;
  CHECK(run::replay("r1", store.load("r1")->rows).output == Json{{"ready", true}, {"polls", 3}});
}

TEST_CASE_FIXTURE(Fixture, "a timer is let go of only where it takes more than a second") {
  process.let_go();
  process.start(flow_of(R"(
name: timers
states:
  a: {timer: {for: 1s}, next: b}
  b: {timer: {for: 1001ms}, next: done}
  done: {exit: success}
)"));
  until_line("waiting a 2026-11-23T08:15:01.000Z");
  process.clock.advance(1s);
  process.until_done();
  CHECK(process.finished->run.status == store::Status::kWaiting);
  CHECK(process.finished->run.state == "b");
}
