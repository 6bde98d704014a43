#include "cli/view_limits.h"

#include <doctest/doctest.h>

#include "cli/rows.h"

using namespace canorun;
using namespace canorun::test;

namespace {

store::Moment moment(int ms) { return {at(ms), SteadyTime{} + Millis{ms}}; }

store::LimitRecord bucket() {
  return {"model", policy::Bucket{.tokens = 20, .per = Millis{1000}, .burst = 5}, policy::BucketState{.missing = 25},
          3};
}

store::LimitRecord window() {
  return {"r1/plan", policy::Window{.limit = 500, .window = Millis{18'000'000}},
          policy::WindowState{.opened_at = at(0), .used = 3}};
}

}  // namespace

TEST_CASE("limits are a table of what may begin now") {
  CHECK(cli::limits_text({bucket(), window()}, moment(1000), {}) ==
        R"(NAME     ALLOWS               AVAILABLE  WAITING
model    20 per 1s, burst 5    20 of 25        3  full in 250ms
r1/plan  500 in 5h           497 of 500        0  resets in 4h 59m
)");
}

TEST_CASE("a limit of which nothing is taken says nothing of a time") {
  auto plain = bucket();
  plain.rule = policy::Bucket{.tokens = 20, .per = Millis{1000}};
  plain.waiting = 0;
  CHECK(cli::limits_text({plain, window()}, moment(18'000'000), {}) ==
        R"(NAME     ALLOWS      AVAILABLE  WAITING
model    20 per 1s    20 of 20        0
r1/plan  500 in 5h  500 of 500        0
)");
}

TEST_CASE("a limit of which nothing is left is painted") {
  CHECK(cli::limits_text({bucket()}, moment(0), {.color = true}) ==
        "\x1b[2mNAME\x1b[0m   \x1b[2mALLOWS\x1b[0m              \x1b[2mAVAILABLE\x1b[0m  \x1b[2mWAITING\x1b[0m\n"
        "model  20 per 1s, burst 5    \x1b[33m0 of 25\x1b[0m        3  full in 1.2s\n");
}

TEST_CASE("a limit as JSON") {
  CHECK(to_json_text(cli::to_json(bucket(), moment(1000))) ==
        R"({"available":20,"burst":5,"capacity":25,"full_at":"2026-11-23T08:15:01.250Z","full_in_ms":250,)"
        R"("kind":"bucket","name":"model","per_ms":1000,"run":null,"tokens":20,"waiting":3})");
  CHECK(to_json_text(cli::to_json(window(), moment(1000))) ==
        R"({"available":497,"capacity":500,"full_at":"2026-11-23T13:15:00.000Z","full_in_ms":17999000,)"
        R"("kind":"window","limit":500,"name":"plan","run":"r1","waiting":0,"window_ms":18000000})");
  CHECK(to_json_text(cli::to_json(window(), moment(18'000'000))) ==
        R"({"available":500,"capacity":500,"full_at":null,"full_in_ms":null,)"
        R"("kind":"window","limit":500,"name":"plan","run":"r1","waiting":0,"window_ms":18000000})");
}
