#include "cli/view_breakers.h"

#include <doctest/doctest.h>

#include "cli/live_records.h"
#include "cli/rows.h"
#include "engine/store/memory_store.h"

using namespace canorun;
using namespace canorun::test;
using policy::BreakerPhase;

namespace {

store::BreakerRecord closed() { return {"mail", {.failure_threshold = 5}, {.failures = 2}}; }

store::BreakerRecord open() {
  return {"payments",
          {.failure_threshold = 3, .reset_timeout = Millis{60'000}},
          {.phase = BreakerPhase::kOpen, .epoch = 1, .opened_at = at(0)}};
}

store::BreakerRecord half_open() {
  return {"r1/search",
          {.half_open_max_calls = 3},
          {.phase = BreakerPhase::kHalfOpen,
           .epoch = 2,
           .successes = 1,
           .opened_at = at(0),
           .next_trial = 2,
           .trials = {{1, "owner"}}}};
}

std::vector<std::string> keys(const std::vector<store::BreakerRecord>& breakers) {
  std::vector<std::string> out;
  for (const store::BreakerRecord& breaker : breakers) out.push_back(breaker.key);
  return out;
}

}  // namespace

TEST_CASE("breakers are a table that says what each lets through") {
  CHECK(cli::breakers_text({closed(), open(), half_open()}, at(15'000), {}) ==
        R"(NAME       STATE
mail       closed     2 of 5 failures in a row
payments   open       half-open in 45.0s
r1/search  half_open  1 trial under way, 1 of 3 succeeded
)");
}

TEST_CASE("a breaker whose time has passed is half-open, though the store has not been told") {
  CHECK(cli::breakers_text({open()}, at(60'000), {}) ==
        "NAME      STATE\npayments  half_open  0 trials under way, 0 of 1 succeeded\n");
  CHECK(to_json_text(cli::to_json(open(), at(60'000))) ==
        R"({"failure_threshold":3,"failures":null,"half_open_at":null,"half_open_in_ms":null,"half_open_max_calls":1,)"
        R"("name":"payments","opened_at":"2026-11-23T08:15:00.000Z","reset_timeout_ms":60000,"run":null,)"
        R"("state":"half_open","successes":0,"trials":0})");
}

TEST_CASE("the state of a breaker is painted by what it means") {
  CHECK(cli::breakers_text({closed(), open(), half_open()}, at(15'000), {.color = true}) ==
        "\x1b[2mNAME\x1b[0m       \x1b[2mSTATE\x1b[0m\n"
        "mail       \x1b[32mclosed\x1b[0m     2 of 5 failures in a row\n"
        "payments   \x1b[31mopen\x1b[0m       half-open in 45.0s\n"
        "r1/search  \x1b[33mhalf_open\x1b[0m  1 trial under way, 1 of 3 succeeded\n");
}

TEST_CASE("a breaker as JSON") {
  CHECK(to_json_text(cli::to_json(closed(), at(0))) ==
        R"({"failure_threshold":5,"failures":2,"half_open_at":null,"half_open_in_ms":null,"half_open_max_calls":1,)"
        R"("name":"mail","opened_at":null,"reset_timeout_ms":30000,"run":null,"state":"closed","successes":null,)"
        R"("trials":null})");
  CHECK(to_json_text(cli::to_json(open(), at(15'000))) ==
        R"({"failure_threshold":3,"failures":null,"half_open_at":"2026-11-23T08:16:00.000Z","half_open_in_ms":45000,)"
        R"("half_open_max_calls":1,"name":"payments","opened_at":"2026-11-23T08:15:00.000Z","reset_timeout_ms":60000,)"
        R"("run":null,"state":"open","successes":null,"trials":null})");
  CHECK(to_json_text(cli::to_json(half_open(), at(0))) ==
        R"({"failure_threshold":5,"failures":null,"half_open_at":null,"half_open_in_ms":null,"half_open_max_calls":3,)"
        R"("name":"search","opened_at":"2026-11-23T08:15:00.000Z","reset_timeout_ms":30000,"run":"r1",)"
        R"("state":"half_open","successes":1,"trials":1})");
}

TEST_CASE("what is the own of a run that is over, or is not there, is left out") {
  store::MemoryStore store;
  const auto add = [&](const std::string& id, store::Status status) {
    const store::Row end{at(1000), store::RunEnded{.status = status, .state = "end"}};
    store.create({id, {started(0), end}, {{"d1", "text"}}}, [](const store::StoreResult<store::RunNumber>&) {});
  };
  store.create({"works", {started(0), entered(0, "a")}, {{"d1", "text"}}},
               [](const store::StoreResult<store::RunNumber>&) {});
  add("done", store::Status::kSucceeded);
  add("failed", store::Status::kFailed);
  add("cancelled", store::Status::kCancelled);
  std::vector<store::BreakerRecord> all;
  for (const char* key : {"a", "cancelled/a", "done/a", "failed/a", "none/a", "works/a", "z"})
    all.push_back({key, {}, {}});
  CHECK(keys(*cli::only_live<store::BreakerRecord>(store, all)) ==
        std::vector<std::string>{"a", "failed/a", "works/a", "z"});
}
