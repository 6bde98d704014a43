// What a flow does beside its states: groups, services, endings; and inputs that are secret.
#include <doctest/doctest.h>

#include "workflows/flows.h"

using namespace canorun;
using namespace canorun::workflows;
using model::Slot;
using testing::evaluated;
using testing::load;
using testing::load_state;
using testing::problems;

namespace {

/// A flow without any problem, with this above its states.
Loaded load_top(const std::string& top) {
  auto loaded = load_state("{run: x, next: done}", top);
  REQUIRE_MESSAGE(loaded.flow, problems(loaded));
  CHECK(problems(loaded) == "");
  return loaded;
}

const model::Action& action_of(const model::State& state) { return std::get<model::ActionShape>(state.shape).action; }

}  // namespace

TEST_CASE("a group is a template, and runs of it reject each other unless something else is said") {
  const auto group = [](const std::string& more) {
    const auto loaded = load_top(
        "inputs: {region: string}\nenv: {STAGE: test}\n"
        "concurrency: {group: '${{ run.flow }}-${{ env.STAGE }}-${{ inputs.region }}'" +
        more + "}\n");
    CHECK(evaluated(loaded.flow->concurrency->group, {{Slot::kInputs, {{"region", "eu"}}},
                                                      {Slot::kEnv, {{"STAGE", "test"}}},
                                                      {Slot::kRun, {{"flow", "x"}}}}) == "x-test-eu");
    return loaded.flow->concurrency->on_conflict;
  };
  CHECK(group("") == model::OnConflict::kReject);
  CHECK(group(", on_conflict: reject") == model::OnConflict::kReject);
  CHECK(group(", on_conflict: queue") == model::OnConflict::kQueue);
  CHECK(group(", on_conflict: skip") == model::OnConflict::kSkip);
  CHECK(group(", on_conflict: cancel_running") == model::OnConflict::kCancelRunning);
}

TEST_CASE("a group may have a literal name, also a number, and a flow need not have one") {
  CHECK(evaluated(load_top("concurrency: {group: nightly}\n").flow->concurrency->group, {}) == "nightly");
  CHECK(evaluated(load_top("inputs: {n: int}\nconcurrency: {group: '${{ inputs.n }}'}\n").flow->concurrency->group,
                  {{Slot::kInputs, {{"n", 3}}}}) == 3);
  CHECK(!load_top("").flow->concurrency);
}

TEST_CASE("services are states of their own that no transition leads to, in the order of the file") {
  const auto loaded = load_top(R"(
defaults: {retry: 2, timeout: 30s, env: {A: b}, cwd: work}
vars: {n: 1}
resources:
  breakers: {docker: {}}
  services:
    queue: {health: {run: ./ping.sh}}
    db:
      setup: {run: './up.sh ${{ run.id }} ${{ vars.n }}', retry: none, breaker: docker}
      teardown: {task: pass, with: {value: "${{ action.attempt }}"}, timeout: 1m}
)");
  const model::Flow& flow = *loaded.flow;
  CHECK(flow.states.size() == 2);
  CHECK(!flow.find("services.db.setup"));
  REQUIRE(flow.services.size() == 2);
  const model::Service& queue = flow.services[0];
  CHECK(queue.name == "queue");
  CHECK(!queue.setup);
  CHECK(!queue.teardown);
  REQUIRE(queue.health);
  CHECK(queue.health->name == "services.queue.health");
  CHECK(action_of(*queue.health).retry.policy.max == 2);
  CHECK(action_of(*queue.health).timeout == Millis{30'000});
  CHECK(action_of(*queue.health).env.size() == 1);
  CHECK(*action_of(*queue.health).params.literal() == Json{{"script", "./ping.sh"}, {"cwd", "work"}});
  const model::Service& db = flow.services[1];
  CHECK(db.name == "db");
  CHECK(!db.health);
  REQUIRE(db.setup);
  CHECK(db.setup->name == "services.db.setup");
  CHECK(db.setup->next.empty());
  CHECK(db.setup->on_error.empty());
  CHECK(!db.setup->deadline);
  CHECK(action_of(*db.setup).retry.policy.max == 0);
  CHECK(action_of(*db.setup).breaker == 0);
  REQUIRE(action_of(*db.setup).script_values.size() == 2);
  CHECK(evaluated(action_of(*db.setup).script_values[0], {{Slot::kRun, {{"id", "x-1"}}}}) == "x-1");
  CHECK(evaluated(action_of(*db.setup).script_values[1], {{Slot::kVars, {{"n", 7}}}}) == 7);
  REQUIRE(db.teardown);
  CHECK(db.teardown->name == "services.db.teardown");
  CHECK(action_of(*db.teardown).kind->name == "pass");
  CHECK(action_of(*db.teardown).timeout == Millis{60'000});
  CHECK(evaluated(action_of(*db.teardown).params, {{Slot::kAction, {{"attempt", 2}}}}) == Json{{"value", 2}});
}

TEST_CASE("what is done at the end keeps its order and its conditions, and sees how the run ended") {
  const auto loaded = load_top(R"(
inputs: {loud: bool}
defaults: {timeout: 30s}
resources: {rate_limits: {mail: {tokens: 1, per: 1s}}}
on_end:
  - run: './notify.sh "${{ run.status }}" "${{ run.error == null ? dyn("fine") : run.error.message }}"'
    when: inputs.loud && run.status != 'succeeded'
    rate_limit: mail
  - {task: pass, with: {value: "${{ [states.a.visits, run.version, run.error] }}"}, when: "${{ run.error == null }}"}
  - {run: ./clean.sh, timeout: 1s, when: true}
)");
  const auto& end = loaded.flow->on_end;
  REQUIRE(end.size() == 3);
  CHECK(end[0].state.name == "on_end.1");
  CHECK(end[1].state.name == "on_end.2");
  CHECK(end[2].state.name == "on_end.3");
  CHECK(end[0].when->text() == "inputs.loud && run.status != 'succeeded'");
  CHECK(end[1].when->text() == "run.error == null");
  CHECK(end[2].when->text() == "true");
  CHECK(action_of(end[0].state).timeout == Millis{30'000});
  CHECK(action_of(end[0].state).tiers.at(0).limit == 0);
  CHECK(action_of(end[2].state).timeout == Millis{1'000});
  const Json failed = {{"status", "failed"}, {"error", {{"message", "exit code 3"}}}};
  CHECK(evaluated(action_of(end[0].state).script_values.at(0), {{Slot::kRun, failed}}) == "failed");
  CHECK(evaluated(action_of(end[0].state).script_values.at(1), {{Slot::kRun, failed}}) == "exit code 3");
  CHECK(evaluated(action_of(end[1].state).params,
                  {{Slot::kRun, {{"version", 2}, {"error", nullptr}}}, {Slot::kStates, {{"a", {{"visits", 1}}}}}}) ==
        Json{{"value", {1, 2, nullptr}}});
}

TEST_CASE("an empty list of actions for the end is none") { CHECK(load_top("on_end: []\n").flow->on_end.empty()); }

TEST_CASE("a secret is a string that must be given") {
  const auto loaded = load_top(
      "inputs: {token: {type: string, secret: true, description: for the API}, name: {type: string, secret: "
      "false, default: x}}\n");
  const auto& inputs = loaded.flow->inputs;
  REQUIRE(inputs.size() == 2);
  CHECK(inputs[0].secret);
  CHECK(inputs[0].type == model::InputType::kString);
  CHECK(!inputs[0].fallback);
  CHECK(inputs[0].one_of.empty());
  CHECK(inputs[0].description == "for the API");
  CHECK(!inputs[1].secret);
  CHECK(inputs[1].fallback == Json("x"));
}
