// Interrupts that come while the store is asked for a limit or a breaker.
#include <latch>

#include "engine/store/lmdb_store.h"
#include "harness.h"
#include "shared_lines.h"
#include "support/temp_folder.h"

using namespace canorun;
using namespace canorun::test;
using namespace std::chrono_literals;

namespace {

namespace asio = boost::asio;

std::unique_ptr<store::LmdbStore> opened(const std::string& folder) {
  auto store = store::LmdbStore::open({folder});
  REQUIRE(store);
  return std::move(*store);
}

// A run on a store whose thread a test can hold up.
struct AsyncFixture {
  AsyncFixture() { Harness::acts.clear(); }
  ~AsyncFixture() { let_go(); }

  TempFolder folder;
  std::unique_ptr<store::LmdbStore> store = opened(folder.path() + "/store");
  Harness process{*store};
  std::optional<std::latch> held;

  void hold() {
    held.emplace(1);
    std::latch holding(1);
    store::RunStarted started;
    started.digest = "d";
    store::NewRun run{.id = "held", .rows = {{WallTime{}, std::move(started)}}, .texts = {{"d", "x"}}};
    store->create(std::move(run), [this, &holding](const store::StoreResult<store::RunNumber>&) {
      std::latch& let_go = *held;
      holding.count_down();
      let_go.wait();
    });
    holding.wait();
  }
  void let_go() {
    if (held && !held->try_wait()) held->count_down();
  }
  void until_line(const std::string& line) {
    process.until([&] { return process.recorder.has(line); });
  }
  void turn() {
    int turns = 0;
    process.until([&] { return ++turns > 5; });
  }
  /// Raised while the store is asked, which answers then.
  void interrupted(run::Reason reason) {
    turn();
    process.interrupt.raise(reason, "by a person");
    turn();
    CHECK(!process.finished);
    let_go();
    process.until_done();
  }
  /// An act that holds the thread up, then does something else.
  Act holding(Act then) {
    return [this, then](model::TaskContext& context, Json params) -> asio::awaitable<model::Outcome> {
      hold();
      auto outcome = co_await then(context, params);
      co_return outcome;
    };
  }
};

std::string one(const std::string& resources, const std::string& action) {
  return fmt::format(R"(
name: one
resources: {{{}}}
states:
  s: {{task: act, {}, next: t}}
  t: {{task: act, next: done}}
  done: {{exit: success}}
)",
                     resources, action);
}

}  // namespace

TEST_CASE_FIXTURE(AsyncFixture, "who is interrupted while it takes its place in a queue has none there") {
  Harness::acts["s"] = holding(fails("exit"));
  process.start(
      flow_of(one("rate_limits: {plan: {limit: 1, window: 1h}}", "rate_limit: plan, retry: {max: 1, delay: 0s}")));
  until_line("failed s 1 exit retry 0");
  interrupted(run::Reason::kCancel);
  CHECK(process.finished->run.status == store::Status::kCancelled);
  CHECK(limits_of(*store) == "plan 1 used, 0 waiting");
}

TEST_CASE_FIXTURE(AsyncFixture, "who is interrupted while it takes of a limit gives that back") {
  Harness::acts["s"] = holding(fails("exit"));
  process.start(flow_of(one("rate_limits: {plan: {limit: 5, window: 1h}, api: {tokens: 9, per: 1h}}",
                            "rate_limit: [plan, api], retry: {max: 1, delay: 0s}")));
  until_line("failed s 1 exit retry 0");
  interrupted(run::Reason::kSuspend);
  CHECK(process.finished->run.status == store::Status::kSuspended);
  CHECK(limits_of(*store) == "api 1 used, 0 waiting; plan 1 used, 0 waiting");
  CHECK(!process.recorder.has("attempt s 2/2"));
}

TEST_CASE_FIXTURE(AsyncFixture, "who is interrupted while it gets a trial gives that back") {
  Harness::acts["s"] = fails("exit");
  process.start(flow_of(one("breakers: {b: {failure_threshold: 1, reset_timeout: 1s}}",
                            "breaker: b, retry: {max: 1, backoff: fixed, delay: 1s, jitter: 0}")));
  until_line("failed s 1 exit retry 1000");
  hold();
  process.clock.advance(1s);
  interrupted(run::Reason::kCancel);
  CHECK(process.finished->run.status == store::Status::kCancelled);
  CHECK(breakers_of(*store) == "b half-open 2: 0 failures");
  CHECK(!process.recorder.has("attempt s 2/2"));
}

TEST_CASE_FIXTURE(AsyncFixture, "an interrupt is heard that comes while a failure is told to a breaker") {
  for (const run::Reason reason : {run::Reason::kCancel, run::Reason::kSuspend, run::Reason::kRunTimeout}) {
    AsyncFixture fixture;
    Harness::acts["s"] = fixture.holding(fails("exit"));
    fixture.process.start(flow_of("timeout: 1d" + one("breakers: {b: {}}", "breaker: b, retry: {max: 3, delay: 10s}")));
    fixture.until_line("attempt s 1/4");
    fixture.interrupted(reason);
    CHECK(fixture.process.finished->run.status != store::Status::kSucceeded);
    CHECK(breakers_of(*fixture.store) == "b closed 0: 1 failures");
    CHECK(!fixture.process.recorder.has("failed s 1 exit retry 10000"));
  }
}

TEST_CASE_FIXTURE(AsyncFixture,
                  "a breaker is open from when its store knows of it, and a trial asked for when it is due") {
  Harness::acts["s"] = holding(fails("exit"));
  process.start(flow_of(one("breakers: {b: {failure_threshold: 1, reset_timeout: 30s}}",
                            "breaker: b, retry: {max: 1, backoff: fixed, delay: 30s, jitter: 0}")));
  process.until([&] { return held.has_value(); });
  turn();
  process.clock.advance(1min);
  let_go();
  until_line("failed s 1 exit retry 30000");
  CHECK(store->shared().breakers()->front().state.opened_at == process.clock.now());
  Harness::acts["s"] = gives("well");
  process.clock.advance(30s);
  process.until_done();
  CHECK(breakers_of(*store) == "b closed 3: 0 failures");
}

TEST_CASE_FIXTURE(AsyncFixture, "a success that is told to a breaker stands, whatever is raised meanwhile") {
  Harness::acts["s"] = holding(gives("well"));
  store->shared().tell_breaker({"b", {}, process.clock.now()}, {}, policy::CallOutcome::kFailure, [](const auto&) {});
  process.start(flow_of(one("breakers: {b: {}}", "breaker: b")));
  until_line("attempt s 1/1");
  interrupted(run::Reason::kCancel);
  CHECK(rows_of(*store)[2] == R"(state_ended {"attempts":1,"output":"well","state":"s","visit":1})");
  CHECK(process.finished->run.status == store::Status::kCancelled);
  CHECK(breakers_of(*store) == "b closed 0: 0 failures");
}

TEST_CASE_FIXTURE(AsyncFixture, "branches that wait for a window on disk are served in their order") {
  process.start(flow_of(R"(
name: fan
resources: {rate_limits: {plan: {limit: 2, window: 1h}}}
states:
  s: {split: {for_each: "[1, 2, 3, 4, 5]", do: {task: act, rate_limit: plan}}, next: done}
  done: {exit: success}
)"));
  until_line("held s/4 by plan for 1h");
  CHECK(limits_of(*store) == "plan 2 used, 3 waiting");
  process.clock.advance(1h);
  until_line("attempt s/3 1/1");
  turn();
  CHECK(limits_of(*store) == "plan 2 used, 1 waiting");
  CHECK(!process.recorder.has("attempt s/4 1/1"));
  process.until([&] {
    process.clock.advance(1min);
    return process.finished.has_value();
  });
  CHECK(limits_of(*store) == "plan 1 used, 0 waiting");
}
