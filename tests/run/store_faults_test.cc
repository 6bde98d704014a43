// A store that fails in the middle of a run, and clocks that jump.
#include "engine/store/fault_store.h"
#include "engine/store/lmdb_store.h"
#include "harness.h"
#include "support/temp_folder.h"

using namespace canorun;
using namespace canorun::test;
using namespace std::chrono_literals;

namespace {

const char* const kThree = R"(
name: three
vars: {n: 0}
states:
  a: {task: act, set: {n: "${{ vars.n + 1 }}"}, next: b}
  b: {task: act, set: {n: "${{ vars.n + 1 }}"}, next: c}
  c: {task: act, set: {n: "${{ vars.n + 1 }}"}, next: done}
  done: {exit: success, output: "${{ vars.n }}"}
)";

std::unique_ptr<store::CheckpointStore> open(const std::string& folder) {
  auto opened = store::LmdbStore::open({.folder = folder});
  if (!opened) throw std::runtime_error(opened.error().message);
  return std::move(*opened);
}

const store::StoreError kBroken{store::StoreErrorKind::kIo, "the disk: Input/output error"};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "an input/output error at any row interrupts the run, and what was committed is read back") {
  const auto flow = flow_of(kThree);
  for (const auto point : {store::FaultPoint::kBefore, store::FaultPoint::kAfter}) {
    for (std::uint64_t row = 0; row < 8; ++row) {
      CAPTURE(row);
      CAPTURE(static_cast<int>(point));
      const TempFolder folder;
      std::map<std::string, int> done;
      for (const char* state : {"a", "b", "c"}) {
        Harness::acts[state] = [&done, state](model::TaskContext&,
                                              const Json&) -> boost::asio::awaitable<model::Outcome> {
          ++done[state];
          co_return model::Success{nullptr};
        };
      }
      {
        store::FaultStore faulty(open(folder.path()), {point, row}, kBroken);
        Harness first{faulty};
        run::LoopClock::source = &first.clock;
        first.start(flow);
        first.until_done();
        REQUIRE(first.finished->store_error);
        CHECK(first.finished->store_error->message == kBroken.message);
      }
      const auto kept_store = open(folder.path());
      const bool starts = row == 0 || row == 1;  // these two come in one transaction
      const auto kept = kept_store->load("r1");
      CHECK(kept.has_value() == !(starts && point == store::FaultPoint::kBefore));
      Harness second{*kept_store};
      run::LoopClock::source = &second.clock;
      if (!kept) {
        second.start(flow);
      } else if (kept->summary.status == store::Status::kInterrupted) {
        second.resume(flow);
      } else {
        CHECK(kept->summary.status == store::Status::kSucceeded);
        CHECK(point == store::FaultPoint::kAfter);
        continue;
      }
      second.until_done();
      CHECK(second.finished->run.output == 3);
      // Only the state that was cut off was done once more.
      CHECK(done["a"] + done["b"] + done["c"] <= 4);
    }
  }
}

TEST_CASE_FIXTURE(Fixture, "a wall clock that is set back leaves rows in order, and no duration below nothing") {
  const auto flow = flow_of(kThree);
  for (const char* state : {"a", "b", "c"}) {
    Harness::acts[state] = [this](model::TaskContext&, const Json&) -> boost::asio::awaitable<model::Outcome> {
      process.clock.advance(5s);
      process.clock.set_wall(process.clock.now() - 24h);
      co_return model::Success{nullptr};
    };
  }
  process.start(flow);
  process.until_done();
  CHECK(process.finished->run.status == store::Status::kSucceeded);
  const auto record = store.load("r1");
  REQUIRE(record);
  std::vector<Millis> durations;
  for (const store::Row& row : record->rows) {
    if (const auto* ended = std::get_if<store::StateEnded>(&row.body)) durations.push_back(ended->duration);
  }
  CHECK(durations == std::vector<Millis>{5s, 5s, 5s});
  CHECK(*record->summary.ended_at < record->summary.started_at);
  Harness second{store};
  run::LoopClock::source = &second.clock;
  second.clock.set_wall(process.clock.now() - 24h);
  second.start(flow, Json::object(), "r2");
  second.until_done();
  CHECK(runs_of(store) == std::vector<std::string>{"r1 succeeded", "r2 succeeded"});
}

TEST_CASE_FIXTURE(Fixture, "a run that was cut off before the clock was set back goes on, with its whole budget") {
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
    first.clock.set_wall(first.clock.now() - 24h);
    first.interrupt.raise(run::Reason::kSuspend, "SIGTERM");
    first.until_done();
  }
  run::LoopClock::source = &process.clock;
  process.resume(flow);
  until_line("attempt a 1/1");
  process.clock.advance(30min - 1ms);
  turn();
  CHECK(!process.finished);
  process.clock.advance(1ms);
  process.until_done();
  CHECK(process.finished->run.error["kind"] == "run_timeout");
}
