// Rate limits in a store: the same tests for both.
#include "shared_calls.h"
#include "support/manual_clock.h"

using namespace canorun;
using namespace canorun::store;
using namespace canorun::store::test;

namespace {

const policy::Bucket kBucket{.tokens = 2, .per = Millis{1'000}, .burst = 1};
const policy::Window kWindow{.limit = 3, .window = Millis{60'000}};

// So long after the start, on both clocks.
Moment at(std::int64_t millis) {
  return {kStart + Millis{millis}, SteadyTime{} + std::chrono::hours{100} + Millis{millis}};
}

LimitCost of_bucket(std::int64_t cost = 1) { return {.key = "api", .rule = kBucket, .cost = cost}; }
LimitCost of_window(std::int64_t cost = 1) { return {.key = "plan", .rule = kWindow, .cost = cost}; }
LimitCost failing(LimitCost cost) {
  cost.fails = true;
  return cost;
}

// One limit or several, asked for the same again and again.
struct Caller {
  SharedState& shared;
  std::vector<LimitCost> costs;
  std::optional<Ticket> ticket = {};

  LimitAnswer ask(std::int64_t millis) {
    auto answer = take(shared, {.costs = costs, .now = at(millis), .ticket = ticket});
    const auto* wait = std::get_if<LimitWait>(&answer);
    ticket = wait != nullptr ? wait->ticket : std::nullopt;
    return answer;
  }
};

}  // namespace

TEST_CASE_TEMPLATE("a bucket lets through what it holds, then what comes back", Fixture, InMemory, OnDisk) {
  Fixture fixture;
  SharedState& shared = fixture.store.shared();
  CHECK(said(shared.limits()) == "");
  for (int i = 0; i < 3; ++i) CHECK(said(Caller{shared, {failing(of_bucket())}}.ask(0)) == "taken");
  CHECK(said(Caller{shared, {failing(of_bucket())}}.ask(0)) == "refused: 500 for api");
  CHECK(said(Caller{shared, {failing(of_bucket(2))}}.ask(0)) == "refused: 1000 for api");
  CHECK(said(Caller{shared, {failing(of_bucket())}}.ask(499)) == "refused: 1 for api");
  CHECK(said(Caller{shared, {failing(of_bucket())}}.ask(500)) == "taken");
  CHECK(said(shared.limits()) == "api 3 missing, 0 waiting");
  CHECK(said(Caller{shared, {failing(of_bucket(3))}}.ask(2'000)) == "taken");
}

TEST_CASE_TEMPLATE("a window lets through its limit, and all of it again when it has ended", Fixture, InMemory,
                   OnDisk) {
  Fixture fixture;
  SharedState& shared = fixture.store.shared();
  CHECK(said(Caller{shared, {failing(of_window())}}.ask(0)) == "taken");
  CHECK(said(Caller{shared, {failing(of_window(3))}}.ask(10'000)) == "refused: 50000 for plan");
  CHECK(said(Caller{shared, {failing(of_window(2))}}.ask(59'999)) == "taken");
  CHECK(said(Caller{shared, {failing(of_window())}}.ask(59'999)) == "refused: 1 for plan");
  CHECK(said(shared.limits()) == "plan 3 used, 0 waiting");
  CHECK(said(Caller{shared, {failing(of_window(3))}}.ask(60'000)) == "taken");
  CHECK(said(Caller{shared, {failing(of_window())}}.ask(60'000)) == "refused: 60000 for plan");
}

TEST_CASE_TEMPLATE("the clock is read when it is a request's turn, however long that took", Fixture, InMemory, OnDisk) {
  Fixture fixture;
  SharedState& shared = fixture.store.shared();
  canorun::test::ManualClock clock;
  const auto ask = [&](Millis asked_ago) {
    return said(take(shared, {.costs = {failing(of_window(3))},
                              .now = {clock.now() - asked_ago, clock.steady() - asked_ago},
                              .clock = &clock}));
  };
  CHECK(ask(Millis{0}) == "taken");
  clock.advance(Millis{1'000});
  CHECK(ask(Millis{30'000}) == "refused: 59000 for plan");  // the window is not begun anew for who comes late
  clock.advance(Millis{59'000});
  CHECK(ask(Millis{30'000}) == "taken");
}

TEST_CASE_TEMPLATE("of several limits all are taken or none, and the slowest says how long", Fixture, InMemory,
                   OnDisk) {
  Fixture fixture;
  SharedState& shared = fixture.store.shared();
  const std::vector<LimitCost> both{failing(of_bucket()), failing(of_window())};
  CHECK(said(Caller{shared, both}.ask(0)) == "taken");
  CHECK(said(Caller{shared, {of_window(2)}}.ask(0)) == "taken");
  CHECK(said(shared.limits()) ==
        "api 1 missing, 0 waiting; "
        "plan 3 used, 0 waiting");
  CHECK(said(Caller{shared, both}.ask(0)) == "refused: 60000 for plan");
  CHECK(said(Caller{shared, {of_bucket(2)}}.ask(0)) == "taken");
  CHECK(said(Caller{shared, both}.ask(0)) == "refused: 60000 for plan");
  CHECK(said(shared.limits()) ==
        "api 3 missing, 0 waiting; "
        "plan 3 used, 0 waiting");
  CHECK(said(Caller{shared, both}.ask(60'000)) == "taken");
  CHECK(said(shared.limits()) ==
        "api 1 missing, 0 waiting; "
        "plan 1 used, 0 waiting");
}

TEST_CASE_TEMPLATE("who waits is served in order, though a later one would need less", Fixture, InMemory, OnDisk) {
  Fixture fixture;
  SharedState& shared = fixture.store.shared();
  CHECK(said(Caller{shared, {of_bucket(3)}}.ask(0)) == "taken");
  Caller first{shared, {of_bucket(3)}};
  Caller second{shared, {of_bucket()}};
  Caller third{shared, {of_bucket()}};
  CHECK(said(first.ask(0)) == "ticket 1: 1500 for api");
  CHECK(said(second.ask(0)) == "ticket 2: 2000 for api, behind others");
  CHECK(said(third.ask(500)) == "ticket 3: 1500 for api, behind others");
  CHECK(said(shared.limits()) == "api 3 missing, 3 waiting");
  CHECK(said(second.ask(1'000)) == "ticket 2: 1000 for api, behind others");
  CHECK(said(first.ask(1'499)) == "ticket 1: 1 for api");
  CHECK(said(second.ask(1'500)) == "ticket 2: 500 for api, behind others");
  CHECK(said(first.ask(1'500)) == "taken");
  CHECK(said(third.ask(2'000)) == "ticket 3: 500 for api, behind others");
  CHECK(said(second.ask(2'000)) == "taken");
  CHECK(said(third.ask(2'000)) == "ticket 3: 500 for api");
  CHECK(said(third.ask(2'500)) == "taken");
  CHECK(said(shared.limits()) == "api 3 missing, 0 waiting");
}

TEST_CASE_TEMPLATE("who leaves a queue makes room for the next", Fixture, InMemory, OnDisk) {
  Fixture fixture;
  SharedState& shared = fixture.store.shared();
  CHECK(said(Caller{shared, {of_window(3)}}.ask(0)) == "taken");
  Caller first{shared, {of_window()}};
  Caller second{shared, {of_window()}};
  Caller third{shared, {of_window()}};
  CHECK(said(first.ask(0)) == "ticket 1: 60000 for plan");
  CHECK(said(second.ask(0)) == "ticket 2: 60000 for plan, behind others");
  CHECK(said(third.ask(0)) == "ticket 3: 60000 for plan, behind others");
  leave(shared, second.costs, *second.ticket);
  leave(shared, second.costs, *second.ticket);  // once more is nothing
  CHECK(said(third.ask(0)) == "ticket 3: 60000 for plan, behind others");
  leave(shared, first.costs, *first.ticket);
  CHECK(said(shared.limits()) == "plan 3 used, 1 waiting");
  CHECK(said(third.ask(0)) == "ticket 3: 60000 for plan");
  CHECK(said(third.ask(60'000)) == "taken");
}

TEST_CASE_TEMPLATE("who waits for several limits stands in the queue of each", Fixture, InMemory, OnDisk) {
  Fixture fixture;
  SharedState& shared = fixture.store.shared();
  CHECK(said(Caller{shared, {of_bucket(1), of_window(3)}}.ask(0)) == "taken");
  Caller both{shared, {of_bucket(), of_window()}};
  Caller one{shared, {of_bucket()}};
  CHECK(said(both.ask(0)) == "ticket 1: 60000 for plan");
  // There is room in the bucket, but not for who came later.
  CHECK(said(one.ask(0)) == "ticket 2: 0 for api, behind others");
  CHECK(said(shared.limits()) ==
        "api 1 missing, 2 waiting; "
        "plan 3 used, 1 waiting");
  CHECK(said(both.ask(60'000)) == "taken");
  CHECK(said(one.ask(60'000)) == "taken");
  CHECK(said(shared.limits()) ==
        "api 2 missing, 0 waiting; "
        "plan 1 used, 0 waiting");
}

TEST_CASE_TEMPLATE("who does not wait is told the time behind all who do, and leaves nothing", Fixture, InMemory,
                   OnDisk) {
  Fixture fixture;
  SharedState& shared = fixture.store.shared();
  CHECK(said(Caller{shared, {of_bucket(3)}}.ask(0)) == "taken");
  std::vector<Caller> waiting;
  for (const std::int64_t cost : {2, 3, 1})
    CHECK(ticket_of(waiting.emplace_back(shared, std::vector{of_bucket(cost)}).ask(0)) > 0);
  // 6 tokens go to others first, then 2: half a second each.
  CHECK(said(Caller{shared, {failing(of_bucket(2))}}.ask(0)) == "refused: 4000 for api, behind others");
  CHECK(said(Caller{shared, {failing(of_bucket(2))}}.ask(250)) == "refused: 3750 for api, behind others");
  CHECK(said(shared.limits()) == "api 3 missing, 3 waiting");
  CHECK(said(Caller{shared, {of_window(3)}}.ask(0)) == "taken");
  std::vector<Caller> of_plan;
  for (const std::int64_t cost : {2, 2})
    CHECK(ticket_of(of_plan.emplace_back(shared, std::vector{of_window(cost)}).ask(0)) > 0);
  // Each of them needs a window: the first one's has room for one more call, and that is not for who comes last.
  CHECK(said(Caller{shared, {failing(of_window(1))}}.ask(0)) == "refused: 120000 for plan, behind others");
  CHECK(said(Caller{shared, {failing(of_window(2))}}.ask(0)) == "refused: 180000 for plan, behind others");
  CHECK(said(Caller{shared, {failing(of_window(3))}}.ask(30'000)) == "refused: 150000 for plan, behind others");
}

TEST_CASE_TEMPLATE("the time behind others is never above a century", Fixture, InMemory, OnDisk) {
  Fixture fixture;
  SharedState& shared = fixture.store.shared();
  const Millis century{36'525LL * 86'400'000};
  const policy::Bucket slow{.tokens = 1, .per = century, .burst = policy::kMostCalls};
  LimitCost all{.key = "slow", .rule = slow, .cost = slow.capacity()};
  CHECK(said(Caller{shared, {all}}.ask(0)) == "taken");
  std::vector<Caller> waiting;
  for (int i = 0; i < 3; ++i) CHECK(ticket_of(waiting.emplace_back(shared, std::vector{all}).ask(0)) > 0);
  CHECK(said(Caller{shared, {failing(all)}}.ask(0)) ==
        "refused: " + std::to_string(century.count()) + " for slow, behind others");
}

TEST_CASE_TEMPLATE("who waits for one limit stands before others of the one that it would not wait for", Fixture,
                   InMemory, OnDisk) {
  Fixture fixture;
  SharedState& shared = fixture.store.shared();
  CHECK(said(Caller{shared, {of_bucket(3)}}.ask(0)) == "taken");
  Caller caller{shared, {of_bucket(), failing(of_window())}};
  CHECK(said(caller.ask(0)) == "ticket 1: 500 for api");
  CHECK(said(Caller{shared, {of_window()}}.ask(0)) == "ticket 2: 0 for plan, behind others");
  CHECK(said(Caller{shared, {failing(of_window())}}.ask(0)) == "refused: 0 for plan, behind others");
  leave(shared, {of_window()}, 2);
  CHECK(said(shared.limits()) == "api 3 missing, 1 waiting");
  give_back(shared, {of_bucket()}, at(0));
  CHECK(said(caller.ask(0)) == "taken");
}

TEST_CASE_TEMPLATE("who waited and then would have to wait for one that it does not wait for is refused", Fixture,
                   InMemory, OnDisk) {
  Fixture fixture;
  SharedState& shared = fixture.store.shared();
  CHECK(said(Caller{shared, {of_bucket(3)}}.ask(0)) == "taken");
  CHECK(said(Caller{shared, {of_window(2)}}.ask(0)) == "taken");
  Caller caller{shared, {of_bucket(), failing(of_window())}};
  CHECK(said(caller.ask(0)) == "ticket 1: 500 for api");
  // The rule of the others has changed: to them it is used up.
  Caller smaller{shared, {{.key = "plan", .rule = policy::Window{2, Millis{60'000}}}}};
  CHECK(said(smaller.ask(0)) == "ticket 2: 60000 for plan, behind others");
  caller.costs[1].rule = policy::Window{2, Millis{60'000}};
  CHECK(said(caller.ask(500)) == "refused: 59500 for plan");
  CHECK(said(shared.limits()) ==
        "api 3 missing, 0 waiting; "
        "plan 2 used, 1 waiting");
}

TEST_CASE_TEMPLATE("a limit that somebody stands before is told as the one that holds, however short the time", Fixture,
                   InMemory, OnDisk) {
  Fixture fixture;
  SharedState& shared = fixture.store.shared();
  CHECK(said(Caller{shared, {of_window(3)}}.ask(0)) == "taken");
  const LimitCost free{.key = "free", .rule = kBucket};
  CHECK(said(Caller{shared, {of_bucket(), of_window()}}.ask(0)) == "ticket 1: 60000 for plan");
  CHECK(said(Caller{shared, {failing(free), failing(of_bucket())}}.ask(0)) == "refused: 0 for api, behind others");
  CHECK(said(Caller{shared, {free, of_bucket()}}.ask(0)) == "ticket 2: 0 for api, behind others");
}

TEST_CASE_TEMPLATE("what was taken and not used is given back, as far as time has not done so", Fixture, InMemory,
                   OnDisk) {
  Fixture fixture;
  SharedState& shared = fixture.store.shared();
  const std::vector<LimitCost> both{failing(of_bucket(2)), failing(of_window(2))};
  CHECK(said(Caller{shared, both}.ask(0)) == "taken");
  CHECK(said(Caller{shared, both}.ask(0)) == "refused: 60000 for plan");
  give_back(shared, both, at(0));
  CHECK(said(shared.limits()) ==
        "api 0 missing, 0 waiting; "
        "plan 0 used, 0 waiting");
  CHECK(said(Caller{shared, both}.ask(0)) == "taken");
  CHECK(said(Caller{shared, {of_bucket(2)}}.ask(1'000)) == "taken");
  give_back(shared, both, at(0));
  CHECK(said(shared.limits()) ==
        "api 2 missing, 0 waiting; "
        "plan 0 used, 0 waiting");
  // Not to a window that began later.
  CHECK(said(Caller{shared, {of_window(3)}}.ask(90'000)) == "taken");
  give_back(shared, {of_window(3)}, at(0));
  CHECK(said(shared.limits()) == "api 2 missing, 0 waiting; plan 3 used, 0 waiting");
}

TEST_CASE_TEMPLATE("a window ends its length after the clock was set back, at the latest", Fixture, InMemory, OnDisk) {
  Fixture fixture;
  SharedState& shared = fixture.store.shared();
  CHECK(said(Caller{shared, {of_window(3)}}.ask(3'600'000)) == "taken");
  CHECK(said(Caller{shared, {failing(of_window())}}.ask(0)) == "refused: 60000 for plan");
  CHECK(said(Caller{shared, {failing(of_window())}}.ask(59'000)) == "refused: 1000 for plan");
  CHECK(said(Caller{shared, {failing(of_window())}}.ask(60'000)) == "taken");
}

TEST_CASE_TEMPLATE("who read the clock before others that were served first does not end their window earlier", Fixture,
                   InMemory, OnDisk) {
  Fixture fixture;
  SharedState& shared = fixture.store.shared();
  CHECK(said(Caller{shared, {of_window(2)}}.ask(5'000)) == "taken");
  auto late = Caller{shared, {failing(of_window())}}.ask(0);
  REQUIRE(said(late) == "taken");
  CHECK(std::get<LimitTaken>(late).at.wall == at(5'000).wall);
  CHECK(said(Caller{shared, {failing(of_window())}}.ask(0)) == "refused: 60000 for plan");
  CHECK(said(Caller{shared, {failing(of_window())}}.ask(64'000)) == "refused: 1000 for plan");
  // It was taken of this window, and is given back to it.
  give_back(shared, {of_window()}, std::get<LimitTaken>(late).at);
  CHECK(said(shared.limits()) == "plan 2 used, 0 waiting");
}

TEST_CASE_TEMPLATE("a limit whose kind has changed is another", Fixture, InMemory, OnDisk) {
  Fixture fixture;
  SharedState& shared = fixture.store.shared();
  CHECK(said(Caller{shared, {of_bucket(3)}}.ask(0)) == "taken");
  CHECK(said(Caller{shared, {{.key = "api", .rule = kWindow, .cost = 3}}}.ask(0)) == "taken");
  CHECK(said(Caller{shared, {failing(of_bucket())}}.ask(0)) == "refused: 500 for api");
}

TEST_CASE_TEMPLATE("limits are listed by their names, with the rule of who changed them last", Fixture, InMemory,
                   OnDisk) {
  Fixture fixture;
  SharedState& shared = fixture.store.shared();
  for (const char* key : {"z", "r1/api", "a"})
    CHECK(said(Caller{shared, {{.key = key, .rule = kBucket}}}.ask(0)) == "taken");
  CHECK(said(Caller{shared, {of_window(2)}}.ask(0)) == "taken");
  const policy::Bucket other{.tokens = 5, .per = Millis{1}, .burst = 0};
  CHECK(said(Caller{shared, {{.key = "z", .rule = other, .cost = 4}}}.ask(0)) == "taken");
  const auto limits = shared.limits();
  CHECK(said(limits) ==
        "a 1 missing, 0 waiting; "
        "plan 2 used, 0 waiting; "
        "r1/api 1 missing, 0 waiting; "
        "z 5 missing, 0 waiting");
  CHECK((*limits)[0].rule == policy::LimitRule(kBucket));
  CHECK((*limits)[1].rule == policy::LimitRule(kWindow));
  CHECK((*limits)[3].rule == policy::LimitRule(other));
}

TEST_CASE_TEMPLATE("a run's own breakers and limits go with it and with its children", Fixture, InMemory, OnDisk) {
  Fixture fixture;
  CheckpointStore& store = fixture.store;
  SharedState& shared = store.shared();
  Row child = started("order", "d2");
  std::get<RunStarted>(child.body).parent = "r1";
  REQUIRE(create(store, new_run("r1", {started(), run_ended(Status::kSucceeded)})));
  REQUIRE(create(store, new_run("r1.1", {child, run_ended(Status::kSucceeded)})));
  REQUIRE(create(store, new_run("r10", {started("other"), run_ended(Status::kSucceeded)})));
  const policy::BreakerRule rule;
  for (const std::string run : {"", "r1/", "r1.1/", "r10/"}) {
    tell(shared, {run + "b", rule, kStart}, *ask(shared, {run + "b", rule, kStart}), policy::CallOutcome::kFailure);
    Caller caller{shared, {{.key = run + "api", .rule = kBucket}, {.key = run + "plan", .rule = kWindow}}};
    CHECK(said(caller.ask(0)) == "taken");
  }
  CHECK(shared.breakers()->size() == 4);
  CHECK(shared.limits()->size() == 8);
  REQUIRE(*store.delete_ended("order", after_start(100), 9) == std::vector<std::string>{"r1"});
  CHECK(said(shared.breakers()) ==
        "b closed 0: 1 failures, 0 successes, trials ; "
        "r10/b closed 0: 1 failures, 0 successes, trials ");
  CHECK(said(shared.limits()) ==
        "api 1 missing, 0 waiting; "
        "plan 1 used, 0 waiting; "
        "r10/api 1 missing, 0 waiting; "
        "r10/plan 1 used, 0 waiting");
}
