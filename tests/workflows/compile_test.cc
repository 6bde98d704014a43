#include "workflows/compile.h"

#include <doctest/doctest.h>

#include "engine/model/scope.h"
#include "workflows/flows.h"

using namespace canorun;
using namespace canorun::workflows;
using testing::action_of;
using testing::load;
using testing::load_state;
using testing::problems;

namespace {

Json evaluated(const expr::Tree& tree, const Json& inputs = {}, const Json& vars = {}) {
  model::Scope scope;
  model::slot(scope, model::Slot::kInputs) = expr::Value::view(inputs);
  model::slot(scope, model::Slot::kVars) = expr::Value::view(vars);
  const auto value = tree.evaluate(scope);
  REQUIRE(value.has_value());
  return *value;
}

}  // namespace

TEST_CASE("a whole flow is compiled") {
  const auto loaded = load(R"(
name: order
version: 2
description: Reserve and ship
start: b
inputs:
  id: string
  amount: {type: double, default: 42, description: in euros, enum: [1, 42]}
vars: {n: 0, any: null, copy: "${{ inputs.id }}"}
env: {LC_ALL: C, ID: "${{ inputs.id }}"}
timeout: 10m
max_transitions: 7
keep: 30d
states:
  a:
    timer: {for: 30s}
    timeout: 1h
    next: done
  b:
    task: pass
    with: {value: [1, "${{ inputs.id }}"]}
    set: {n: "${{ vars.n + 1 }}"}
    next: [{when: vars.n > 1, to: a}, {to: c}]
    on_error: done
  c:
    route: [{when: "${{ vars.n > 1 }}", to: a}, {when: true, to: failed}]
  done: {exit: success, output: {id: "${{ inputs.id }}"}}
  failed: {exit: failure, description: gave up}
)");
  REQUIRE_MESSAGE(loaded.flow, problems(loaded));
  CHECK(loaded.diagnostics.empty());
  const model::Flow& flow = *loaded.flow;
  CHECK(flow.name == "order");
  CHECK(flow.version == 2);
  CHECK(flow.description == "Reserve and ship");
  CHECK(flow.start == 1);
  CHECK(flow.timeout == Millis{600'000});
  CHECK(flow.keep == Millis{2'592'000'000});
  CHECK(flow.max_transitions == 7);
  REQUIRE(flow.inputs.size() == 2);
  CHECK(flow.inputs[0].type == model::InputType::kString);
  CHECK(!flow.inputs[0].fallback);
  CHECK(flow.inputs[1].fallback == Json(42.0));
  CHECK(flow.inputs[1].fallback->is_number_float());
  CHECK(flow.inputs[1].one_of == std::vector<Json>{1.0, 42.0});
  CHECK(flow.inputs[1].description == "in euros");
  REQUIRE(flow.vars.size() == 3);
  CHECK(flow.vars[0].type == model::InputType::kInt);
  CHECK(flow.vars[1].type == model::InputType::kAny);
  CHECK(flow.vars[2].type == model::InputType::kString);
  REQUIRE(flow.env.size() == 2);
  CHECK(flow.env[0].first == "LC_ALL");
  REQUIRE(flow.states.size() == 5);
  CHECK(flow.find("failed") == 4);
  CHECK(flow.states[0].deadline == Millis{3'600'000});
  CHECK(std::get<model::TimerShape>(flow.states[0].shape).wait_for->is_literal());
  const model::Action& pass = action_of(loaded, 1);
  CHECK(pass.kind->name == "pass");
  CHECK(evaluated(pass.params, {{"id", "A1"}}) == Json{{"value", {1, "A1"}}});
  CHECK(pass.retry.policy.max == 0);
  REQUIRE(flow.states[1].next.size() == 2);
  CHECK(flow.states[1].next[0].when->text() == "vars.n > 1");
  CHECK(flow.states[1].next[0].to == 0);
  CHECK(!flow.states[1].next[1].when);
  CHECK(flow.states[1].on_error.at(0).to == 3);
  CHECK(evaluated(flow.states[1].set.at(0).value, {}, {{"n", 1}}) == 2);
  CHECK(flow.states[2].next[0].when->text() == "vars.n > 1");
  CHECK(evaluated(std::get<model::ExitShape>(flow.states[3].shape).output, {{"id", "A1"}}) == Json{{"id", "A1"}});
  CHECK(std::get<model::ExitShape>(flow.states[4].shape).kind == model::ExitKind::kFailure);
  CHECK(flow.states[4].description == "gave up");
}

TEST_CASE("every form of retry, and none of it") {
  const auto retry = [](const std::string& written, const std::string& top = "") {
    const auto loaded = load_state("{task: pass, next: done" + written + "}", top);
    REQUIRE_MESSAGE(loaded.flow, problems(loaded));
    return action_of(loaded).retry;
  };
  CHECK(retry("").policy.max == 0);
  CHECK(retry(", retry: 3").policy.max == 3);
  CHECK(retry("", "defaults: {retry: 2}\n").policy.max == 2);
  CHECK(retry(", retry: none", "defaults: {retry: 2}\n").policy.max == 0);
  const auto all = retry(
      ", retry: {max: 4, backoff: fixed, delay: 200ms, factor: 3, cap: 10s, jitter: 0.5, when: error.kind == 'exit'}");
  CHECK(all.policy.max == 4);
  CHECK(all.policy.backoff == policy::Backoff::kFixed);
  CHECK(all.policy.delay == Millis{200});
  CHECK(all.policy.factor == 3.0);
  CHECK(all.policy.cap == Millis{10'000});
  CHECK(all.policy.jitter == 0.5);
  CHECK(all.when->text() == "error.kind == 'exit'");
}

TEST_CASE("defaults go to the actions that set none and can use them") {
  const auto loaded = load(
      "name: x\ndefaults: {timeout: 30s, env: {A: b}, cwd: sub}\nstates:\n"
      "  a: {run: pwd, next: b}\n  b: {run: pwd, cwd: other, timeout: 1s, next: c}\n  c: {task: pass, next: done}\n  "
      "done: {exit: success}\n");
  REQUIRE_MESSAGE(loaded.flow, problems(loaded));
  CHECK(action_of(loaded, 0).timeout == Millis{30'000});
  CHECK(evaluated(action_of(loaded, 0).params) == Json{{"script", "pwd"}, {"cwd", "sub"}});
  CHECK(action_of(loaded, 0).env.size() == 1);
  CHECK(action_of(loaded, 1).timeout == Millis{1'000});
  CHECK(evaluated(action_of(loaded, 1).params) == Json{{"script", "pwd"}, {"cwd", "other"}});
  CHECK(evaluated(action_of(loaded, 2).params) == Json::object());
  CHECK(action_of(loaded, 2).env.empty());
}

TEST_CASE("text stays what was written, where text is wanted") {
  const auto loaded = load_state("{run: true, env: {VERSION: 1.10, ON: yes, N: 0x10, T: true}, next: done}");
  REQUIRE_MESSAGE(loaded.flow, problems(loaded));
  CHECK(evaluated(action_of(loaded).params) ==
        Json{{"script", "true"}, {"env", {{"VERSION", "1.10"}, {"ON", "yes"}, {"N", "0x10"}, {"T", "true"}}}});
}

TEST_CASE("a script's templates become references, and its values are kept beside it") {
  const auto loaded = load_state("{run: \"echo ${{ inputs.a }} \\\"${{ vars.n + 1 }}\\\" $${{ x }}\", next: done}",
                                 "inputs: {a: string}\nvars: {n: 1}\n");
  REQUIRE_MESSAGE(loaded.flow, problems(loaded));
  const model::Action& action = action_of(loaded);
  CHECK(*action.params.literal() == Json{{"script", "echo \"${CANORUN_V1}\" \"${CANORUN_V2}\" ${{ x }}"}});
  REQUIRE(action.script_values.size() == 2);
  CHECK(evaluated(action.script_values[0], {{"a", "it"}}) == "it");
  CHECK(evaluated(action.script_values[1], {}, {{"n", 1}}) == 2);
}

TEST_CASE("a script without templates is free to be for any shell") {
  const auto loaded = load_state("{run: 'print(1 if [[1]] else `x`)', shell: [python3], next: done}");
  REQUIRE_MESSAGE(loaded.flow, problems(loaded));
  CHECK(action_of(loaded).script_values.empty());
}

TEST_CASE("a variable has the type of its initial value, as far as that is known before the run") {
  const auto loaded = load(R"(
name: x
inputs: {s: string, i: int, d: double, b: bool, l: list, m: map, any: any}
vars:
  a: "${{ inputs.s }}"
  b: "${{ inputs.i + 1 }}"
  c: "${{ inputs.d }}"
  d: "${{ inputs.b }}"
  e: "${{ inputs.l.map(x, string(x)) }}"
  f: ["${{ inputs.i }}"]
  g: {k: "${{ inputs.i }}"}
  h: "${{ inputs.i }} of them"
  i: "${{ inputs.any }}"
  j: "${{ timestamp('2026-01-01T00:00:00Z') }}"
  k: "${{ inputs.m.?x }}"
  l: 1.5
  m: null
states: {done: {exit: success}}
)");
  REQUIRE_MESSAGE(loaded.flow, problems(loaded));
  std::string types;
  for (const model::Var& var : loaded.flow->vars) types += std::string(model::input_type_name(var.type)) + " ";
  CHECK(types == "string int double bool list list map string any string any double any ");
}

TEST_CASE("warnings leave a flow that can run") {
  const auto loaded =
      load("name: x\nvars: {n: 0}\nstates:\n  a: {route: [{when: vars.n > 0, to: done}]}\n  done: {exit: success}\n");
  CHECK(loaded.flow);
  REQUIRE(loaded.diagnostics.size() == 1);
  CHECK(loaded.diagnostics[0].severity == Severity::kWarning);
}

TEST_CASE("more problems than anyone reads are counted") {
  std::string text = "name: x\nstates: {done: {exit: success}}\n";
  for (int i = 0; i < 2'000; ++i) text += "k" + std::to_string(i) + ": 1\n";
  const auto loaded = load(text);
  REQUIRE(loaded.diagnostics.size() == 501);
  CHECK(loaded.diagnostics.back().message == "and 1500 more problems like these");
}
