#include "cli/view_health.h"

#include <doctest/doctest.h>

using namespace canorun;
using Status = run::Health::Status;

namespace {

std::vector<run::Health> three_services() {
  const model::RunError error{.kind = "exit",
                              .message = "exit code 7",
                              .state = "services.search.health",
                              .attempts = 3,
                              .exit_code = 7,
                              .stderr_tail = "connecting\n\x1b[31mrefused\n"};
  return {
      {"database", Status::kHealthy, {}, Millis{12}}, {"files"}, {"search", Status::kUnhealthy, error, Millis{1500}}};
}

}  // namespace

TEST_CASE("health is a table of services, and those without a probe have no time") {
  CHECK(cli::health_text(three_services(), {}) ==
        R"(SERVICE   HEALTH     TIME
database  healthy    12ms
files     none
search    unhealthy  1.5s  exit code 7
)");
}

TEST_CASE("health is painted by what it means") {
  CHECK(cli::health_text(three_services(), {.color = true}) ==
        "\x1b[2mSERVICE\x1b[0m   \x1b[2mHEALTH\x1b[0m     \x1b[2mTIME\x1b[0m\n"
        "database  \x1b[32mhealthy\x1b[0m    12ms\n"
        "files     \x1b[2mnone\x1b[0m\n"
        "search    \x1b[31munhealthy\x1b[0m  1.5s  exit code 7\n");
}

TEST_CASE("the report says why services are not well, with what their probes wrote") {
  CHECK(cli::health_report(three_services(), {}) ==
        "error: service 'search' is unhealthy after 3 attempts: exit code 7\n"
        "  the last it wrote to stderr:\n"
        "    | connecting\n"
        "    | \xEF\xBF\xBD[31mrefused\n");
  auto well = three_services();
  well.pop_back();
  CHECK(cli::health_report(well, {}) == "");
}

TEST_CASE("a probe that failed at once, without a word, is one line") {
  const model::RunError error{.kind = "timeout", .message = "no result within 5s", .attempts = 1};
  CHECK(cli::health_report({{"search", Status::kUnhealthy, error, Millis{5000}}}, {}) ==
        "error: service 'search' is unhealthy: no result within 5s\n");
}

TEST_CASE("health as JSON") {
  CHECK(to_json_text(cli::health_json("site", three_services())) ==
        R"({"flow":"site","healthy":false,"services":[)"
        R"({"duration_ms":12,"name":"database","status":"healthy"},)"
        R"({"duration_ms":null,"name":"files","status":"none"},)"
        R"({"duration_ms":1500,"error":{"attempts":3,"exit_code":7,"kind":"exit","message":"exit code 7",)"
        R"("state":"services.search.health"},"name":"search","status":"unhealthy"}]})");
  CHECK(to_json_text(cli::health_json("site", {{"files"}})) ==
        R"({"flow":"site","healthy":true,"services":[{"duration_ms":null,"name":"files","status":"none"}]})");
}
