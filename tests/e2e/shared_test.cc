// What runs share, seen and mended from the command line while other processes use it.
#include "canorun.h"
#include "engine/base/clock.h"

using namespace canorun;
using namespace canorun::test;

namespace {

// Its work fails until there is a file `ok`, and leaves a line each time.
const char* const kPay = R"yaml(
name: pay
resources:
  breakers: {payments: {failure_threshold: 2, reset_timeout: 1h}}
states:
  pay: {run: 'echo asked >> asked; [ -e ok ]', breaker: payments, retry: {max: 1, delay: 1ms}, next: done}
  done: {exit: success}
)yaml";

const char* const kAsk = R"yaml(
name: ask
resources:
  rate_limits: {model: {tokens: 1, per: 1h}}
states:
  ask: {run: 'true', rate_limit: model, next: done}
  done: {exit: success}
)yaml";

const char* const kPlan = R"yaml(
name: plan
resources:
  rate_limits: {plan: {limit: 2, window: 1h, on_limit: fail}}
states:
  ask: {run: 'true', rate_limit: plan, next: done}
  done: {exit: success}
)yaml";

}  // namespace

TEST_CASE("a breaker that one process opened stops the next one, until a person closes it") {
  const World world;
  world.file("pay.yaml", kPay);
  const Ran first = world.canorun({"run", "pay.yaml", "--id", "r1"});
  CHECK(first.code == 1);
  CHECK(world.json({"show", "r1"})["error"]["kind"] == "exit");
  CHECK(read_file(world.folder() + "/asked") == "asked\nasked\n");

  const Ran second = world.canorun({"run", "pay.yaml", "--id", "r2"});
  CHECK(second.code == 1);
  CHECK(second.err.find("the breaker 'payments' is open for ") != std::string::npos);
  CHECK(world.json({"show", "r2"})["error"]["kind"] == "circuit_open");
  CHECK(read_file(world.folder() + "/asked") == "asked\nasked\n");

  Json listed = world.json({"breakers"});
  REQUIRE(listed.size() == 1);
  const auto opened = parse_time(std::string(listed[0]["opened_at"]));
  REQUIRE(opened);
  CHECK(listed[0]["half_open_at"] == format_time(*opened + std::chrono::hours(1)));
  CHECK(listed[0]["half_open_in_ms"] > 0);
  for (const char* time : {"opened_at", "half_open_at", "half_open_in_ms"}) listed[0].erase(time);
  CHECK(listed[0] == Json{{"name", "payments"},
                          {"run", nullptr},
                          {"state", "open"},
                          {"failures", nullptr},
                          {"failure_threshold", 2},
                          {"reset_timeout_ms", 3'600'000},
                          {"half_open_max_calls", 1},
                          {"trials", nullptr},
                          {"successes", nullptr}});
  CHECK(said(world, {"breakers"}).starts_with("0\nNAME      STATE\npayments  open   half-open in "));

  world.file("ok", "");
  CHECK(said(world, {"breakers", "reset", "payments"}) == "0\npayments is closed\n");
  CHECK(said(world, {"breakers"}) == "0\nNAME      STATE\npayments  closed  0 of 2 failures in a row\n");
  CHECK(world.json({"resume", "r2"})["status"] == "succeeded");
  CHECK(read_file(world.folder() + "/asked") == "asked\nasked\nasked\n");
}

TEST_CASE("resetting a breaker prints it as JSON, and one that nobody knows is refused with a hint") {
  const World world;
  world.file("pay.yaml", kPay);
  const std::string from_the_first = ": one is listed from its first failure on\n";
  CHECK(said(world, {"breakers", "reset", "payments"}) == "6\nerror: there is no breaker 'payments'" + from_the_first);
  CHECK(!exists(world.store()));
  REQUIRE(world.canorun({"run", "pay.yaml"}).code == 1);
  CHECK(said(world, {"breakers", "reset", "paymets"}) ==
        "6\nerror: there is no breaker 'paymets'" + from_the_first + "hint: did you mean 'payments'?\n");
  CHECK(said(world, {"breakers", "reset", "search"}) ==
        "6\nerror: there is no breaker 'search'" + from_the_first + "hint: known: payments\n");
  CHECK(world.json({"breakers"})[0]["state"] == "open");
  CHECK(said(world, {"breakers", "rest", "payments"}) ==
        "2\nerror: unexpected argument 'rest'\nhint: usage: canorun breakers, or canorun breakers reset NAME\n");
  CHECK(said(world, {"breakers", "reset"}) == "2\nerror: NAME is missing\nhint: usage: canorun breakers reset NAME\n");
  const Json reset = world.json({"breakers", "reset", "payments"});
  CHECK(reset["state"] == "closed");
  CHECK(reset == world.json({"breakers"})[0]);
}

TEST_CASE("a run's own breaker is listed with its run, as long as that may go on") {
  const World world;
  world.file("pay.yaml", replaced(kPay, "reset_timeout: 1h", "reset_timeout: 1h, scope: run"));
  REQUIRE(world.canorun({"run", "pay.yaml", "--id", "r1"}).code == 1);
  const Json listed = world.json({"breakers"});
  REQUIRE(listed.size() == 1);
  CHECK(listed[0]["name"] == "payments");
  CHECK(listed[0]["run"] == "r1");
  world.file("ok", "");
  CHECK(said(world, {"breakers", "reset", "payments"}).ends_with("\nhint: known: r1/payments\n"));
  CHECK(said(world, {"breakers", "reset", "r1/payments"}) == "0\nr1/payments is closed\n");
  CHECK(world.json({"resume", "r1"})["status"] == "succeeded");
  CHECK(world.json({"breakers"}) == Json::array());
  CHECK(said(world, {"breakers"}) == "0\nno breakers: one is listed from its first failure on\n");
}

TEST_CASE("who waits for a limit that another process used up is counted until it leaves") {
  const World world;
  world.file("ask.yaml", kAsk);
  REQUIRE(world.canorun({"run", "ask.yaml"}).code == 0);
  Program waits(world.command({"run", "ask.yaml"}));
  REQUIRE(eventually([&] { return world.json({"limits"})[0]["waiting"] == 1; }));
  Json listed = world.json({"limits"});
  REQUIRE(listed.size() == 1);
  CHECK(parse_time(std::string(listed[0]["full_at"])));
  CHECK(listed[0]["full_in_ms"] > 0);
  for (const char* time : {"full_at", "full_in_ms"}) listed[0].erase(time);
  CHECK(listed[0] == Json{{"name", "model"},
                          {"run", nullptr},
                          {"kind", "bucket"},
                          {"tokens", 1},
                          {"per_ms", 3'600'000},
                          {"burst", 0},
                          {"capacity", 1},
                          {"available", 0},
                          {"waiting", 1}});
  CHECK(said(world, {"limits"})
            .starts_with("0\nNAME   ALLOWS    AVAILABLE  WAITING\nmodel  1 per 1h     0 of 1        1  full in "));
  waits.signal(SIGINT);
  CHECK(waits.wait().code == 5);
  CHECK(world.json({"limits"})[0]["waiting"] == 0);
}

TEST_CASE("with 'on_limit: fail' a limit that other processes used up is an error") {
  const World world;
  world.file("plan.yaml", kPlan);
  REQUIRE(world.canorun({"run", "plan.yaml"}).code == 0);
  CHECK(world.json({"limits"})[0]["available"] == 1);
  REQUIRE(world.canorun({"run", "plan.yaml"}).code == 0);
  const Ran third = world.canorun({"run", "plan.yaml", "--id", "r3"});
  CHECK(third.code == 1);
  CHECK(third.err.find("error: the rate limit 'plan' lets no call through for ") != std::string::npos);
  CHECK(world.json({"show", "r3"})["error"]["kind"] == "rate_limited");
  Json listed = world.json({"limits"});
  REQUIRE(listed.size() == 1);
  for (const char* time : {"full_at", "full_in_ms"}) listed[0].erase(time);
  CHECK(listed[0] == Json{{"name", "plan"},
                          {"run", nullptr},
                          {"kind", "window"},
                          {"limit", 2},
                          {"window_ms", 3'600'000},
                          {"capacity", 2},
                          {"available", 0},
                          {"waiting", 0}});
}

TEST_CASE("to look at breakers and limits makes nothing") {
  const World world;
  CHECK(said(world, {"breakers"}) == "0\nno breakers: one is listed from its first failure on\n");
  CHECK(said(world, {"limits"}) == "0\nno limits: one is listed once something was taken of it\n");
  CHECK(world.json({"breakers"}) == Json::array());
  CHECK(world.json({"limits"}) == Json::array());
  CHECK(!exists(world.store()));
  world.file("flow.yaml", "name: f\nstates: {done: {exit: success}}\n");
  REQUIRE(world.canorun({"run", "flow.yaml"}).code == 0);
  CHECK(world.json({"limits"}) == Json::array());
  CHECK(!exists(world.store() + "/limits"));
}
