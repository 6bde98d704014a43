// Stopping and going on: cancellation, suspension, death, resume.
#include "engine/run/loop.h"
#include "harness.h"

using namespace canorun;
using namespace canorun::test;
using namespace std::chrono_literals;

namespace {

const std::string kThree = R"(
name: three
states:
  a: {task: act, with: {value: 1}, next: b}
  b: {task: act, with: {value: 2}, retry: 1, next: c}
  c: {task: act, with: {value: 3}, next: done}
  done: {exit: success}
)";

}  // namespace

TEST_CASE_FIXTURE(Fixture, "a cancellation ends the attempt and the run, and on_error is not asked") {
  Harness::acts["b"] = hangs();
  process.start(flow_of(kThree));
  process.until([&] { return process.recorder.has("attempt b 1/2"); });
  process.interrupt.raise(run::Reason::kCancel, "by hand");
  process.until_done();
  const run::RunState& run = process.finished->run;
  CHECK(run.status == store::Status::kCancelled);
  CHECK(run.is_over());
  CHECK(
      rows()[4] ==
      R"(state_ended {"attempts":0,"error":{"attempts":0,"kind":"cancelled","message":"by hand","state":"b"},"state":"b","visit":1})");
  CHECK(
      rows()[5] ==
      R"(run_ended {"error":{"attempts":0,"kind":"cancelled","message":"by hand","state":"b"},"state":"b","status":"cancelled"})");
}

TEST_CASE_FIXTURE(Fixture, "a cancellation reaches a run in its backoff") {
  Harness::acts["b"] = fails("exit");
  process.start(flow_of(kThree));
  process.until([&] { return process.recorder.last_begins("failed b 1 exit retry"); });
  process.interrupt.raise(run::Reason::kCancel, "x");
  process.until_done();
  CHECK(process.finished->run.status == store::Status::kCancelled);
}

TEST_CASE_FIXTURE(Fixture, "work that ends well while it is cancelled stands; what it would enter does not") {
  Harness::acts["a"] = [this](model::TaskContext&, Json) -> boost::asio::awaitable<model::Outcome> {
    process.interrupt.raise(run::Reason::kCancel, "x");
    co_return model::Success{"charged"};
  };
  process.start(flow_of(kThree));
  process.until_done();
  CHECK(process.finished->run.status == store::Status::kCancelled);
  CHECK(rows()[2] == R"(state_ended {"attempts":1,"output":"charged","state":"a","visit":1})");
  CHECK(rows()[3].starts_with(R"(run_ended {"error":{"attempts":0,"kind":"cancelled")"));
}

TEST_CASE_FIXTURE(Fixture, "an exit state that was reached stands against a cancellation") {
  Harness::acts["c"] = [this](model::TaskContext&, Json) -> boost::asio::awaitable<model::Outcome> {
    process.interrupt.raise(run::Reason::kCancel, "x");
    co_return model::Success{nullptr};
  };
  process.start(flow_of(kThree));
  process.until_done();
  CHECK(process.finished->run.status == store::Status::kSucceeded);
}

TEST_CASE_FIXTURE(Fixture, "a suspension rolls nothing back, and a resume runs the state again with the same key") {
  std::vector<std::string> keys;
  Harness::acts["b"] = [&](model::TaskContext& context, Json params) -> boost::asio::awaitable<model::Outcome> {
    keys.push_back(context.idempotency_key());
    auto hung = co_await hangs()(context, params);
    co_return hung;
  };
  const auto flow = flow_of(kThree);
  process.start(flow);
  process.until([&] { return process.recorder.has("attempt b 1/2"); });
  process.interrupt.raise(run::Reason::kSuspend, "SIGTERM");
  process.until_done();
  CHECK(process.finished->run.status == store::Status::kSuspended);
  CHECK(rows().back() == R"(run_suspended {"reason":"SIGTERM"})");

  Harness::acts["b"] = [&](model::TaskContext& context, Json) -> boost::asio::awaitable<model::Outcome> {
    keys.push_back(context.idempotency_key());
    co_return model::Success{2};
  };
  Harness second{store};
  second.resume(flow);
  second.until_done();
  CHECK(second.finished->run.status == store::Status::kSucceeded);
  CHECK(keys.size() == 2);
  CHECK(keys[0] == keys[1]);
  CHECK(second.recorder.lines == std::vector<std::string>{"resumed at b", "enter b 1", "attempt b 1/2",
                                                          "succeeded b after 1", "enter c 1", "attempt c 1/1",
                                                          "succeeded c after 1"});
  CHECK(rows()[5] == R"(run_resumed {"by_hand":false,"state":"b"})");
}

TEST_CASE_FIXTURE(Fixture, "a run that died at any row resumes to the same end, and nothing that ended runs again") {
  const auto flow = flow_of(kThree);
  process.start(flow);
  process.until_done();
  const auto whole = run::to_json(process.finished->run, store::Status::kSucceeded);
  const auto all = store.load("r1")->rows;
  for (std::size_t kept = 1; kept < all.size(); ++kept) {
    CAPTURE(kept);
    store::MemoryStore cut;
    std::optional<store::RunNumber> number;
    cut.create({"r1", {all.begin(), all.begin() + static_cast<std::ptrdiff_t>(kept)}, {{flow->digest, flow->text}}},
               [&](store::StoreResult<store::RunNumber> made) { number = *made; });
    REQUIRE(cut.release(*number));
    CHECK(cut.load("r1")->summary.status == store::Status::kInterrupted);
    Harness second{cut};
    second.resume(flow);
    second.until_done();
    Json end = run::to_json(second.finished->run, second.finished->run.status);
    end["started_at"] = whole["started_at"];
    end["ended_at"] = whole["ended_at"];
    CHECK(end == whole);
  }
}

TEST_CASE_FIXTURE(Fixture, "a failed run resumes at the state that failed, with the same key and fresh attempts") {
  Harness::acts["b"] = fails("exit", "exit code 1");
  const auto flow = flow_of(kThree);
  process.start(flow);
  process.until([&] { return process.recorder.last_begins("failed b 1"); });
  process.clock.advance(1h);
  process.until_done();
  CHECK(process.finished->run.status == store::Status::kFailed);
  CHECK(process.finished->run.ended_at);

  Harness::acts["b"] = fails_first(1, 2);
  Harness second{store};
  second.resume(flow);
  second.until([&] { return second.recorder.last_begins("failed b 1"); });
  second.clock.advance(1h);
  second.until_done();
  const run::RunState& run = second.finished->run;
  CHECK(run.status == store::Status::kSucceeded);
  CHECK(run.error.is_null());
  CHECK(run.find("b")->visits == 1);
  CHECK(run.find("b")->attempts == 2);
  CHECK(run::to_json(run, run.status)["path"] == Json{"a", "b", "c", "done"});
}

TEST_CASE_FIXTURE(Fixture, "a person's word enters another state, and it is a row like any other") {
  Harness::acts["b"] = fails("exit", "exit code 1");
  const auto flow = flow_of(kThree);
  process.start(flow);
  process.until([&] { return process.recorder.last_begins("failed b 1"); });
  process.clock.advance(1h);
  process.until_done();
  Harness second{store};
  second.resume(flow, "a");
  Harness::acts["b"] = gives(2);
  second.until_done();
  CHECK(second.finished->run.status == store::Status::kSucceeded);
  CHECK(second.finished->run.find("a")->visits == 2);
  CHECK(rows()[6] == R"(run_resumed {"by_hand":true,"state":"a"})");
  CHECK(rows()[7] == R"(state_entered {"state":"a","visit":2})");
}

TEST_CASE_FIXTURE(Fixture, "a run that stopped at max_transitions has them anew after a resume") {
  const auto flow = flow_of(R"(
name: ring
max_transitions: 4
states:
  a: {task: act, next: [{when: states.a.visits >= 6, to: done}, {to: a}]}
  done: {exit: success}
)");
  process.start(flow);
  process.until_done();
  CHECK(process.finished->run.error["kind"] == "max_transitions");
  Harness second{store};
  second.resume(flow);
  second.until_done();
  CHECK(second.finished->run.status == store::Status::kSucceeded);
  CHECK(second.finished->run.find("a")->visits == 6);
}

TEST_CASE_FIXTURE(Fixture, "a cancellation of a run that nobody works on is its end") {
  Harness::acts["b"] = hangs();
  const auto flow = flow_of(kThree);
  process.start(flow);
  process.until([&] { return process.recorder.has("attempt b 1/2"); });
  process.interrupt.raise(run::Reason::kSuspend, "SIGTERM");
  process.until_done();

  boost::asio::io_context io;
  run::Runtime runtime{io.get_executor(), store, process.clock, process.random, process.recorder};
  run::Interrupt interrupt;
  interrupt.raise(run::Reason::kCancel, "cancelled by hand");
  std::optional<run::Finished> finished;
  boost::asio::co_spawn(io, run::end(run::Ending::kCancel, runtime, nullptr, *store.claim("r1"), interrupt),
                        [&](std::exception_ptr, run::Finished result) { finished.emplace(std::move(result)); });
  io.run();
  REQUIRE(finished);
  CHECK(finished->run.status == store::Status::kCancelled);
  CHECK(store.find("r1")->status == store::Status::kCancelled);
}
