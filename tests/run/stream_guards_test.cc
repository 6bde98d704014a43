// The source of a stream behind rate limits and a breaker.
#include "harness.h"
#include "shared_lines.h"

using namespace canorun;
using namespace canorun::test;
using namespace std::chrono_literals;

namespace {

const char* const kResources =
    "breakers: {b: {failure_threshold: 2, reset_timeout: 5s}}, rate_limits: {api: {tokens: 1, per: 10s}}";

// A stream whose source has `guards`; `more` is keys of the stream.
std::string flow(const std::string& guards, const std::string& more = "window: {count: 2}",
                 const std::string& resources = kResources) {
  return fmt::format(R"(
name: guarded
vars: {{list: []}}
resources: {{{}}}
states:
  s:
    stream:
      source: {{task: feed, with: {{value: "${{{{ cursor }}}}"}}, {}}}
      initial: 0
      cursor: cursor + 1
      flush: {{task: act}}
      {}
    next: done
  done: {{exit: success, output: "${{{{ states.s.output.reason }}}}"}}
)",
                     resources, guards, more);
}

struct Sources : Fixture {
  /// Each start gives two lines, then this.
  static void gives_two(std::optional<model::Outcome> outcome) {
    Harness::feed.begin = [outcome](Feed& feed, const Json&) {
      feed.lines = {"a", "b"};
      feed.outcome = outcome;
    };
  }
  static void fails() { Harness::feed.outcome = model::failure("exit", "exit code 7"); }
  void begin(const std::string& yaml) { process.start(flow_of(yaml)); }
  void pass(Millis time) {
    process.clock.advance(time);
    turn();
  }
  /// The next call of the breaker is a trial.
  void half_open() {
    for (int i = 0; i < 2; ++i) {
      store.shared().tell_breaker({"b", {2, 5s, 1}, process.clock.now()}, {}, policy::CallOutcome::kFailure,
                                  [](const auto&) {});
    }
    process.clock.advance(5s);
  }
};

}  // namespace

TEST_CASE_FIXTURE(Sources, "each start of a source takes of its limit, and waits for it") {
  int starts = 0;
  Harness::feed.begin = [&](Feed& feed, const Json&) {
    if (++starts == 1) return;
    feed.outcome = model::Success{};
  };
  begin(flow("rate_limit: api, retry: {max: 1, delay: 0s}"));
  process.until([&] { return starts == 1; });
  Harness::feed.outcome = model::failure("exit", "exit code 7");
  Harness::feed.ready();
  until_line("held s/source by api for 10s");
  CHECK(limits_of(store) == "api 1 used, 1 waiting");
  pass(9'999ms);
  CHECK(starts == 1);
  CHECK(!process.recorder.has("attempt s/source 2/2"));
  pass(1ms);
  process.until_done();
  CHECK(starts == 2);
  CHECK(process.finished->run.output == "exhausted");
  CHECK(limits_of(store) == "api 1 used, 0 waiting");
}

TEST_CASE_FIXTURE(Sources, "a source that does not wait for its limit fails the state") {
  int starts = 0;
  Harness::feed.begin = [&](Feed& feed, const Json&) {
    ++starts;
    feed.outcome = model::failure("exit", "exit code 7");
  };
  begin(flow("rate_limit: api, retry: {max: 1, delay: 0s}", "window: {count: 2}",
             "rate_limits: {api: {tokens: 1, per: 10s, on_limit: fail}}"));
  process.until_done();
  CHECK(starts == 1);
  CHECK(process.finished->run.error == Json{{"kind", "rate_limited"},
                                            {"message", "the rate limit 'api' lets no call through for 10s more"},
                                            {"state", "s"},
                                            {"attempts", 2}});
}

TEST_CASE_FIXTURE(Sources, "a source that keeps failing opens its breaker, which ends the retries") {
  Harness::feed.begin = [](Feed& feed, const Json&) { feed.outcome = model::failure("exit", "exit code 7"); };
  begin(flow("breaker: b, retry: {max: 9, backoff: fixed, delay: 1s, jitter: 0}"));
  until_line("failed s/source 1 exit retry 1000");
  CHECK(breakers_of(store) == "b closed 0: 1 failures");
  pass(1s);
  process.until_done();
  CHECK(process.finished->run.error ==
        Json{{"kind", "circuit_open"},
             {"message", "the breaker 'b' is open for 5s more; the last error was: exit code 7"},
             {"state", "s"},
             {"attempts", 2}});
  CHECK(breakers_of(store) == "b open 1: 0 failures");
}

TEST_CASE_FIXTURE(Sources, "an open breaker lets no source begin") {
  half_open();
  process.clock.advance(-2s);
  begin(flow("breaker: b"));
  process.until_done();
  CHECK(process.finished->run.error["message"] == "the breaker 'b' is open for 2s more");
  CHECK(process.finished->run.error["attempts"] == 0);
  CHECK(Harness::feed.begun.empty());
}

TEST_CASE_FIXTURE(Sources, "a source that has no more has succeeded, to its breaker") {
  half_open();
  gives_two(std::nullopt);
  begin(flow("breaker: b", "window: {count: 9}"));
  process.until([] { return Harness::feed.taken == 2; });
  CHECK(breakers_of(store) == "b half-open 2: 0 failures, 1 trials");
  Harness::feed.outcome = model::Success{};
  Harness::feed.ready();
  process.until_done();
  CHECK(breakers_of(store) == "b closed 3: 0 failures");
}

TEST_CASE_FIXTURE(Sources, "a source's trial has succeeded with the first window that is kept") {
  half_open();
  gives_two(std::nullopt);
  begin(flow("breaker: b, retry: {max: 1, backoff: fixed, delay: 1s, jitter: 0}"));
  until_line("window s 1 of 2");
  turn();
  CHECK(breakers_of(store) == "b closed 3: 0 failures");
  Harness::feed.outcome = model::failure("exit", "exit code 7");
  Harness::feed.ready();
  until_line("failed s/source 1 exit retry 1000");
  CHECK(breakers_of(store) == "b closed 3: 0 failures");
  // Which is no trial: a window is nothing to its breaker, and a failure is one.
  pass(1s);
  until_line("window s 2 of 4");
  Harness::feed.outcome = model::failure("exit", "exit code 7");
  Harness::feed.ready();
  turn();
  CHECK(breakers_of(store) == "b closed 3: 1 failures");
}

TEST_CASE_FIXTURE(Sources, "a source that is stopped, or cut off, is no outcome") {
  half_open();
  gives_two(std::nullopt);
  SUBCASE("stopped") {
    begin(flow("breaker: b", "window: {count: 2}\n      stop_when: item == 'b'"));
    process.until_done();
    CHECK(process.finished->run.output == "stopped");
  }
  SUBCASE("its stream failed") {
    begin(flow("breaker: b", "window: {count: 2}\n      each: {task: act, with: {value: '${{ vars.list[7] }}'}}"));
    process.until_done();
    CHECK(process.finished->run.error["kind"] == "expression");
  }
  SUBCASE("cancelled") {
    begin(flow("breaker: b", "window: {count: 9}"));
    process.until([] { return Harness::feed.taken == 2; });
    CHECK(breakers_of(store) == "b half-open 2: 0 failures, 1 trials");
    process.interrupt.raise(run::Reason::kCancel, "by a person");
    process.until_done();
    CHECK(process.finished->run.status == store::Status::kCancelled);
  }
  CHECK(breakers_of(store) == "b half-open 2: 0 failures");
}

TEST_CASE_FIXTURE(Sources, "a source that never began, as an expression failed, is no outcome") {
  half_open();
  std::string yaml = flow("breaker: b");
  yaml.replace(yaml.find("${{ cursor }}"), 13, "${{ vars.list[7] }}");
  begin(yaml);
  process.until_done();
  CHECK(process.finished->run.error["kind"] == "expression");
  CHECK(breakers_of(store) == "b half-open 2: 0 failures");
}

TEST_CASE_FIXTURE(Sources, "a source's trial is free before the last window is flushed") {
  half_open();
  gives_two(std::nullopt);
  Harness::acts["s"] = hangs();
  begin(flow("breaker: b", "window: {count: 9}\n      stop_when: item == 'b'"));
  until_line("attempt s/0:flush:2 1/1");
  CHECK(breakers_of(store) == "b half-open 2: 0 failures");
}

TEST_CASE_FIXTURE(Sources, "an interrupt is heard that comes while a source that failed is ended") {
  gives_two(model::failure("exit", "exit code 7"));
  Harness::feed.on_end = [&] { process.interrupt.raise(run::Reason::kCancel, "by a person"); };
  begin(flow("retry: {max: 3, delay: 1h}", "window: {count: 9}"));
  process.until_done();
  CHECK(process.finished->run.status == store::Status::kCancelled);
  CHECK(!process.recorder.has("failed s/source 1 exit retry 3600000"));
}
