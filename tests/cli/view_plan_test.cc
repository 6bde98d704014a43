#include "cli/view_plan.h"

#include <doctest/doctest.h>

#include "tasks/catalog.h"
#include "workflows/load.h"

using namespace canorun;

namespace {

constexpr auto kFlow = R"(
name: publish
version: 2
inputs: {region: string, token: {type: string, secret: true}}
concurrency: {group: "publish-${{ inputs.region }}", on_conflict: queue}
resources:
  breakers: {registry: {failure_threshold: 3, scope: run}}
  rate_limits:
    api: {tokens: 20, per: 1s, burst: 5}
    day: {limit: 500, window: 1d, on_limit: fail}
  services:
    web: {health: {run: ./ping.sh, timeout: 5s}}
    db: {setup: {run: './up.sh ${{ inputs.token }}', retry: 1}, teardown: {run: ./down.sh}}
on_end:
  - {run: './tell.sh ${{ run.status }}', when: run.status != 'succeeded', breaker: registry}
states:
  send:
    task: http
    with: {url: https://a.example, headers: {Authorization: "Bearer ${{ inputs.token }}"}}
    breaker: registry
    rate_limit: [api, {name: day, cost: 3}]
    next: each
  each: {batch: {items: "['a']", do: {run: x, rate_limit: api}}, next: done}
  done: {exit: success, output: "${{ inputs.token }}"}
)";

const Json kInputs = {{"region", "eu"}, {"token", "sesame-sesame"}};

workflows::Loaded loaded() {
  auto flow = workflows::load_text("flow.yaml", kFlow, "/flow.yaml", "/", tasks::catalog());
  REQUIRE(flow.flow);
  return flow;
}

}  // namespace

TEST_CASE("a plan has what runs share, what is done beside the states, and no secret") {
  const auto flow = loaded();
  const Json plan = cli::plan_json(*flow.flow, kInputs);
  CHECK(plan.dump().find("sesame") == std::string::npos);
  CHECK(plan["inputs"] == Json{{"region", "eu"}, {"token", "***"}});
  CHECK(plan["concurrency"] == Json{{"group", "publish-eu"}, {"on_conflict", "queue"}});
  CHECK(plan["resources"]["breakers"] ==
        Json{{"registry",
              {{"failure_threshold", 3}, {"reset_timeout", "30s"}, {"half_open_max_calls", 1}, {"scope", "run"}}}});
  CHECK(plan["resources"]["rate_limits"] ==
        Json{{"api", {{"tokens", 20}, {"per", "1s"}, {"burst", 5}, {"on_limit", "wait"}, {"scope", "shared"}}},
             {"day", {{"limit", 500}, {"window", "1d"}, {"on_limit", "fail"}, {"scope", "shared"}}}});
  CHECK(plan["resources"]["services"] == Json{{{"name", "web"},
                                               {"health",
                                                {{"name", "services.web.health"},
                                                 {"shape", "task"},
                                                 {"kind", "shell"},
                                                 {"with", {{"script", "./ping.sh"}}},
                                                 {"timeout", "5s"}}}},
                                              {{"name", "db"},
                                               {"setup",
                                                {{"name", "services.db.setup"},
                                                 {"shape", "task"},
                                                 {"kind", "shell"},
                                                 {"with", {{"script", "./up.sh \"${{ inputs.token }}\""}}},
                                                 {"retry",
                                                  {{"max", 1},
                                                   {"delay", "100ms"},
                                                   {"jitter", 0.1},
                                                   {"backoff", "exponential"},
                                                   {"factor", 2.0},
                                                   {"cap", "30s"}}}}},
                                               {"teardown",
                                                {{"name", "services.db.teardown"},
                                                 {"shape", "task"},
                                                 {"kind", "shell"},
                                                 {"with", {{"script", "./down.sh"}}}}}}});
  CHECK(plan["states"][0]["with"]["headers"]["Authorization"] == "Bearer ***");
  CHECK(plan["states"][0]["breaker"] == "registry");
  CHECK(plan["states"][0]["rate_limit"] == Json{{"api", 1}, {"day", 3}});
  CHECK(plan["states"][1]["do"]["rate_limit"] == Json{{"api", 1}});
  CHECK(plan["states"][2]["output"] == "***");
  CHECK(plan["on_end"] == Json{{{"name", "on_end.1"},
                                {"shape", "task"},
                                {"kind", "shell"},
                                {"with", {{"script", "./tell.sh \"${{ run.status }}\""}}},
                                {"breaker", "registry"},
                                {"when", "run.status != 'succeeded'"}}});
}

TEST_CASE("a plan for people tells the same, services and what is done at the end behind the states") {
  const auto flow = loaded();
  CHECK(cli::plan_text(*flow.flow, kInputs, {}) ==
        R"(publish version 2, 3 states: nothing was run
  file         /flow.yaml
  inputs       region = "eu"
               token = "***"
  concurrency  publish-eu, queue
  breakers     registry = {"failure_threshold":3,"half_open_max_calls":1,"reset_timeout":"30s","scope":"run"}
  rate_limits  api = {"burst":5,"on_limit":"wait","per":"1s","scope":"shared","tokens":20}
               day = {"limit":500,"on_limit":"fail","scope":"shared","window":"1d"}

send  http  (start)
  headers     {"Authorization":"Bearer ***"}
  url         https://a.example
  rate_limit  api, day × 3
  breaker     registry
  next        each

each  batch
  items         ['a']
  do            shell
    script      x
    rate_limit  api
  concurrency   1
  min_success   100%
  next          done

done  exit success
  output  ***

services.web.health  shell
  script   ./ping.sh
  timeout  5s

services.db.setup  shell
  script  ./up.sh "${{ inputs.token }}"
  retry   1 time, 100ms after the first failure, then × 2.0 up to 30s

services.db.teardown  shell
  script  ./down.sh

on_end.1  shell
  when     run.status != 'succeeded'
  script   ./tell.sh "${{ run.status }}"
  breaker  registry
)");
}

TEST_CASE("a plan tells what undoes what") {
  const auto flow = workflows::load_text("flow.yaml", R"(
name: book
compensation_timeout: 30s
inputs: {l: list}
states:
  seat: {run: ./seat.sh, compensate: {run: './free.sh "${{ output.stdout }}"', retry: 1, timeout: 5s}, next: pay}
  pay: {task: pass, compensate: {task: log, after: start, with: {message: refund}}, next: mail}
  mail: {batch: {items: inputs.l, do: {run: x, compensate: {run: y, after: start}}}, next: undo}
  undo: {exit: rollback}
)",
                                         "/flow.yaml", "/", tasks::catalog());
  REQUIRE(flow.flow);
  const Json plan = cli::plan_json(*flow.flow, {{"l", Json::array()}});
  CHECK(plan["compensation_timeout"] == "30s");
  CHECK(plan["states"][0]["compensate"]["after"] == "success");
  CHECK(plan["states"][0]["compensate"]["with"]["script"] == "./free.sh \"${{ output.stdout }}\"");
  CHECK(plan["states"][0]["compensate"]["timeout"] == "5s");
  CHECK(plan["states"][0]["compensate"]["retry"]["max"] == 1);
  CHECK(plan["states"][1]["compensate"] ==
        Json{{"kind", "log"}, {"with", {{"message", "refund"}}}, {"after", "start"}});
  CHECK(plan["states"][2]["do"]["compensate"]["kind"] == "shell");
  CHECK(plan["states"][3]["exit"] == "rollback");
  CHECK(cli::plan_text(*flow.flow, {{"l", Json::array()}}, {}) ==
        R"(book version 0, 4 states: nothing was run
  file                  /flow.yaml
  compensation_timeout  30s
  inputs                l = []

seat  shell  (start)
  script     ./seat.sh
  undone by  shell
    script   ./free.sh "${{ output.stdout }}"
    timeout  5s
    retry    1 time, 100ms after the first failure, then × 2.0 up to 30s
  next       pay

pay  pass
  undone by  log, owed from the start
    message  refund
  next       mail

mail  batch
  items        inputs.l
  do           shell
    script     x
    undone by  shell, owed from the start
      script   y
  concurrency  1
  min_success  100%
  next         undo

undo  exit rollback
)");
}
