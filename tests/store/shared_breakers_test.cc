// Breakers in a store: the same tests for both, and what only the one on disk does.
#include "shared_calls.h"
#include "support/manual_clock.h"

using namespace canorun;
using namespace canorun::store;
using namespace canorun::store::test;
using policy::CallOutcome;

namespace {

constexpr policy::BreakerRule kRule{.failure_threshold = 2, .reset_timeout = Millis{30'000}, .half_open_max_calls = 1};

// One breaker, with the rule above.
struct Breaker {
  SharedState& shared;
  std::string key = "b";
  policy::BreakerRule rule = kRule;

  Admission ask(WallTime now) const { return store::test::ask(shared, {key, rule, now}); }
  Millis tell(policy::Permit permit, CallOutcome outcome, WallTime now) const {
    return store::test::tell(shared, {key, rule, now}, permit, outcome);
  }
  /// A call that fails.
  Millis fail(WallTime now) const { return tell(*ask(now), CallOutcome::kFailure, now); }
};

}  // namespace

TEST_CASE("the names of what is a run's own lead to it and to the name in the flow") {
  CHECK(own_name("r1", "api") == "r1/api");
  CHECK(owner_run("r1/api") == "r1");
  CHECK(plain_name("r1/api") == "api");
  CHECK(owner_run("api") == "");
  CHECK(plain_name("api") == "api");
}

TEST_CASE_TEMPLATE("a closed breaker lets everything through, and successes leave no trace", Fixture, InMemory,
                   OnDisk) {
  Fixture fixture;
  const Breaker breaker{fixture.store.shared()};
  for (int i = 0; i < 3; ++i) {
    const auto permit = breaker.ask(kStart);
    REQUIRE(said(permit) == "let through");
    CHECK(breaker.tell(*permit, CallOutcome::kSuccess, kStart) == Millis{0});
  }
  CHECK(breaker.tell(*breaker.ask(kStart), CallOutcome::kNone, kStart) == Millis{0});
  CHECK(said(breaker.shared.breakers()) == "");
}

TEST_CASE_TEMPLATE("failures in a row open a breaker, which refuses for as long as it says", Fixture, InMemory,
                   OnDisk) {
  Fixture fixture;
  const Breaker breaker{fixture.store.shared()};
  CHECK(breaker.fail(kStart) == Millis{0});
  CHECK(said(breaker.shared.breakers()) == "b closed 0: 1 failures, 0 successes, trials ");
  CHECK(breaker.tell(*breaker.ask(kStart), CallOutcome::kSuccess, kStart) == Millis{0});
  CHECK(breaker.fail(kStart) == Millis{0});
  CHECK(breaker.fail(after_start(5)) == Millis{30'000});
  CHECK(said(breaker.shared.breakers()) == "b open 1: 0 failures, 0 successes, trials ");
  CHECK(said(breaker.ask(after_start(5))) == "refused for 30000");
  CHECK(said(breaker.ask(after_start(34))) == "refused for 1000");
  CHECK(said(breaker.ask(after_start(35) - Millis{1})) == "refused for 1");
  CHECK(said(breaker.ask(after_start(35))) == "trial 0");
}

TEST_CASE_TEMPLATE("a half-open breaker refuses without a time while its trial is under way, and follows it", Fixture,
                   InMemory, OnDisk) {
  Fixture fixture;
  const Breaker breaker{fixture.store.shared()};
  breaker.fail(kStart);
  breaker.fail(kStart);
  const auto trial = breaker.ask(after_start(30));
  REQUIRE(said(trial) == "trial 0");
  CHECK(said(breaker.ask(after_start(30))) == "refused for 0");
  CHECK(said(breaker.ask(after_start(90))) == "refused for 0");
  CHECK(said(breaker.shared.breakers()) == "b half-open 2: 0 failures, 0 successes, trials 0");
  // Given back, then failed, then succeeded.
  CHECK(breaker.tell(*trial, CallOutcome::kNone, after_start(31)) == Millis{0});
  const auto second = breaker.ask(after_start(32));
  REQUIRE(said(second) == "trial 1");
  CHECK(breaker.tell(*trial, CallOutcome::kFailure, after_start(33)) == Millis{0});
  CHECK(breaker.tell(*second, CallOutcome::kFailure, after_start(33)) == Millis{30'000});
  CHECK(said(breaker.shared.breakers()) == "b open 3: 0 failures, 0 successes, trials ");
  const auto third = breaker.ask(after_start(63));
  REQUIRE(said(third) == "trial 2");
  CHECK(breaker.tell(*third, CallOutcome::kSuccess, after_start(64)) == Millis{0});
  CHECK(said(breaker.shared.breakers()) == "b closed 5: 0 failures, 0 successes, trials ");
  CHECK(said(breaker.ask(after_start(64))) == "let through");
}

TEST_CASE_TEMPLATE("so many trials may be under way, and so many must succeed", Fixture, InMemory, OnDisk) {
  Fixture fixture;
  const Breaker breaker{fixture.store.shared(), "b", {1, Millis{30'000}, 2}};
  breaker.fail(kStart);
  const auto first = breaker.ask(after_start(30));
  const auto second = breaker.ask(after_start(30));
  CHECK(said(first) == "trial 0");
  CHECK(said(second) == "trial 1");
  CHECK(said(breaker.ask(after_start(30))) == "refused for 0");
  breaker.tell(*second, CallOutcome::kSuccess, after_start(30));
  CHECK(said(breaker.shared.breakers()) == "b half-open 2: 0 failures, 1 successes, trials 0");
  breaker.tell(*first, CallOutcome::kSuccess, after_start(30));
  CHECK(said(breaker.shared.breakers()) == "b closed 3: 0 failures, 0 successes, trials ");
}

TEST_CASE_TEMPLATE("what was let through before a breaker opened says nothing about it any more", Fixture, InMemory,
                   OnDisk) {
  Fixture fixture;
  const Breaker breaker{fixture.store.shared()};
  const auto early = *breaker.ask(kStart);
  breaker.fail(kStart);
  breaker.fail(kStart);
  const std::string open{"b open 1: 0 failures, 0 successes, trials "};
  for (const CallOutcome outcome : {CallOutcome::kNone, CallOutcome::kFailure, CallOutcome::kSuccess}) {
    CHECK(breaker.tell(early, outcome, after_start(10)) == Millis{20'000});
    CHECK(said(breaker.shared.breakers()) == open);
  }
}

TEST_CASE_TEMPLATE("a reset closes a breaker, and what is under way then counts no more", Fixture, InMemory, OnDisk) {
  Fixture fixture;
  const Breaker breaker{fixture.store.shared()};
  CHECK(breaker.shared.reset_breaker("b") == false);
  breaker.fail(kStart);
  const auto under_way = *breaker.ask(kStart);
  breaker.fail(kStart);
  CHECK(breaker.shared.reset_breaker("other") == false);
  CHECK(breaker.shared.reset_breaker("") == false);
  CHECK(breaker.shared.reset_breaker(std::string(5'000, 'b')) == false);
  CHECK(breaker.shared.reset_breaker("b") == true);
  const std::string closed{"b closed 2: 0 failures, 0 successes, trials "};
  CHECK(said(breaker.shared.breakers()) == closed);
  CHECK(breaker.tell(under_way, CallOutcome::kFailure, kStart) == Millis{0});
  CHECK(said(breaker.shared.breakers()) == closed);
  CHECK(said(breaker.ask(kStart)) == "let through");
}

TEST_CASE_TEMPLATE("breakers are listed by their names, with the rule of who changed them last", Fixture, InMemory,
                   OnDisk) {
  Fixture fixture;
  SharedState& shared = fixture.store.shared();
  for (const char* key : {"mail", "r2/mail", "b"}) Breaker{shared, key}.fail(kStart);
  Breaker{shared, "mail", {7, Millis{1}, 3}}.fail(after_start(1));
  CHECK(said(shared.breakers()) ==
        "b closed 0: 1 failures, 0 successes, trials ; "
        "mail closed 0: 2 failures, 0 successes, trials ; "
        "r2/mail closed 0: 1 failures, 0 successes, trials ");
  const auto breakers = shared.breakers();
  CHECK((*breakers)[0].rule == kRule);
  CHECK((*breakers)[1].rule == policy::BreakerRule{7, Millis{1}, 3});
}

TEST_CASE_TEMPLATE("a clock that was set back keeps a breaker open for its timeout from then on, and no longer",
                   Fixture, InMemory, OnDisk) {
  Fixture fixture;
  const Breaker breaker{fixture.store.shared()};
  breaker.fail(after_start(3'600));
  breaker.fail(after_start(3'600));
  CHECK(said(breaker.ask(kStart)) == "refused for 30000");
  CHECK(said(breaker.ask(after_start(29))) == "refused for 1000");
  CHECK(said(breaker.ask(after_start(30))) == "trial 0");
}

TEST_CASE_TEMPLATE("who read the clock before others that were served first does not open a breaker earlier", Fixture,
                   InMemory, OnDisk) {
  Fixture fixture;
  const Breaker breaker{fixture.store.shared()};
  breaker.fail(after_start(5));
  breaker.fail(after_start(5));
  CHECK(said(breaker.ask(kStart)) == "refused for 30000");
  CHECK(said(breaker.ask(after_start(34))) == "refused for 1000");
  CHECK(said(breaker.ask(after_start(35))) == "trial 0");
}

TEST_CASE_TEMPLATE("a breaker's clock is read when it is a call's turn, however long that took", Fixture, InMemory,
                   OnDisk) {
  Fixture fixture;
  SharedState& shared = fixture.store.shared();
  canorun::test::ManualClock clock;
  const auto call = [&] { return BreakerCall{"b", kRule, clock.now() - Millis{60'000}, &clock}; };
  tell(shared, call(), {}, CallOutcome::kFailure);
  tell(shared, call(), {}, CallOutcome::kFailure);
  CHECK(shared.breakers()->front().state.opened_at == clock.now());
  clock.advance(Millis{30'000});
  CHECK(said(ask(shared, call())) == "trial 0");
}

TEST_CASE("a closed breaker commits nothing while calls succeed, nor does one that refuses") {
  const OnDisk fixture;
  const Breaker breaker{fixture.store.shared()};
  const std::uint64_t before = fixture.store.transactions();
  bool at_once = false;
  for (int i = 0; i < 100; ++i) {
    fixture.store.shared().ask_breaker({"b", kRule, kStart}, [&](StoreResult<Admission> permit) {
      REQUIRE(permit);
      fixture.store.shared().tell_breaker({"b", kRule, kStart}, **permit, CallOutcome::kSuccess,
                                          [&](const StoreResult<Millis>& shut) { at_once = shut == Millis{0}; });
    });
    CHECK(std::exchange(at_once, false));
  }
  CHECK(fixture.store.transactions() == before);
  CHECK(breaker.fail(kStart) == Millis{0});
  CHECK(fixture.store.transactions() == before + 1);
  breaker.fail(kStart);
  CHECK(said(breaker.ask(kStart)) == "refused for 30000");
  CHECK(fixture.store.transactions() == before + 2);
  CHECK(said(breaker.ask(after_start(30))) == "trial 0");
  CHECK(said(breaker.ask(after_start(30))) == "refused for 0");
  CHECK(fixture.store.transactions() == before + 3);
}

TEST_CASE("a breaker is as it was when its store is opened again, and the trial of who closed it is free") {
  const TempFolder folder;
  {
    const auto store = open_lmdb(folder.path());
    const Breaker breaker{store->shared()};
    breaker.fail(kStart);
    breaker.fail(kStart);
    CHECK(said(breaker.ask(after_start(30))) == "trial 0");
  }
  const auto store = open_lmdb(folder.path());
  const Breaker breaker{store->shared()};
  CHECK(said(store->shared().breakers()) == "b half-open 2: 0 failures, 0 successes, trials 0");
  CHECK(said(breaker.ask(after_start(30))) == "trial 1");
  CHECK(said(store->shared().breakers()) == "b half-open 2: 0 failures, 0 successes, trials 1");
}

TEST_CASE("a breaker that cannot be read is as good as new") {
  const TempFolder folder;
  open_lmdb(folder.path());
  tamper(folder.path(), "breakers", "b", "");
  tamper(folder.path(), "breakers", "c", std::string(500, '\xff'));
  const auto store = open_lmdb(folder.path());
  CHECK(said(store->shared().breakers()) == "");
  for (const char* key : {"b", "c"}) {
    const Breaker breaker{store->shared(), key};
    CHECK(said(breaker.ask(kStart)) == "let through");
    breaker.fail(kStart);
  }
  CHECK(said(store->shared().breakers()) ==
        "b closed 0: 1 failures, 0 successes, trials ; "
        "c closed 0: 1 failures, 0 successes, trials ");
}
