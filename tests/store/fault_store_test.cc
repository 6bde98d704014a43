#include "engine/store/fault_store.h"

#include <csignal>

#include "support.h"

using namespace canorun;
using namespace canorun::store;
using namespace canorun::store::test;

namespace {

const StoreError kFullError{StoreErrorKind::kFull, "no space"};

// Rows 0 and 1 with the run, then 2 and 3 together: gives how far that came.
std::string write_four(CheckpointStore& store) {
  const auto run = create(store, new_run("r1", {started(), entered("a")}));
  if (!run) return "create: " + kind(run);
  return "append: " + kind(append(store, *run, 2, {state_ended("a"), entered("b")}));
}

}  // namespace

TEST_CASE("a place to crash at is a word and the number of a row") {
  CHECK(!*crash_point_from(""));
  const auto before = *crash_point_from("before:0");
  CHECK(before->point == FaultPoint::kBefore);
  CHECK(before->row == 0);
  const auto after = *crash_point_from("after:18446744073709551615");
  CHECK(after->point == FaultPoint::kAfter);
  CHECK(after->row == 18446744073709551615ULL);
  for (const char* bad : {"before", "before:", "before:x", "before:1x", "before:-1", "during:1", "after:1:2", ":1",
                          "after:18446744073709551616", " after:1"}) {
    const auto refused = crash_point_from(bad);
    REQUIRE(!refused);
    CHECK(refused.error().message == "'" + std::string(bad) + "' is no place to crash at");
    CHECK(refused.error().hint ==
          "CANORUN_CRASH takes before:N or after:N, N being a row of a run, and @ID behind it to name the run");
  }
}

TEST_CASE("a write fails before or after its chosen row is kept") {
  struct Case {
    CrashPoint crash;
    std::string result;
    std::size_t rows;
  };
  const std::vector<Case> cases{{{FaultPoint::kBefore, 1}, "create: full", 0},
                                {{FaultPoint::kAfter, 0}, "create: full", 2},
                                {{FaultPoint::kBefore, 3}, "append: full", 2},
                                {{FaultPoint::kAfter, 2}, "append: full", 4},
                                {{FaultPoint::kBefore, 4}, "append: success", 4}};
  for (const Case& c : cases) {
    FaultStore store(std::make_unique<MemoryStore>(), c.crash, kFullError);
    CHECK(write_four(store) == c.result);
    const auto record = store.load("r1");
    CHECK((record ? record->rows.size() : 0) == c.rows);
  }
}

TEST_CASE("a refusal is told as it is, though the row is the chosen one") {
  FaultStore store(std::make_unique<MemoryStore>(), {FaultPoint::kAfter, 5}, kFullError);
  const auto run = create(store, new_run("r1"));
  CHECK(kind(append(store, *run, 5, {entered("a")})) == "row exists");
}

TEST_CASE("a process is killed before or after its chosen row is durable") {
  struct Case {
    CrashPoint crash;
    std::size_t rows;
  };
  for (const Case& c : {Case{{FaultPoint::kBefore, 0}, 0}, Case{{FaultPoint::kAfter, 1}, 2},
                        Case{{FaultPoint::kBefore, 2}, 2}, Case{{FaultPoint::kAfter, 2}, 4}}) {
    const TempFolder folder;
    Child child([&] {
      FaultStore store(open_lmdb(folder.path()), c.crash);
      write_four(store);
      return 0;
    });
    CHECK(child.wait() == -SIGKILL);
    const auto store = open_lmdb(folder.path());
    const auto record = store->load("r1");
    CHECK((record ? record->rows.size() : 0) == c.rows);
    if (record) CHECK(record->summary.status == Status::kInterrupted);
  }
}

TEST_CASE("a crash can be meant for one run only") {
  const auto crash = crash_point_from("after:1@r2");
  REQUIRE(crash);
  REQUIRE(*crash);
  CHECK((*crash)->row == 1);
  CHECK((*crash)->run == "r2");
  FaultStore store(std::make_unique<MemoryStore>(), **crash, StoreError{StoreErrorKind::kIo, "planned"});
  const auto begin = [&](const char* id) {
    std::optional<StoreResult<RunNumber>> number;
    store.create({id, {started()}, {{std::get<RunStarted>(started().body).digest, "text"}}},
                 [&](StoreResult<RunNumber> given) { number = std::move(given); });
    REQUIRE(number);
    REQUIRE(*number);
    return **number;
  };
  const auto appends = [&](RunNumber run) {
    std::optional<StoreResult<void>> result;
    store.append(run, 1, {entered("a")}, [&](StoreResult<void> given) { result = std::move(given); });
    REQUIRE(result);
    return result->has_value();
  };
  CHECK(appends(begin("r1")));
  CHECK(!appends(begin("r2")));
}
