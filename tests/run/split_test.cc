// Branches side by side, and the moment at which their join is decided.
#include "harness.h"

using namespace canorun;
using namespace canorun::test;
using namespace std::chrono_literals;

namespace {

std::string three(const std::string& join, const std::string& more = "") {
  return fmt::format(R"(
name: three
states:
  s:
    split:
      branches:
        a: {{task: act}}
        b: {{task: act}}
        c: {{task: act}}
      join: {}
    {}next: done
    on_error: lost
  done: {{exit: success, output: "${{{{ states.s.output }}}}"}}
  lost: {{exit: failure, output: "${{{{ states.s.error.kind + ': ' + states.s.error.message }}}}"}}
)",
                     join, more);
}

// Turns the loop until everything that is ready has been done, then lets time pass.
struct SplitFixture : Fixture {
  void begin(const std::string& yaml) {
    process.start(flow_of(yaml));
    until_line("parts s 3 of 3");
    turn();
  }
  void pass(Millis time) {
    process.clock.advance(time);
    turn();
  }
  std::string status(const char* branch) {
    return process.finished->run.output["branches"][branch]["status"].get<std::string>();
  }
};

}  // namespace

TEST_CASE_FIXTURE(SplitFixture, "a quorum is satisfied by the branch that completes it, and the others are cancelled") {
  Harness::acts = {{"s/a", after(3s, gives("A"))}, {"s/b", after(1s, gives("B"))}, {"s/c", hangs()}};
  begin(three("{quorum: 2}"));
  pass(1s);
  CHECK(process.recorder.has("part s/b"));
  pass(1999ms);
  CHECK(!process.finished);
  pass(1ms);
  process.until_done();
  CHECK(process.finished->run.output ==
        Json{{"succeeded", 2},
             {"failed", 0},
             {"cancelled", 1},
             {"branches",
              {{"a", {{"status", "succeeded"}, {"output", "A"}, {"error", nullptr}}},
               {"b", {{"status", "succeeded"}, {"output", "B"}, {"error", nullptr}}},
               {"c", {{"status", "cancelled"}, {"output", nullptr}, {"error", nullptr}}}}}});
  CHECK(process.recorder.lines == std::vector<std::string>{"began three", "enter s 1", "parts s 3 of 3",
                                                           "attempt s/a 1/1", "attempt s/b 1/1", "attempt s/c 1/1",
                                                           "part s/b", "part s/a", "succeeded s after 1"});
  CHECK(rows()[2] == R"(branch_ended {"attempts":1,"branch":"b","output":"B","state":"s","visit":1})");
  CHECK(rows()[3] == R"(branch_ended {"attempts":1,"branch":"a","output":"A","state":"s","visit":1})");
}

TEST_CASE_FIXTURE(SplitFixture, "all fails with the first branch that fails, which is named") {
  Harness::acts = {{"s/a", hangs()}, {"s/b", after(1s, fails("exit", "exit code 3"))}, {"s/c", after(1s, gives(1))}};
  begin(three("all"));
  pass(1s);
  process.until_done();
  CHECK(process.finished->run.output ==
        "split: the join 'all' can no longer be satisfied: 1 of 3 branches failed: b (exit code 3)");
}

TEST_CASE_FIXTURE(SplitFixture, "any takes the first that succeeds, and fails only with the last that fails") {
  Harness::acts = {{"s/a", fails("exit", "no")}, {"s/b", after(1s, fails("exit", "no"))}, {"s/c", after(2s, gives(7))}};
  begin(three("any"));
  pass(1s);
  CHECK(!process.finished);
  pass(1s);
  process.until_done();
  CHECK(status("a") == "failed");
  CHECK(status("c") == "succeeded");
}

TEST_CASE_FIXTURE(SplitFixture, "a quorum fails as soon as it cannot be reached") {
  Harness::acts = {{"s/a", hangs()}, {"s/b", after(1s, fails("exit", "x"))}, {"s/c", after(2s, fails("exit", "y"))}};
  begin(three("{quorum: 2}"));
  pass(1s);
  CHECK(!process.finished);
  pass(1s);
  process.until_done();
  CHECK(process.finished->run.output ==
        "split: the join 'quorum' can no longer be satisfied: 2 of 3 branches failed: b (x), c (y)");
}

TEST_CASE_FIXTURE(SplitFixture, "partial results count ends, either way") {
  Harness::acts = {{"s/a", fails("exit")}, {"s/b", after(1s, gives(1))}, {"s/c", hangs()}};
  begin(three("{partial_results: 2}"));
  CHECK(!process.finished);
  pass(1s);
  process.until_done();
  CHECK(process.finished->run.output["failed"] == 1);
  CHECK(process.finished->run.output["cancelled"] == 1);
}

TEST_CASE_FIXTURE(SplitFixture, "a partial timeout takes what has ended when the time is up") {
  Harness::acts = {{"s/a", after(4999ms, gives(1))}, {"s/b", after(5001ms, gives(2))}, {"s/c", hangs()}};
  begin(three("partial_timeout", "timeout: 5s\n    "));
  pass(4999ms);
  CHECK(!process.finished);
  pass(1ms);
  process.until_done();
  CHECK(status("a") == "succeeded");
  CHECK(status("b") == "cancelled");
}

TEST_CASE_FIXTURE(SplitFixture, "a partial timeout with nothing ended fails") {
  Harness::acts = {{"s", hangs()}};
  begin(three("partial_timeout", "timeout: 5s\n    "));
  pass(5s);
  process.until_done();
  CHECK(process.finished->run.output == "timeout: not over within 5s");
}

TEST_CASE_FIXTURE(SplitFixture, "the time of the state fails a join that is not satisfied, and no other") {
  Harness::acts = {
      {"s/a", after(4999ms, gives(1))}, {"s/b", after(5000ms, gives(1))}, {"s/c", after(5001ms, gives(1))}};
  SUBCASE("in time") {
    begin(three("{quorum: 1}", "timeout: 5s\n    "));
    pass(4999ms);
    process.until_done();
    CHECK(process.finished->run.status == store::Status::kSucceeded);
  }
  SUBCASE("late") {
    begin(three("all", "timeout: 5s\n    "));
    pass(4999ms);
    pass(1ms);
    process.until_done();
    CHECK(process.finished->run.output == "timeout: not over within 5s");
    // What had ended is kept all the same.
    CHECK(rows()[2] == R"(branch_ended {"attempts":1,"branch":"a","output":1,"state":"s","visit":1})");
  }
}

TEST_CASE_FIXTURE(Fixture, "a bulkhead lets so many work at once, in order") {
  int working = 0;
  int most = 0;
  Harness::acts["s"] = [&](model::TaskContext& context, Json) -> boost::asio::awaitable<model::Outcome> {
    most = std::max(most, ++working);
    run::Timer timer(context.executor());
    timer.expires_after(1s);
    co_await timer.async_wait(boost::asio::use_awaitable);
    --working;
    co_return model::Success{context.part()};
  };
  process.start(flow_of(R"(
name: bulkhead
states:
  s: {split: {for_each: "[1, 2, 3, 4, 5]", do: {task: act}, bulkhead: 2}, next: done}
  done: {exit: success}
)"));
  for (const int seconds : {1, 2, 3}) {
    (void)seconds;
    turn();
    process.clock.advance(1s);
  }
  process.until_done();
  CHECK(most == 2);
  CHECK(rows()[2].find(R"("branch":"0")") != std::string::npos);
  CHECK(rows()[6].find(R"("branch":"4")") != std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "every element has a branch that sees it, under its name and with its index") {
  const auto& run = run_to_end(R"(
name: fan
vars: {list: [a, 1.5, null]}
states:
  s:
    split: {for_each: vars.list, as: it, do: {task: act, with: {value: ["${{ it }}", "${{ index }}", "${{ action.visit }}"]}}}
    next: done
  done: {exit: success, output: "${{ states.s.output.branches.map(b, b.output) }}"}
)");
  CHECK(run.output == Json{{"a", 0, 1}, {1.5, 1, 1}, {nullptr, 2, 1}});
}

TEST_CASE_FIXTURE(Fixture, "an empty list satisfies all and percentage, and nothing else") {
  const auto with = [&](const std::string& join) {
    Fixture fixture;
    return fixture
        .run_to_end(fmt::format(R"(
name: none
vars: {{list: []}}
states:
  s: {{split: {{for_each: vars.list, do: {{task: act}}, join: {}}}, next: done, on_error: lost}}
  done: {{exit: success, output: "${{{{ states.s.output }}}}"}}
  lost: {{exit: failure, output: "${{{{ states.s.error.message }}}}"}}
)",
                                join))
        .output;
  };
  const Json nothing{{"branches", Json::array()}, {"succeeded", 0}, {"failed", 0}, {"cancelled", 0}};
  CHECK(with("all") == nothing);
  CHECK(with("{percentage: 50}") == nothing);
  for (const std::string join : {"any", "{quorum: 1}", "{partial_results: 1}"}) {
    CAPTURE(join);
    CHECK(with(join).get<std::string>().ends_with("cannot be satisfied: there is no branch"));
  }
}

TEST_CASE_FIXTURE(Fixture, "a list that turns out too short for its join, and one that is no list, fail the state") {
  const auto fails_with = [](const std::string& list, const std::string& message) {
    Fixture fixture;
    const auto& run = fixture.run_to_end(fmt::format(R"yaml(
name: short
vars: {{list: {}}}
states:
  s: {{split: {{for_each: "dyn(vars.list)", do: {{task: act}}, join: {{quorum: 3}}}}, next: done}}
  done: {{exit: success}}
)yaml",
                                                     list));
    CHECK(run.error["message"] == message);
  };
  fails_with("[1, 2]", "the join wants 3 branches, and there are 2: want fewer, or add branches");
  fails_with("text", "split.for_each: must be a list, not string");
}

TEST_CASE_FIXTURE(SplitFixture, "a resume works on the branches that have not ended, and not on the others") {
  const auto flow = flow_of(three("all"));
  Harness::acts = {{"s/a", gives("first")}, {"s/b", hangs()}, {"s/c", fails_first(0, "first")}};
  {
    Harness first{store};
    first.start(flow);
    first.until([&] { return first.recorder.has("part s/c") && first.recorder.has("attempt s/b 1/1"); });
    REQUIRE(store.release(store.load("r1")->number));  // its process dies
  }
  run::LoopClock::source = &process.clock;
  Harness::acts = {{"s", gives("second")}};
  process.resume(flow);
  process.until_done();
  const Json branches = process.finished->run.output["branches"];
  CHECK(branches["a"]["output"] == "first");
  CHECK(branches["b"]["output"] == "second");
  CHECK(branches["c"]["output"] == "first");
  CHECK(process.recorder.has("parts s 1 of 3"));
}

TEST_CASE_FIXTURE(SplitFixture, "a join that was settled before the process died is not worked for again") {
  const auto flow = flow_of(three("{quorum: 1}"));
  Harness::acts = {{"s/a", after(0ms, gives("first"))}, {"s/b", hangs()}, {"s/c", hangs()}};
  {
    Harness first{store};
    first.start(flow);
    first.until([&] { return first.recorder.has("part s/a"); });
    REQUIRE(store.release(store.load("r1")->number));
  }
  run::LoopClock::source = &process.clock;
  process.resume(flow);
  process.until_done();
  CHECK(process.finished->run.status == store::Status::kSucceeded);
  CHECK(!process.recorder.has("attempt s/b 1/1"));
}

TEST_CASE_FIXTURE(SplitFixture, "the resume of a failed split tries what failed, and keeps what succeeded") {
  const auto flow = flow_of(R"(
name: again
states:
  s: {split: {branches: {a: {task: act}, b: {task: act}}}, next: done}
  done: {exit: success, output: "${{ states.s.output.branches }}"}
)");
  Harness::acts = {{"s/a", gives("first")}, {"s/b", fails("exit", "exit code 1")}};
  {
    Harness first{store};
    first.start(flow);
    first.until_done();
    CHECK(first.finished->run.status == store::Status::kFailed);
  }
  run::LoopClock::source = &process.clock;
  Harness::acts = {{"s", gives("second")}};
  process.resume(flow);
  process.until_done();
  CHECK(process.finished->run.output["a"]["output"] == "first");
  CHECK(process.finished->run.output["b"]["output"] == "second");
}

TEST_CASE_FIXTURE(SplitFixture, "branches that another definition does not have count for nothing in it") {
  Harness::acts = {{"s/a", gives("first")}, {"s/b", hangs()}, {"s/c", fails("exit", "gone")}};
  {
    Harness first{store};
    first.start(flow_of(three("{partial_results: 3}")));
    first.until([&] { return first.recorder.has("part s/a") && first.recorder.has("part s/c exit"); });
    REQUIRE(store.release(store.load("r1")->number));
  }
  run::LoopClock::source = &process.clock;
  Harness::acts = {{"s", gives("second")}};
  process.resume(flow_of(R"(
name: three
states:
  s: {split: {branches: {a: {task: act}, d: {task: act}}}, next: done}
  done: {exit: success, output: "${{ states.s.output }}"}
)"));
  process.until_done();
  const Json& output = process.finished->run.output;
  CHECK(output["succeeded"] == 2);
  CHECK(output["branches"]["a"]["output"] == "first");
  CHECK(output["branches"]["d"]["output"] == "second");
}

TEST_CASE_FIXTURE(SplitFixture, "a cancellation and a suspension end all branches, and keep what had ended") {
  Harness::acts = {{"s/a", gives(1)}, {"s/b", hangs()}, {"s/c", hangs()}};
  begin(three("all"));
  until_line("part s/a");
  SUBCASE("cancel") {
    process.interrupt.raise(run::Reason::kCancel, "by hand");
    process.until_done();
    CHECK(process.finished->run.status == store::Status::kCancelled);
  }
  SUBCASE("suspend") {
    process.interrupt.raise(run::Reason::kSuspend, "SIGTERM");
    process.until_done();
    CHECK(process.finished->run.status == store::Status::kSuspended);
    CHECK(process.finished->run.current->parts.size() == 1);
  }
}

TEST_CASE_FIXTURE(Fixture, "branches have keys of their own, and retries and timeouts of their own") {
  std::map<std::string, std::string> keys;
  Harness::acts["s"] = [&](model::TaskContext& context, Json) -> boost::asio::awaitable<model::Outcome> {
    keys[context.part() + std::to_string(context.attempt())] = context.idempotency_key();
    if (context.part() == "b" && context.attempt() == 1) co_return model::failure("exit", "once");
    co_return model::Success{nullptr};
  };
  run_to_end(R"(
name: keys
states:
  s: {split: {branches: {a: {task: act}, b: {task: act, retry: {max: 1, delay: 0s}}}}, next: done}
  done: {exit: success}
)");
  CHECK(keys.size() == 3);
  CHECK(keys["a1"] != keys["b1"]);
  CHECK(keys["b1"] == keys["b2"]);
}

TEST_CASE_FIXTURE(SplitFixture, "what failed is told in the order of its names, whichever failed first") {
  Harness::acts = {{"s/2", after(1s, fails("exit", "two"))},
                   {"s/10", after(2s, fails("exit", "ten"))},
                   {"s/1", after(3s, fails("exit", "one"))}};
  process.start(flow_of(R"(
name: order
states:
  s:
    batch: {items: "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]", concurrency: 11, do: {task: act}}
    next: done
  done: {exit: success}
)"));
  until_line("parts s 11 of 11");
  for (int i = 0; i < 3; ++i) {
    turn();
    pass(1s);
  }
  process.until_done();
  CHECK(process.finished->run.error["message"] ==
        "3 of 11 items failed, and 11 must succeed: 1 (one), 2 (two), 10 (ten)");
}
