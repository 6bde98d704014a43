// Concurrency groups in a store: the same tests for both.
#include "support.h"

using namespace canorun;
using namespace canorun::store;
using namespace canorun::store::test;

namespace {

using Ids = std::vector<std::string>;

NewRun grouped(std::string id, std::string group, bool queues = false) {
  NewRun run = new_run(std::move(id));
  run.group = std::move(group);
  run.queues = queues;
  return run;
}

StoreResult<void> join(CheckpointStore& store, RunNumber run, std::string group, bool queues = false) {
  std::promise<StoreResult<void>> promise;
  auto result = promise.get_future();
  store.join_group(run, std::move(group), queues, [promise = std::move(promise)](StoreResult<void> joined) mutable {
    promise.set_value(std::move(joined));
  });
  return result.get();
}

RunNumber number_of(const StoreResult<RunNumber>& run) {
  REQUIRE(run);
  return *run;
}

}  // namespace

TEST_CASE_TEMPLATE("the first run of a group holds it, and the next is refused with its name and is not there", Fixture,
                   InMemory, OnDisk) {
  Fixture fixture;
  CheckpointStore& store = fixture.store;
  const RunNumber first = number_of(create(store, grouped("r1", "deploy")));
  CHECK(store.before_in_group(first) == Ids{});
  const auto refused = create(store, grouped("r2", "deploy"));
  CHECK(kind(refused) == "group taken");
  CHECK(refused.error().message == "the run 'r1' has the concurrency group 'deploy'");
  CHECK(refused.error().hint == "wait for it, or stop it with `canorun cancel r1`");
  CHECK(kind(store.find("r2")) == "no such run");
  CHECK(kind(create(store, grouped("r3", "other"))) == "success");
  CHECK(kind(create(store, grouped("r4", ""))) == "success");
  CHECK(kind(create(store, grouped("r5", ""))) == "success");
}

TEST_CASE_TEMPLATE("runs that queue come in the order in which they asked", Fixture, InMemory, OnDisk) {
  Fixture fixture;
  CheckpointStore& store = fixture.store;
  const RunNumber first = number_of(create(store, grouped("r1", "g", true)));
  const RunNumber second = number_of(create(store, grouped("r2", "g", true)));
  const RunNumber third = number_of(create(store, grouped("r3", "g", true)));
  CHECK(store.before_in_group(first) == Ids{});
  CHECK(store.before_in_group(second) == Ids{"r1"});
  CHECK(store.before_in_group(third) == Ids{"r1", "r2"});
  // One in the middle goes; then the holder.
  REQUIRE(store.release(second));
  CHECK(store.before_in_group(third) == Ids{"r1"});
  CHECK(create(store, grouped("r4", "g")).error().message == "the run 'r1' has the concurrency group 'g'");
  REQUIRE(store.release(first));
  CHECK(store.before_in_group(third) == Ids{});
  CHECK(create(store, grouped("r4", "g")).error().message == "the run 'r3' has the concurrency group 'g'");
}

TEST_CASE_TEMPLATE("a place goes with the ownership, whatever takes that", Fixture, InMemory, OnDisk) {
  Fixture fixture;
  CheckpointStore& store = fixture.store;
  const std::vector<std::function<bool(RunNumber)>> ends{
      [&](RunNumber run) { return append(store, run, 1, {run_ended(Status::kSucceeded)}).has_value(); },
      [&](RunNumber run) { return append(store, run, 1, {suspended()}).has_value(); },
      [&](RunNumber run) { return append(store, run, 1, {entered("a"), run_ended(Status::kFailed)}).has_value(); },
      [&](RunNumber run) { return store.release(run).has_value(); },
  };
  for (std::size_t i = 0; i < ends.size(); ++i) {
    CAPTURE(i);
    const std::string id = "r" + std::to_string(i);
    const RunNumber run = number_of(create(store, grouped(id, "g")));
    const RunNumber next = number_of(create(store, grouped(id + "-next", "g", true)));
    REQUIRE(ends[i](run));
    CHECK(store.before_in_group(next) == Ids{});
    // Who comes back has no place.
    REQUIRE(store.claim(id));
    CHECK(store.before_in_group(run) == Ids{});
    CHECK(store.before_in_group(next) == Ids{});
    CHECK(join(store, run, "g").error().message == "the run '" + id + "-next' has the concurrency group 'g'");
    REQUIRE(store.release(next));
  }
  NewRun short_one = grouped("short", "g");
  short_one.rows.push_back(run_ended(Status::kSucceeded));
  REQUIRE(create(store, std::move(short_one)));
  CHECK(kind(create(store, grouped("after", "g"))) == "success");
}

TEST_CASE_TEMPLATE("a run joins a group as one that is created in it, and keeps its place when it joins again", Fixture,
                   InMemory, OnDisk) {
  Fixture fixture;
  CheckpointStore& store = fixture.store;
  const RunNumber first = number_of(create(store, new_run("r1")));
  const RunNumber second = number_of(create(store, new_run("r2")));
  const RunNumber third = number_of(create(store, new_run("r3")));
  CHECK(store.before_in_group(second) == Ids{});
  CHECK(kind(join(store, first, "g")) == "success");
  CHECK(join(store, second, "g").error().message == "the run 'r1' has the concurrency group 'g'");
  CHECK(store.before_in_group(second) == Ids{});
  CHECK(kind(join(store, second, "g", true)) == "success");
  CHECK(kind(join(store, third, "g", true)) == "success");
  for (const RunNumber run : {second, first, third}) {
    CHECK(kind(join(store, run, "g")) == "success");
    CHECK(kind(join(store, run, "g", true)) == "success");
  }
  CHECK(store.before_in_group(first) == Ids{});
  CHECK(store.before_in_group(third) == Ids{"r1", "r2"});
}

TEST_CASE_TEMPLATE("only its owner takes a place for a run", Fixture, InMemory, OnDisk) {
  Fixture fixture;
  CheckpointStore& store = fixture.store;
  const RunNumber run = number_of(create(store, new_run("r1")));
  REQUIRE(store.release(run));
  CHECK(kind(join(store, run, "g")) == "not owner");
  CHECK(kind(join(store, 99, "g")) == "no such run");
  CHECK(kind(store.before_in_group(99)) == "no such run");
  CHECK(kind(create(store, grouped("r2", "g"))) == "success");
}

TEST_CASE_TEMPLATE("a run without a place waits for nobody, though it had one and others have none", Fixture, InMemory,
                   OnDisk) {
  Fixture fixture;
  CheckpointStore& store = fixture.store;
  REQUIRE(create(store, new_run("r1")));
  const RunNumber holder = number_of(create(store, grouped("r2", "g", true)));
  const RunNumber second = number_of(create(store, grouped("r3", "g", true)));
  REQUIRE(store.release(holder));
  REQUIRE(store.release(second));
  REQUIRE(store.claim("r3"));
  CHECK(store.before_in_group(second) == Ids{});
}

TEST_CASE_TEMPLATE("the text of a group may be anything, of any length", Fixture, InMemory, OnDisk) {
  Fixture fixture;
  CheckpointStore& store = fixture.store;
  const std::vector<std::string> groups{"a",
                                        "a ",
                                        "aa",
                                        std::string("a\0", 2),
                                        std::string("\0", 1),
                                        "\xff\xfe",
                                        "größe",
                                        std::string(511, 'g'),
                                        std::string(100'000, 'g'),
                                        std::string(100'000, 'g') + 'h'};
  for (std::size_t i = 0; i < groups.size(); ++i) {
    CAPTURE(i);
    const std::string n = std::to_string(i);
    const RunNumber holder = number_of(create(store, grouped("holder" + n, groups[i])));
    CHECK(store.before_in_group(holder) == Ids{});
    CHECK(kind(create(store, grouped("refused" + n, groups[i]))) == "group taken");
    const RunNumber waiting = number_of(create(store, grouped("waiting" + n, groups[i], true)));
    CHECK(store.before_in_group(waiting) == Ids{"holder" + n});
    CHECK(kind(join(store, holder, groups[i])) == "success");
  }
}

TEST_CASE("places of a store that was closed count for nothing, and who comes again stands at the end") {
  const TempFolder folder;
  {
    const auto store = open_lmdb(folder.path());
    for (const char* id : {"r1", "r2"}) REQUIRE(create(*store, grouped(id, "g", true)));
  }
  const auto store = open_lmdb(folder.path());
  const RunNumber second = store->claim("r2")->number;
  CHECK(store->before_in_group(second) == Ids{});
  CHECK(kind(join(*store, second, "g")) == "success");
  const RunNumber first = store->claim("r1")->number;
  CHECK(join(*store, first, "g").error().message == "the run 'r2' has the concurrency group 'g'");
  CHECK(kind(join(*store, first, "g", true)) == "success");
  CHECK(store->before_in_group(first) == Ids{"r2"});
  CHECK(store->before_in_group(second) == Ids{});
}
