// What every store does: the same tests for both.
#include "engine/store/store.h"

#include "support.h"

using namespace canorun;
using namespace canorun::store;
using namespace canorun::store::test;

TEST_CASE_TEMPLATE("a run is kept as it was created and appended to", Fixture, InMemory, OnDisk) {
  Fixture fixture;
  CheckpointStore& store = fixture.store;
  const std::vector<Row> first{started(), entered("a")};
  const auto run = create(store, new_run("r1", first));
  REQUIRE(run);
  CHECK(append(store, *run, 2, {state_ended("a", {{"x", 1}}), entered("b")}));
  const auto record = store.load("r1");
  REQUIRE(record);
  CHECK(record->number == *run);
  CHECK(record->summary == Summary{"r1", "order", 2, Status::kRunning, "b", kStart, {}, 4, {}});
  CHECK(record->rows == std::vector<Row>{started(), entered("a"), state_ended("a", {{"x", 1}}), entered("b")});
  CHECK(*store.find("r1") == record->summary);
  CHECK(*store.text("d1") == "name: order\n");
}

TEST_CASE_TEMPLATE("an id that is taken is refused, and nothing of the run that has it is touched", Fixture, InMemory,
                   OnDisk) {
  Fixture fixture;
  CheckpointStore& store = fixture.store;
  REQUIRE(create(store, new_run("r1")));
  const auto again = create(store, {"r1", {started("other", "d2")}, {{"d2", "another text"}}});
  CHECK(kind(again) == "run exists");
  CHECK(again.error().message == "a run with the id 'r1' exists");
  CHECK(again.error().hint == "`canorun resume r1` continues it");
  CHECK(store.find("r1")->flow == "order");
  CHECK(kind(store.text("d2")) == "not found");
}

TEST_CASE_TEMPLATE("what is no run is not created", Fixture, InMemory, OnDisk) {
  Fixture fixture;
  CheckpointStore& store = fixture.store;
  CHECK(kind(create(store, new_run("r1", {}))) == "io");
  CHECK(kind(create(store, new_run("r1", {entered("a")}))) == "io");
  CHECK(kind(create(store, new_run("../r1"))) == "io");
  CHECK(ids(store.list({})).empty());
}

TEST_CASE_TEMPLATE("rows are dense: one that is there, and one before which one is missing, are refused", Fixture,
                   InMemory, OnDisk) {
  Fixture fixture;
  CheckpointStore& store = fixture.store;
  const auto run = create(store, new_run("r1"));
  for (const std::uint64_t first : {0, 2, 99}) {
    const auto refused = append(store, *run, first, {entered("a")});
    CHECK(kind(refused) == "row exists");
    CHECK(refused.error().message ==
          "row " + std::to_string(first) + " of the run 'r1' is not its next one, which is 1");
  }
  CHECK(append(store, *run, 1, {entered("b")}));
  CHECK(rows_of(store, "r1") == std::vector<Row>{started(), entered("b")});
}

TEST_CASE_TEMPLATE("a run that nobody knows is refused by every call", Fixture, InMemory, OnDisk) {
  Fixture fixture;
  CheckpointStore& store = fixture.store;
  CHECK(kind(append(store, 7, 0, {entered("a")})) == "no such run");
  CHECK(kind(store.claim("x")) == "no such run");
  CHECK(kind(store.release(7)) == "no such run");
  CHECK(kind(store.load("x")) == "no such run");
  CHECK(kind(store.find(std::string(5'000, 'x'))) == "no such run");
  CHECK(kind(store.find("")) == "no such run");
  CHECK(kind(store.post("x", Request::kCancel)) == "no such run");
}

TEST_CASE_TEMPLATE("a run that is owned cannot be claimed, and one that was let go can", Fixture, InMemory, OnDisk) {
  Fixture fixture;
  CheckpointStore& store = fixture.store;
  const auto run = create(store, new_run("r1"));
  const auto refused = store.claim("r1");
  CHECK(kind(refused) == "owned");
  CHECK(refused.error().message == "another process works on the run 'r1'");
  CHECK(store.release(*run));
  CHECK(store.find("r1")->status == Status::kInterrupted);
  const auto claimed = store.claim("r1");
  REQUIRE(claimed);
  CHECK(claimed->number == *run);
  CHECK(claimed->summary.status == Status::kInterrupted);
  CHECK(claimed->rows == std::vector<Row>{started()});
  CHECK(store.find("r1")->status == Status::kRunning);
  CHECK(kind(store.claim("r1")) == "owned");
  CHECK(append(store, *run, 1, {resumed()}));
}

TEST_CASE_TEMPLATE("who does not own a run cannot write to it", Fixture, InMemory, OnDisk) {
  Fixture fixture;
  CheckpointStore& store = fixture.store;
  const auto run = create(store, new_run("r1"));
  REQUIRE(store.release(*run));
  CHECK(kind(append(store, *run, 1, {entered("a")})) == "not owner");
  CHECK(kind(store.release(*run)) == "not owner");
  CHECK(rows_of(store, "r1").size() == 1);
}

TEST_CASE_TEMPLATE("a row that ends or suspends a run gives it up", Fixture, InMemory, OnDisk) {
  Fixture fixture;
  CheckpointStore& store = fixture.store;
  for (const Row& last : {run_ended(Status::kSucceeded), suspended()}) {
    const std::string id = std::string(type_name(last)).replace(3, 1, "-");
    const auto run = create(store, new_run(id));
    CHECK(append(store, *run, 1, {last}));
    CHECK(kind(append(store, *run, 2, {entered("a")})) == "not owner");
    CHECK(store.claim(id));
  }
  CHECK(create(store, new_run("short", {started(), run_ended(Status::kSucceeded)})));
  CHECK(store.claim("short")->summary.status == Status::kSucceeded);
  CHECK(store.find("run-suspended")->status == Status::kSuspended);
}

TEST_CASE_TEMPLATE("a list has the newest run first, by status, by flow and up to a limit", Fixture, InMemory, OnDisk) {
  Fixture fixture;
  CheckpointStore& store = fixture.store;
  for (int i = 0; i < 3; ++i) {
    const std::string n = std::to_string(i);
    REQUIRE(create(store, new_run("a" + n, {started("a")})));
    REQUIRE(create(store, new_run("b" + n, {started("b"), run_ended(Status::kSucceeded)})));
  }
  REQUIRE(store.release(store.load("a1")->number));
  CHECK(ids(store.list({})) == std::vector<std::string>{"b2", "a2", "b1", "a1", "b0", "a0"});
  CHECK(ids(store.list({.limit = 2})) == std::vector<std::string>{"b2", "a2"});
  CHECK(ids(store.list({.flow = "a"})) == std::vector<std::string>{"a2", "a1", "a0"});
  CHECK(ids(store.list({.status = Status::kSucceeded, .limit = 2})) == std::vector<std::string>{"b2", "b1"});
  CHECK(ids(store.list({.status = Status::kRunning})) == std::vector<std::string>{"a2", "a0"});
  CHECK(ids(store.list({.status = Status::kInterrupted})) == std::vector<std::string>{"a1"});
  CHECK(ids(store.list({.status = Status::kFailed})).empty());
}

TEST_CASE_TEMPLATE("a text is kept once, and a row that refers to none is refused", Fixture, InMemory, OnDisk) {
  Fixture fixture;
  CheckpointStore& store = fixture.store;
  const auto run = create(store, new_run("r1"));
  CHECK(kind(append(store, *run, 1, {resumed("d2")})) == "not found");
  CHECK(store.put_text("d2", "version: 2\n"));
  CHECK(store.put_text("d2", "ignored: the digest is the same\n"));
  CHECK(append(store, *run, 1, {resumed("d2")}));
  CHECK(*store.text("d2") == "version: 2\n");
  CHECK(store.text("nowhere").error().message == "the store has no flow with the digest nowhere");
}

TEST_CASE_TEMPLATE("requests reach the owner once, in order", Fixture, InMemory, OnDisk) {
  Fixture fixture;
  CheckpointStore& store = fixture.store;
  const auto run = create(store, new_run("r1"));
  const auto other = create(store, new_run("r2"));
  CHECK(store.take_requests(*run)->empty());
  CHECK(*store.post("r1", Request::kCancel));
  CHECK(*store.post("r1", Request::kCancel));
  CHECK(store.take_requests(*other)->empty());
  CHECK(*store.take_requests(*run) == std::vector<Request>{Request::kCancel, Request::kCancel});
  CHECK(store.take_requests(*run)->empty());
}

TEST_CASE_TEMPLATE("a request to a run that nobody owns leaves nothing behind", Fixture, InMemory, OnDisk) {
  Fixture fixture;
  CheckpointStore& store = fixture.store;
  const auto run = create(store, new_run("r1"));
  REQUIRE(store.release(*run));
  CHECK_FALSE(*store.post("r1", Request::kCancel));
  REQUIRE(store.claim("r1"));
  CHECK(store.take_requests(*run)->empty());
}

TEST_CASE_TEMPLATE("what was asked of one owner is not asked of the next", Fixture, InMemory, OnDisk) {
  Fixture fixture;
  CheckpointStore& store = fixture.store;
  const auto run = create(store, new_run("r1"));
  CHECK(*store.post("r1", Request::kCancel));
  CHECK(store.release(*run));
  CHECK(store.claim("r1"));
  CHECK(store.take_requests(*run)->empty());
  CHECK(*store.post("r1", Request::kCancel));
  CHECK(append(store, *run, 1, {suspended()}));
  CHECK(store.claim("r1"));
  CHECK(store.take_requests(*run)->empty());
}

TEST_CASE_TEMPLATE("only runs that ended, long enough ago, of that flow, are deleted, the oldest first", Fixture,
                   InMemory, OnDisk) {
  Fixture fixture;
  CheckpointStore& store = fixture.store;
  const auto make = [&](std::string id, Row last, std::string flow = "order") {
    REQUIRE(create(store, new_run(std::move(id), {started(std::move(flow)), std::move(last)})));
  };
  make("succeeded", run_ended(Status::kSucceeded));
  make("failed", run_ended(Status::kFailed));
  make("rolled_back", run_ended(Status::kRolledBack));
  make("cancelled", run_ended(Status::kCancelled));
  make("incomplete", run_ended(Status::kRollbackIncomplete));
  make("suspended", suspended());
  make("running", entered("a"));
  make("young", run_ended(Status::kSucceeded, after_start(100)));
  make("other", run_ended(Status::kSucceeded), "another");
  make("claimed", run_ended(Status::kFailed));
  REQUIRE(store.claim("claimed"));
  CHECK(*store.delete_ended("order", after_start(100), 3) ==
        std::vector<std::string>{"succeeded", "failed", "rolled_back"});
  CHECK(*store.delete_ended("order", after_start(100), 9) == std::vector<std::string>{"cancelled"});
  CHECK(store.delete_ended("order", after_start(100), 9)->empty());
  CHECK(ids(store.list({})) ==
        std::vector<std::string>{"claimed", "other", "young", "running", "suspended", "incomplete"});
  CHECK(kind(store.load("failed")) == "no such run");
}

TEST_CASE_TEMPLATE("the id of a run that was deleted can be used again, and the other run's number cannot", Fixture,
                   InMemory, OnDisk) {
  Fixture fixture;
  CheckpointStore& store = fixture.store;
  const auto run = create(store, new_run("r1", {started(), run_ended(Status::kSucceeded)}));
  REQUIRE(store.delete_ended("order", after_start(100), 9)->size() == 1);
  CHECK(kind(append(store, *run, 2, {entered("a")})) == "no such run");
  const auto again = create(store, new_run("r1"));
  REQUIRE(again);
  CHECK(*again != *run);
  CHECK(rows_of(store, "r1").size() == 1);
}

TEST_CASE_TEMPLATE("a text goes with the last run that refers to it", Fixture, InMemory, OnDisk) {
  Fixture fixture;
  CheckpointStore& store = fixture.store;
  const auto end = run_ended(Status::kSucceeded);
  REQUIRE(store.put_text("d2", "two\n"));
  REQUIRE(create(store, new_run("r1", {started("a", "d1"), resumed("d2"), end})));
  REQUIRE(create(store, new_run("r2", {started("b", "d1"), end})));
  REQUIRE(store.delete_ended("a", after_start(100), 9)->size() == 1);
  CHECK(*store.text("d1") == "name: order\n");
  CHECK(kind(store.text("d2")) == "not found");
  REQUIRE(store.delete_ended("b", after_start(100), 9)->size() == 1);
  CHECK(kind(store.text("d1")) == "not found");
}

TEST_CASE_TEMPLATE("signals are kept in order, whoever owns the run, until a row takes them", Fixture, InMemory,
                   OnDisk) {
  Fixture fixture;
  CheckpointStore& store = fixture.store;
  const auto run = create(store, new_run("r1"));
  REQUIRE(create(store, new_run("r2")));
  CHECK(store.send("r1", {.name = "go", .at = kStart, .data = 1}) == true);
  REQUIRE(store.release(*run));
  CHECK(store.send("r1", {.name = "go", .at = after_start(1), .data = {{"n", 2}}}) == false);
  CHECK(kind(store.send("r3", {.name = "go"})) == "no such run");
  CHECK(kind(store.signals("r3")) == "no such run");
  CHECK(store.signals("r2")->empty());
  REQUIRE(store.claim("r1"));
  CHECK(*store.signals("r1") == std::vector<Signal>{{0, "go", kStart, 1}, {1, "go", after_start(1), {{"n", 2}}}});
  REQUIRE(append(store, *run, 1, {{kStart, SignalReceived{.state = "a", .signal = "go", .number = 0, .data = 1}}}));
  CHECK(*store.signals("r1") == std::vector<Signal>{{1, "go", after_start(1), {{"n", 2}}}});
}

TEST_CASE_TEMPLATE("what a run waits for is in its summary until it goes on", Fixture, InMemory, OnDisk) {
  Fixture fixture;
  CheckpointStore& store = fixture.store;
  const auto run = create(store, new_run("r1"));
  const WaitsFor waits{.until = after_start(60), .signal = "go"};
  REQUIRE(append(store, *run, 1, {{kStart, RunSuspended{.reason = "waits", .waits_for = waits}}}));
  CHECK(store.find("r1")->status == Status::kWaiting);
  CHECK(store.find("r1")->waits_for == waits);
  CHECK(ids(store.list({.status = Status::kWaiting})) == std::vector<std::string>{"r1"});
  REQUIRE(store.claim("r1"));
  REQUIRE(append(store, *run, 2, {resumed()}));
  CHECK(store.find("r1")->status == Status::kRunning);
  CHECK(!store.find("r1")->waits_for);
}

TEST_CASE_TEMPLATE("a window takes the place of the one before it, and sequences go on", Fixture, InMemory, OnDisk) {
  Fixture fixture;
  CheckpointStore& store = fixture.store;
  const auto run = create(store, new_run("r1", {started(), entered("s")}));
  for (std::uint64_t window = 0; window < 50; ++window) {
    REQUIRE(append(store, *run, 2 + window, {window_ended(window, window)}));
  }
  CHECK(rows_of(store, "r1") == std::vector<Row>{started(), entered("s"), window_ended(49, 49)});
  CHECK(store.find("r1")->rows == 52);
  // Behind other rows it replaces nothing; several may come at once.
  REQUIRE(append(store, *run, 52, {suspended()}));
  REQUIRE(store.claim("r1"));
  REQUIRE(append(store, *run, 53, {resumed(), window_ended(50, 0), window_ended(51, 1), state_ended("s")}));
  CHECK(rows_of(store, "r1") == std::vector<Row>{started(), entered("s"), window_ended(49, 49), suspended(), resumed(),
                                                 window_ended(51, 1), state_ended("s")});
  CHECK(store.find("r1")->rows == 57);
  CHECK(kind(append(store, *run, 55, {entered("a")})) == "row exists");
}

TEST_CASE_TEMPLATE("a window that would replace something else is refused, and nothing is touched", Fixture, InMemory,
                   OnDisk) {
  Fixture fixture;
  CheckpointStore& store = fixture.store;
  const auto run = create(store, new_run("r1", {started(), entered("s")}));
  const auto refused = append(store, *run, 2, {window_ended(0, 1)});
  CHECK(kind(refused) == "row exists");
  CHECK(refused.error().message == "a row of the run 'r1' would replace rows that are not the windows before it");
  REQUIRE(append(store, *run, 2, {window_ended(0, 0)}));
  const std::vector<Row> before = rows_of(store, "r1");
  CHECK(kind(append(store, *run, 3, {window_ended(1, 2)})) == "row exists");
  CHECK(kind(append(store, *run, 3, {window_ended(1, 1, 2)})) == "row exists");
  CHECK(kind(append(store, *run, 3, {entered("t"), window_ended(1, 1)})) == "row exists");
  CHECK(rows_of(store, "r1") == before);
  CHECK(kind(create(store, new_run("r2", {started(), window_ended(0, 1)}))) == "io");
}

TEST_CASE_TEMPLATE("the children of a run are found, and only they", Fixture, InMemory, OnDisk) {
  Fixture fixture;
  CheckpointStore& store = fixture.store;
  const auto child = [](const std::string& parent, const std::string& work) {
    Row row = started("child", "d2");
    std::get<RunStarted>(row.body).parent = parent;
    std::get<RunStarted>(row.body).work = work;
    return row;
  };
  REQUIRE(create(store, new_run("r")));
  REQUIRE(create(store, new_run("r.1", {child("r", "w1")})));
  REQUIRE(create(store, new_run("r.2")));  // somebody's own
  REQUIRE(create(store, new_run("r.1.1", {child("r.1", "w1")})));
  REQUIRE(create(store, new_run("r.10", {child("r", "w2"), run_ended(Status::kFailed)})));
  REQUIRE(create(store, new_run("r.x")));
  REQUIRE(create(store, new_run("rr.1", {child("rr", "w1")})));
  CHECK(ids(store.list({.parent = "r"})) == std::vector<std::string>{"r.10", "r.1"});
  CHECK(ids(store.list({.status = Status::kFailed, .parent = "r"})) == std::vector<std::string>{"r.10"});
  CHECK(ids(store.list({.parent = "r", .limit = 1})) == std::vector<std::string>{"r.10"});
  CHECK(ids(store.list({.parent = "r.1"})) == std::vector<std::string>{"r.1.1"});
  CHECK(ids(store.list({.parent = "none"})).empty());
  CHECK(ids(store.list({.parent = ""})) == std::vector<std::string>{"r.x", "r.2", "r"});
  CHECK(ids(store.list({})).size() == 7);
  CHECK(store.find("r.10")->work == "w2");
}

TEST_CASE_TEMPLATE("a run is deleted with all below it, and a child never alone", Fixture, InMemory, OnDisk) {
  Fixture fixture;
  CheckpointStore& store = fixture.store;
  const auto child = [](const std::string& parent) {
    Row row = started("order", "d2");
    std::get<RunStarted>(row.body).parent = parent;
    return row;
  };
  const Row end = run_ended(Status::kSucceeded);
  REQUIRE(create(store, new_run("young")));
  REQUIRE(create(store, new_run("young.1", {child("young"), end})));
  REQUIRE(create(store, new_run("old", {started(), end})));
  REQUIRE(create(store, new_run("old.1", {child("old"), end})));
  REQUIRE(create(store, new_run("old.1.1", {child("old.1"), end})));
  REQUIRE(create(store, new_run("old.2")));
  CHECK(*store.delete_ended("order", after_start(100), 9) == std::vector<std::string>{"old"});
  CHECK(ids(store.list({})) == std::vector<std::string>{"old.2", "young.1", "young"});
}

TEST_CASE_TEMPLATE("the newest runs of each flow stay, and with a time only what is old as well goes", Fixture,
                   InMemory, OnDisk) {
  Fixture fixture;
  CheckpointStore& store = fixture.store;
  const auto make = [&](std::string id, Row last, std::string flow = "order") {
    REQUIRE(create(store, new_run(std::move(id), {started(std::move(flow)), std::move(last)})));
  };
  make("o1", run_ended(Status::kSucceeded));
  make("b1", run_ended(Status::kSucceeded), "backup");
  make("o2", run_ended(Status::kFailed));
  make("o3", run_ended(Status::kSucceeded, after_start(100)));
  make("o4", run_ended(Status::kRollbackIncomplete));  // is not counted, and neither are those that go on
  make("o5", entered("a"));
  make("o6", run_ended(Status::kCancelled));
  CHECK(ids(store.old_runs({.keep = 1})) == std::vector<std::string>{"o1", "o2", "o3"});
  CHECK(ids(store.old_runs({.keep = 2})) == std::vector<std::string>{"o1", "o2"});
  CHECK(ids(store.old_runs({.keep = 1, .limit = 2})) == std::vector<std::string>{"o1", "o2"});
  CHECK(ids(store.old_runs({.flow = "backup"})) == std::vector<std::string>{"b1"});
  CHECK(ids(store.old_runs({.before = after_start(100), .keep = 1})) == std::vector<std::string>{"o1", "o2"});
  CHECK(ids(store.old_runs({.limit = 2})) == std::vector<std::string>{"o1", "b1"});
  CHECK(ids(store.old_runs({})) == std::vector<std::string>{"o1", "b1", "o2", "o3", "o6"});
  CHECK(ids(store.list({})).size() == 7);
  CHECK(*store.delete_old({.before = after_start(100), .keep = 1}) == std::vector<std::string>{"o1", "o2"});
  CHECK(*store.delete_old({.keep = 1}) == std::vector<std::string>{"o3"});
  CHECK(ids(store.list({})) == std::vector<std::string>{"o6", "o5", "o4", "b1"});
}

TEST_CASE_TEMPLATE("a run stays as long as one below it is worked on, or needs a person", Fixture, InMemory, OnDisk) {
  Fixture fixture;
  CheckpointStore& store = fixture.store;
  const auto child = [](const std::string& parent) {
    Row row = started("order", "d2");
    std::get<RunStarted>(row.body).parent = parent;
    return row;
  };
  const Row end = run_ended(Status::kSucceeded);
  REQUIRE(create(store, new_run("a", {started(), end})));
  REQUIRE(create(store, new_run("a.1", {child("a"), end})));
  REQUIRE(create(store, new_run("a.1.1", {child("a.1"), run_ended(Status::kRollbackIncomplete)})));
  REQUIRE(create(store, new_run("b", {started(), end})));
  const auto worked_on = create(store, new_run("b.1", {child("b"), entered("s")}));
  CHECK(ids(store.old_runs({})).empty());
  CHECK(store.delete_old({})->empty());
  REQUIRE(store.release(*worked_on));
  CHECK(*store.delete_old({}) == std::vector<std::string>{"b"});
  CHECK(ids(store.list({})) == std::vector<std::string>{"a.1.1", "a.1", "a"});
}

TEST_CASE_TEMPLATE("a run refers to the texts of the flows below it, which must be there", Fixture, InMemory, OnDisk) {
  Fixture fixture;
  CheckpointStore& store = fixture.store;
  Row first = started("order", "d1");
  std::get<RunStarted>(first.body).flows = {{"/a.yaml", "d2"}, {"/b.yaml", "d3"}};
  CHECK(kind(create(store, {"r1", {first}, {{"d1", "one"}, {"d2", "two"}}})) == "not found");
  CHECK(ids(store.list({})).empty());
  REQUIRE(create(store, {"r1", {first, run_ended(Status::kFailed)}, {{"d1", "one"}, {"d2", "two"}, {"d3", "three"}}}));
  REQUIRE(create(store, {"r2", {started("other", "d2")}}));
  CHECK(*store.text("d3") == "three");
  REQUIRE(store.delete_ended("order", after_start(100), 9)->size() == 1);
  CHECK(*store.text("d2") == "two");
  CHECK(kind(store.text("d3")) == "not found");
}
