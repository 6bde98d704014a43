// What attempts pass before they begin: rate limits and breakers.
#include "harness.h"
#include "shared_lines.h"

using namespace canorun;
using namespace canorun::test;
using namespace std::chrono_literals;

namespace {

namespace asio = boost::asio;

// A flow of the states `a` and `b`, which have all that is in `action`; an error of `b` is its output.
std::string two(const std::string& resources, const std::string& action) {
  return fmt::format(R"(
name: two
resources: {{{}}}
states:
  a: {{task: act, {}, next: b, on_error: b}}
  b: {{task: act, {}, next: done, on_error: lost}}
  done: {{exit: success}}
  lost: {{exit: failure, output: "${{{{ states.b.error }}}}"}}
)",
                     resources, action, action);
}

const std::string kLimit = "rate_limits: {api: {tokens: 1, per: 10s}}";
const std::string kFailingLimit = "rate_limits: {api: {tokens: 1, per: 10s, on_limit: fail}}";
const std::string kBreaker = "breakers: {b: {failure_threshold: 2, reset_timeout: 30s}}";
const std::string kQuickBreaker = "breakers: {b: {failure_threshold: 1, reset_timeout: 5s}}";

// One state `s` with a retry of a second.
std::string retried(const std::string& resources, const std::string& action) {
  return fmt::format(R"(
name: retried
resources: {{{}}}
states:
  s: {{task: act, retry: {{max: 5, backoff: fixed, delay: 1s, jitter: 0}}, {}, next: done}}
  done: {{exit: success}}
)",
                     resources, action);
}

struct GuardsFixture : Fixture {
  void pass(Millis time) {
    process.clock.advance(time);
    turn();
  }
  std::string breakers() { return breakers_of(store); }
  std::string limits() { return limits_of(store); }
  /// Its breaker `b` fails a call, and opens where one failure suffices.
  void fail_breaker(const policy::BreakerRule& rule = {1, Millis{5'000}, 1}) {
    const WallTime now = process.clock.now();
    store.shared().tell_breaker({"b", rule, now}, policy::Permit{}, policy::CallOutcome::kFailure,
                                [](const store::StoreResult<Millis>&) {});
  }
};

}  // namespace

TEST_CASE_FIXTURE(GuardsFixture, "an attempt begins when its rate limit lets it, and is told to be held until then") {
  process.start(flow_of(two(kLimit, "rate_limit: api, timeout: 5s")));
  until_line("held b by api for 10s");
  CHECK(limits() == "api 1 used, 1 waiting");
  pass(9'999ms);
  CHECK(process.recorder.last_begins("held b"));
  pass(1ms);
  process.until_done();
  CHECK(process.recorder.lines == std::vector<std::string>{"began two", "enter a 1", "attempt a 1/1",
                                                           "succeeded a after 1", "enter b 1", "held b by api for 10s",
                                                           "attempt b 1/1", "succeeded b after 1"});
  CHECK(limits() == "api 1 used, 0 waiting");
}

TEST_CASE_FIXTURE(GuardsFixture, "each attempt takes of its limits, all or none of them") {
  Harness::acts["s"] = fails_first(2, "ok");
  process.start(flow_of(retried("rate_limits: {api: {tokens: 2, per: 10s}, plan: {limit: 6, window: 1h}}",
                                "rate_limit: [api, {name: plan, cost: 3}]")));
  until_line("failed s 1 exit retry 1000");
  CHECK(limits() == "api 1 used, 0 waiting; plan 3 used, 0 waiting");
  pass(1s);
  until_line("failed s 2 exit retry 1000");
  pass(1s);
  until_line("held s by plan for 59m58s");
  CHECK(limits() == "api 2 used, 1 waiting; plan 6 used, 1 waiting");
  pass(59min);
  CHECK(limits() == "api 2 used, 1 waiting; plan 6 used, 1 waiting");
  pass(58s);
  process.until_done();
  CHECK(process.finished->run.find("s")->attempts == 3);
  CHECK(limits() == "api 1 used, 0 waiting; plan 3 used, 0 waiting");
}

TEST_CASE_FIXTURE(GuardsFixture, "a wait of less than a second is not worth telling") {
  process.start(flow_of(two("rate_limits: {api: {tokens: 1, per: 999ms}}", "rate_limit: api")));
  until_line("enter b 1");
  turn();
  CHECK(limits() == "api 1 used, 1 waiting");
  pass(999ms);
  process.until_done();
  CHECK(process.recorder.lines.size() == 7);
}

TEST_CASE_FIXTURE(GuardsFixture, "who does not wait fails with the time, and on_error sees it") {
  process.start(flow_of(two(kFailingLimit, "rate_limit: api")));
  process.until_done();
  CHECK(process.finished->run.output == Json{{"kind", "rate_limited"},
                                             {"message", "the rate limit 'api' lets no call through for 10s more"},
                                             {"state", "b"},
                                             {"attempts", 1}});
  CHECK(process.recorder.has("failed b 1 rate_limited"));
  CHECK(!process.recorder.has("attempt b 1/1"));
  CHECK(limits() == "api 1 used, 0 waiting");
}

TEST_CASE_FIXTURE(GuardsFixture, "who does not wait is tried again like after any failure") {
  process.start(flow_of(two(kFailingLimit, "rate_limit: api, retry: {max: 2, backoff: fixed, delay: 6s, jitter: 0}")));
  until_line("failed b 1 rate_limited retry 6000");
  pass(6s);
  until_line("failed b 2 rate_limited retry 6000");
  pass(6s);
  process.until_done();
  CHECK(process.recorder.has("attempt b 3/3"));
  CHECK(process.finished->run.find("b")->attempts == 3);
}

TEST_CASE_FIXTURE(GuardsFixture, "who does not wait behind others is told that they come first") {
  const policy::LimitRule rule = policy::Bucket{5, 10s, 0};
  const policy::LimitRule plan = policy::Window{1, 1h};
  const store::Moment now{process.clock.now(), process.clock.steady()};
  // Somebody stands in the queue of both for the sake of one.
  for (int i = 0; i < 2; ++i) {
    store.shared().take_limits({.costs = {{"plan", plan}, {"api", rule}}, .now = now}, [](const auto&) {});
  }
  process.start(flow_of(two("rate_limits: {api: {tokens: 5, per: 10s, on_limit: fail}}", "rate_limit: api")));
  process.until_done();
  CHECK(process.finished->run.output["message"] == "the rate limit 'api' lets no call through before others that wait");
}

TEST_CASE_FIXTURE(GuardsFixture, "branches that wait are served in their order, one for each token") {
  process.start(flow_of(R"(
name: fan
resources: {rate_limits: {api: {tokens: 1, per: 1s, burst: 1}}}
states:
  s: {split: {for_each: "[1, 2, 3, 4, 5]", do: {task: act, rate_limit: api}}, next: done}
  done: {exit: success}
)"));
  until_line("held s/4 by api for 2s");
  CHECK(limits() == "api 2 used, 3 waiting");
  const auto begun = [&] {
    std::string parts;
    for (const std::string& line : process.recorder.lines) {
      if (line.starts_with("attempt s/")) parts += line.substr(10, 1);
    }
    return parts;
  };
  CHECK(begun() == "01");
  for (const char* parts : {"012", "0123", "01234"}) {
    pass(999ms);
    CHECK(begun().size() + 1 == std::string_view(parts).size());
    pass(1ms);
    CHECK(begun() == parts);
  }
  process.until_done();
  CHECK(limits() == "api 2 used, 0 waiting");
}

TEST_CASE_FIXTURE(GuardsFixture, "who leaves the queue lets the next one pass in its time") {
  const std::string limits_yaml = "resources: {rate_limits: {api: {tokens: 1, per: 10s}}}\n";
  process.start(flow_of("name: fan\n" + limits_yaml + R"(
states:
  a: {task: act, rate_limit: api, next: s}
  s:
    split: {branches: {b: {task: flow, with: {file: waits.yaml}}, c: {task: act, rate_limit: api}}, join: {partial_results: 2}}
    next: done
  done: {exit: success}
)",
                        {{"waits.yaml", "name: waits\n" + limits_yaml +
                                            "states:\n  w: {task: act, rate_limit: api, next: end}\n"
                                            "  end: {exit: success}\n"}}));
  until_line("held s/c by api for 20s");
  until_line("s/b: held w by api for 10s");
  CHECK(limits() == "api 1 used, 2 waiting");
  REQUIRE(*store.post("r1.1", store::Request::kCancel));
  pass(2s);
  until_line("part s/b task");
  CHECK(limits() == "api 1 used, 1 waiting");
  pass(7'999ms);
  CHECK(!process.recorder.has("attempt s/c 1/1"));
  pass(1ms);
  process.until_done();
  CHECK(process.recorder.has("attempt s/c 1/1"));
  CHECK(limits() == "api 1 used, 0 waiting");
}

TEST_CASE_FIXTURE(GuardsFixture, "failures in a row open a breaker and end the retries with the last real error") {
  Harness::acts["s"] = fails("exit", "exit code 7");
  process.start(flow_of(retried(kBreaker, "breaker: b")));
  until_line("failed s 1 exit retry 1000");
  CHECK(breakers() == "b closed 0: 1 failures");
  pass(1s);
  process.until_done();
  const std::string message = "the breaker 'b' is open for 30s more; the last error was: exit code 7";
  CHECK(process.finished->run.error ==
        Json{{"kind", "circuit_open"}, {"message", message}, {"state", "s"}, {"attempts", 2}});
  CHECK(process.recorder.lines == std::vector<std::string>{"began retried", "enter s 1", "attempt s 1/6",
                                                           "failed s 1 exit retry 1000", "attempt s 2/6",
                                                           "failed s 2 exit", "failed s 2 circuit_open",
                                                           "lost s circuit_open: " + message});
  CHECK(breakers() == "b open 1: 0 failures");
}

TEST_CASE_FIXTURE(GuardsFixture, "the failure that opens a breaker is the error where it was the last attempt anyway") {
  Harness::acts["s"] = fails("exit", "exit code 7");
  process.start(flow_of(R"(
name: once
resources: {breakers: {b: {failure_threshold: 1}}}
states:
  s: {task: act, breaker: b, retry: {max: 3, delay: 0s, when: "error.kind != 'exit'"}, next: done}
  done: {exit: success}
)"));
  process.until_done();
  CHECK(process.finished->run.error ==
        Json{{"kind", "exit"}, {"message", "exit code 7"}, {"state", "s"}, {"attempts", 1}});
  CHECK(breakers() == "b open 1: 0 failures");
}

TEST_CASE_FIXTURE(GuardsFixture, "an open breaker lets no attempt begin, and none is counted") {
  fail_breaker();
  process.clock.advance(2s);
  process.start(flow_of(retried(kQuickBreaker, "breaker: b")));
  process.until_done();
  CHECK(process.finished->run.error == Json{{"kind", "circuit_open"},
                                            {"message", "the breaker 'b' is open for 3s more"},
                                            {"state", "s"},
                                            {"attempts", 0}});
  CHECK(process.recorder.lines == std::vector<std::string>{"began retried", "enter s 1", "failed s 0 circuit_open",
                                                           "lost s circuit_open: the breaker 'b' is open for 3s more"});
}

TEST_CASE_FIXTURE(GuardsFixture,
                  "a breaker that another opened during a delay ends the retries, and says what failed") {
  Harness::acts["s"] = fails("exit", "exit code 7");
  process.start(flow_of(retried(kBreaker, "breaker: b")));
  until_line("failed s 1 exit retry 1000");
  fail_breaker({2, Millis{30'000}, 1});
  CHECK(breakers() == "b open 1: 0 failures");
  pass(1s);
  process.until_done();
  CHECK(process.finished->run.error ==
        Json{{"kind", "circuit_open"},
             {"message", "the breaker 'b' is open for 29s more; the last error was: exit code 7"},
             {"state", "s"},
             {"attempts", 1}});
}

TEST_CASE_FIXTURE(GuardsFixture, "a delay that outlasts the breaker's rest goes on with a trial") {
  Harness::acts["s"] = fails_first(2, "ok");
  process.start(flow_of(retried("breakers: {b: {failure_threshold: 1, reset_timeout: 1s}}", "breaker: b")));
  until_line("failed s 1 exit retry 1000");
  CHECK(breakers() == "b open 1: 0 failures");
  pass(1s);
  until_line("failed s 2 exit retry 1000");
  CHECK(breakers() == "b open 3: 0 failures");
  pass(1s);
  process.until_done();
  CHECK(process.finished->run.status == store::Status::kSucceeded);
  CHECK(breakers() == "b closed 5: 0 failures");
}

TEST_CASE_FIXTURE(GuardsFixture, "a half-open breaker refuses who comes while its trial is under way") {
  fail_breaker();
  process.clock.advance(5s);
  Harness::acts["s/a"] = hangs();
  process.start(flow_of(R"(
name: fan
resources: {breakers: {b: {failure_threshold: 1, reset_timeout: 5s}}}
states:
  s: {split: {branches: {a: {task: act, breaker: b}, c: {task: act, breaker: b}}}, next: done}
  done: {exit: success}
)"));
  process.until_done();
  CHECK(
      process.finished->run.error["message"] ==
      "the join 'all' can no longer be satisfied: 1 of 2 branches failed: c (the breaker 'b' is half-open, and lets no "
      "other call through until it is known whether its trial succeeds)");
  CHECK(breakers() == "b half-open 2: 0 failures");
}

TEST_CASE_FIXTURE(GuardsFixture, "what an open breaker did not let begin takes nothing of its limits") {
  fail_breaker();
  process.start(flow_of(R"(
name: both
resources:
  breakers: {b: {failure_threshold: 1, reset_timeout: 5s}}
  rate_limits: {api: {tokens: 1, per: 10s}, plan: {limit: 1, window: 1h}}
states:
  a: {task: act, breaker: b, rate_limit: [api, plan], next: done, on_error: c}
  c: {task: act, rate_limit: [api, plan], next: done}
  done: {exit: success}
)"));
  process.until_done();
  CHECK(process.recorder.has("lost a circuit_open: the breaker 'b' is open for 5s more -> c"));
  CHECK(process.recorder.has("attempt c 1/1"));
  CHECK(limits() == "api 1 used, 0 waiting; plan 1 used, 0 waiting");
}

TEST_CASE_FIXTURE(GuardsFixture, "an attempt that its limit refused says nothing about how long a breaker is shut") {
  Harness::acts["s"] = [](model::TaskContext& context, Json) -> asio::awaitable<model::Outcome> {
    if (context.attempt() > 1) co_return model::Success{"ok"};
    model::Failure failure = model::failure("http_status", "HTTP 429");
    failure.error.retry_after = 6s;
    co_return failure;
  };
  process.start(flow_of(retried(kQuickBreaker + ", rate_limits: {api: {tokens: 1, per: 8s, on_limit: fail}}",
                                "breaker: b, rate_limit: api")));
  until_line("failed s 1 http_status retry 6000");
  pass(6s);
  until_line("failed s 2 rate_limited retry 1000");
  pass(1s);
  until_line("failed s 3 rate_limited retry 1000");
  pass(1s);
  process.until_done();
  CHECK(process.finished->run.status == store::Status::kSucceeded);
  CHECK(breakers() == "b closed 3: 0 failures");
}

TEST_CASE_FIXTURE(GuardsFixture, "an attempt that took too long is a failure to the breaker") {
  Harness::acts["s"] = hangs();
  process.start(flow_of(retried(kQuickBreaker, "breaker: b, timeout: 3s")));
  until_line("attempt s 1/6");
  pass(3s);
  process.until_done();
  CHECK(process.finished->run.error["message"] ==
        "the breaker 'b' is open for 5s more; the last error was: no result within 3s");
}

TEST_CASE_FIXTURE(GuardsFixture, "what was never called, as an expression failed, is no outcome") {
  const std::string yaml = R"(
name: bad
resources: {breakers: {b: {failure_threshold: 1, reset_timeout: 5s}}}
vars: {list: []}
states:
  s: {task: act, with: {value: "${{ vars.list[7] }}"}, breaker: b, next: done}
  done: {exit: success}
)";
  SUBCASE("of a closed breaker") {
    process.start(flow_of(yaml));
    process.until_done();
    CHECK(breakers() == "");
  }
  SUBCASE("of a trial") {
    fail_breaker();
    process.clock.advance(5s);
    process.start(flow_of(yaml));
    process.until_done();
    CHECK(breakers() == "b half-open 2: 0 failures");
  }
  CHECK(process.finished->run.error["kind"] == "expression");
}

TEST_CASE_FIXTURE(GuardsFixture, "an attempt that is cut off is no outcome, and gives its trial back") {
  for (const run::Reason reason : {run::Reason::kCancel, run::Reason::kSuspend, run::Reason::kRunTimeout}) {
    GuardsFixture one;
    one.fail_breaker();
    one.process.clock.advance(5s);
    Harness::acts["s"] = hangs();
    one.process.start(flow_of("timeout: 1h" + retried(kQuickBreaker, "breaker: b")));
    one.until_line("attempt s 1/6");
    CHECK(one.breakers() == "b half-open 2: 0 failures, 1 trials");
    one.process.interrupt.raise(reason, "by a person");
    one.process.until_done();
    CHECK(one.breakers() == "b half-open 2: 0 failures");
  }
}

TEST_CASE_FIXTURE(GuardsFixture,
                  "a branch that lost its join, and one that its state's time cut off, give their trials back") {
  const auto fan = [](const std::string& more) {
    return flow_of(fmt::format(R"(
name: fan
resources: {{breakers: {{b: {{failure_threshold: 1, reset_timeout: 5s}}}}}}
states:
  s: {{split: {{branches: {{a: {{task: act, breaker: b}}, c: {{task: act}}}}, join: any}}, {} next: done, on_error: done}}
  done: {{exit: success}}
)",
                               more));
  };
  fail_breaker();
  process.clock.advance(5s);
  Harness::acts = {{"s/a", hangs()}, {"s/c", after(1s, gives(1))}};
  SUBCASE("lost") {
    process.start(fan(""));
    until_line("attempt s/c 1/1");
    CHECK(breakers() == "b half-open 2: 0 failures, 1 trials");
    pass(1s);
  }
  SUBCASE("late") {
    Harness::acts["s/c"] = hangs();
    process.start(fan("timeout: 2s,"));
    until_line("attempt s/c 1/1");
    pass(2s);
  }
  process.until_done();
  CHECK(breakers() == "b half-open 2: 0 failures");
}

TEST_CASE_FIXTURE(GuardsFixture, "an attempt that ends well although it was interrupted stands, and is a success") {
  fail_breaker();
  process.clock.advance(5s);
  Harness::acts["a"] = [this](model::TaskContext&, Json) -> asio::awaitable<model::Outcome> {
    process.interrupt.raise(run::Reason::kCancel, "by a person");
    co_return model::Success{"well"};
  };
  process.start(flow_of(two(kQuickBreaker, "breaker: b")));
  process.until_done();
  CHECK(rows()[2] == R"(state_ended {"attempts":1,"output":"well","state":"a","visit":1})");
  CHECK(process.finished->run.status == store::Status::kCancelled);
  CHECK(breakers() == "b closed 3: 0 failures");
}

TEST_CASE_FIXTURE(GuardsFixture, "the time of a state counts what its branches wait, and leaves nobody in the queue") {
  Harness::acts["s/0"] = hangs();
  process.start(flow_of(R"(
name: late
resources: {rate_limits: {api: {tokens: 1, per: 10s}}}
states:
  s: {split: {for_each: "[1, 2, 3]", do: {task: act, rate_limit: api}}, timeout: 5s, next: done, on_error: lost}
  done: {exit: success}
  lost: {exit: failure, output: "${{ states.s.error.message }}"}
)"));
  until_line("held s/2 by api for 20s");
  pass(5s);
  process.until_done();
  CHECK(process.finished->run.output == "not over within 5s");
  CHECK(limits() == "api 1 used, 0 waiting");
}

TEST_CASE_FIXTURE(GuardsFixture, "what is shared holds for other runs, and what is a run's own does not") {
  const auto yaml = [](const std::string& scope) {
    return retried("breakers: {b: {failure_threshold: 1, reset_timeout: 5s, scope: " + scope +
                       "}}, rate_limits: {api: {tokens: 1, per: 10s, on_limit: fail, scope: " + scope + "}}",
                   "breaker: b, rate_limit: api");
  };
  const auto kind_of_second = [&](const std::string& scope) {
    Harness::acts["s"] = fails("exit", "exit code 7");
    process.start(flow_of(yaml(scope)));
    process.until_done();
    CHECK(process.finished->run.error["kind"] == "circuit_open");
    Harness second{store};
    second.start(flow_of(yaml(scope)), Json::object(), "r2");
    second.until([&] { return second.recorder.lines.size() > 2; });
    return second.recorder.lines[2];
  };
  SUBCASE("shared") {
    CHECK(kind_of_second("shared") == "failed s 1 rate_limited retry 1000");
    CHECK(breakers() == "b open 1: 0 failures");
    CHECK(limits() == "api 1 used, 0 waiting");
  }
  SUBCASE("a run's own") {
    CHECK(kind_of_second("run") == "attempt s 1/6");
    CHECK(breakers() == "r1/b open 1: 0 failures; r2/b open 1: 0 failures");
    CHECK(limits() == "r1/api 1 used, 0 waiting; r2/api 1 used, 0 waiting");
  }
}

TEST_CASE_FIXTURE(GuardsFixture, "a run's own limit that is waited for is told by its name in the flow") {
  process.start(flow_of(two("rate_limits: {api: {tokens: 1, per: 10s, scope: run}}", "rate_limit: api")));
  until_line("held b by api for 10s");
  CHECK(limits() == "r1/api 1 used, 1 waiting");
}

TEST_CASE_FIXTURE(GuardsFixture, "a run that waits in a queue and is gone with its process leaves no place there") {
  process.start(flow_of(two(kLimit, "rate_limit: api")));
  until_line("held b by api for 10s");
  {
    Harness second{store};
    second.start(flow_of(two(kLimit, "rate_limit: api")), Json::object(), "r2");
    second.until([&] { return second.recorder.has("held a by api for 20s"); });
    CHECK(limits() == "api 1 used, 2 waiting");
  }
  CHECK(limits() == "api 1 used, 1 waiting");
}

TEST_CASE_FIXTURE(GuardsFixture, "a flush that stands in a limit's queue when the run has to end has its grace") {
  Harness::feed.begin = [](Feed& feed, const Json&) { feed.lines = {"a", "b"}; };
  const auto begin = [&](const std::string& per) {
    process.start(flow_of(fmt::format(R"(
name: flushes
resources: {{rate_limits: {{api: {{tokens: 1, per: {}}}}}}}
states:
  s:
    stream:
      source: {{task: feed, with: {{value: 1}}}}
      initial: 0
      cursor: cursor + 1
      window: {{count: 1}}
      flush: {{task: act, rate_limit: api}}
    next: done
  done: {{exit: success}}
)",
                                      per)));
    until_line("held s/1:flush:1 by api for " + per);
    process.interrupt.raise(run::Reason::kCancel, "by a person");
    turn();
    CHECK(!process.finished);
  };
  SUBCASE("that suffices") {
    begin("20s");
    pass(20s);
    process.until_done();
    CHECK(process.recorder.has("window s 2 of 2"));
  }
  SUBCASE("that does not") {
    begin("1h");
    pass(30s);
    process.until_done();
    CHECK(process.recorder.has("said s the open window was not flushed, and will be read again: it took too long"));
  }
  CHECK(process.finished->run.status == store::Status::kCancelled);
  CHECK(limits() == "api 1 used, 0 waiting");
}
