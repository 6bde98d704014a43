// What undoes actions: what is compiled of it, and what it may use.
#include <doctest/doctest.h>

#include "workflows/flows.h"

using namespace canorun;
using namespace canorun::workflows;
using model::Slot;
using testing::action_of;
using testing::evaluated;
using testing::load;
using testing::load_state;
using testing::problems;

namespace {

/// Of a flow without any problem.
const model::Compensation& compensation_of(const Loaded& loaded, std::size_t state = 0) {
  REQUIRE_MESSAGE(loaded.flow, problems(loaded));
  CHECK(problems(loaded) == "");
  REQUIRE(action_of(loaded, state).compensation);
  return *action_of(loaded, state).compensation;
}

template <class Shape>
Shape shape_of(const Loaded& loaded) {
  REQUIRE_MESSAGE(loaded.flow, problems(loaded));
  CHECK(problems(loaded) == "");
  return std::get<Shape>(loaded.flow->states.at(0).shape);
}

}  // namespace

TEST_CASE("what undoes a state's action is an action of its own") {
  const auto loaded = load_state(R"({
    run: ./reserve.sh, parse: json, retry: 1, timeout: 3s,
    compensate: {task: pass, with: {value: "${{ [output.json.id, action.idempotency_key, inputs.n] }}"},
                 retry: 5, timeout: 7s, breaker: b, rate_limit: {name: l, cost: 2}},
    next: done})",
                                 "inputs: {n: int}\nresources: {breakers: {a: {}, b: {}}, rate_limits: {l: {tokens: 3, "
                                 "per: 1s}}}\n");
  const model::Compensation& undo = compensation_of(loaded);
  CHECK(!undo.from_start);
  CHECK(undo.action.kind->name == "pass");
  CHECK(undo.action.retry.policy.max == 5);
  CHECK(undo.action.timeout == Millis{7'000});
  CHECK(undo.action.breaker == 1);
  REQUIRE(undo.action.tiers.size() == 1);
  CHECK(undo.action.tiers[0].cost == 2);
  CHECK(!undo.action.compensation);
  CHECK(evaluated(undo.action.params, {{Slot::kOutput, {{"json", {{"id", "R7"}}}}},
                                       {Slot::kAction, {{"idempotency_key", "k"}}},
                                       {Slot::kInputs, {{"n", 3}}}}) == Json{{"value", {"R7", "k", 3}}});
  CHECK(action_of(loaded).kind->name == "shell");
  CHECK(action_of(loaded).retry.policy.max == 1);
  CHECK(action_of(loaded).timeout == Millis{3'000});
  CHECK(!action_of(loaded).breaker);
}

TEST_CASE("an action is undone after its success, or from its start on") {
  const auto from_start = [](const std::string& after) {
    return compensation_of(load_state("{run: x, compensate: {run: y" + after + "}, next: done}")).from_start;
  };
  CHECK(!from_start(""));
  CHECK(!from_start(", after: success"));
  CHECK(from_start(", after: start"));
}

TEST_CASE("without 'compensate' nothing undoes an action") {
  CHECK(!action_of(load_state("{run: x, next: done}")).compensation);
}

TEST_CASE("what undoes an action has the defaults, as every action has") {
  const std::string defaults = "defaults: {retry: 2, timeout: 9s, env: {A: b}, cwd: sub}\n";
  const auto loaded = load_state("{task: pass, compensate: {run: y}, next: done}", defaults);
  const model::Action& taken = compensation_of(loaded).action;
  CHECK(taken.retry.policy.max == 2);
  CHECK(taken.timeout == Millis{9'000});
  CHECK(taken.env.size() == 1);
  CHECK(evaluated(taken.params, {}) == Json{{"script", "y"}, {"cwd", "sub"}});
  const auto own =
      load_state("{task: pass, compensate: {run: y, retry: none, timeout: 1s, cwd: own}, next: done}", defaults);
  CHECK(compensation_of(own).action.retry.policy.max == 0);
  CHECK(compensation_of(own).action.timeout == Millis{1'000});
  CHECK(evaluated(compensation_of(own).action.params, {}) == Json{{"script", "y"}, {"cwd", "own"}});
}

TEST_CASE("each branch of a split has what undoes it, or nothing") {
  const auto split = shape_of<model::SplitShape>(
      load_state("{split: {branches: {a: {run: x, compensate: {run: undo, after: start}}, b: {run: y}}}, next: done}"));
  REQUIRE(split.branches.at(0).action.compensation);
  CHECK(split.branches[0].action.compensation->from_start);
  CHECK(*split.branches[0].action.compensation->action.params.literal() == Json{{"script", "undo"}});
  CHECK(!split.branches.at(1).action.compensation);
}

TEST_CASE("what undoes an element's action has the element in scope") {
  const std::string undo = R"({task: pass, with: {value: "${{ [url, index, output.exit_code] }}"}})";
  const auto undone = [](const model::Action& action) {
    REQUIRE(action.compensation);
    return evaluated(action.compensation->action.params,
                     {{Slot::kItem, "u"}, {Slot::kIndex, 4}, {Slot::kOutput, {{"exit_code", 0}}}});
  };
  const std::string inputs = "inputs: {urls: list}\n";
  const auto split = shape_of<model::SplitShape>(load_state(
      "{split: {for_each: inputs.urls, as: url, do: {run: x, compensate: " + undo + "}}, next: done}", inputs));
  REQUIRE(split.each);
  CHECK(undone(*split.each) == Json{{"value", {"u", 4, 0}}});
  const auto batch = shape_of<model::BatchShape>(
      load_state("{batch: {items: inputs.urls, as: url, do: {run: x, compensate: " + undo + "}}, next: done}", inputs));
  CHECK(undone(batch.each) == Json{{"value", {"u", 4, 0}}});
}

TEST_CASE("values that are put into the script that undoes an action stay values") {
  const auto loaded = load_state("{run: x, compensate: {run: 'undo \"${{ output.stdout }}\"'}, next: done}");
  const model::Action& undo = compensation_of(loaded).action;
  CHECK(*undo.params.literal() == Json{{"script", "undo \"${CANORUN_V1}\""}});
  CHECK(evaluated(undo.script_values.at(0), {{Slot::kOutput, {{"stdout", "a b"}}}}) == "a b");
}

TEST_CASE("a run can end by undoing what it did, within a time") {
  const auto loaded = load(
      "name: x\ncompensation_timeout: 1m30s\nstates:\n  a: {run: x, compensate: {run: y}, next: undo}\n"
      "  undo: {exit: rollback, output: {why: 1}}\n");
  REQUIRE_MESSAGE(loaded.flow, problems(loaded));
  CHECK(problems(loaded) == "");
  CHECK(loaded.flow->compensation_timeout == Millis{90'000});
  const auto& exit = std::get<model::ExitShape>(loaded.flow->states.at(1).shape);
  CHECK(exit.kind == model::ExitKind::kRollback);
  CHECK(*exit.output.literal() == Json{{"why", 1}});
  CHECK(!load_state("{run: x, next: done}").flow->compensation_timeout);
}

TEST_CASE("a child run can be undone as a whole, and undoes nothing") {
  const std::string child = "{task: flow, with: {file: shipping.yaml, inputs: {order: A1}}";
  CHECK(compensation_of(load_state(child + ", compensate: {run: 'undo ${{ output.id }}'}, next: done}")).action.kind);
  CHECK(problems(load_state("{run: x, compensate: " + child + "}, next: done}"))
            .find("error: 'flow' cannot stand in 'compensate' [bad-value]") != std::string::npos);
}

TEST_CASE("when an action is undone, its state has succeeded, and others may have run since") {
  const auto said = [](const std::string& read) {
    return problems(
        load("name: x\nstates:\n"
             "  a: {run: x, next: b}\n"
             "  b: {run: x, compensate: {task: pass, with: {value: \"${{ " +
             read +
             " }}\"}}, next: c}\n"
             "  c: {run: x, next: [{when: output.exit_code == 1, to: b}, {to: d}], on_error: lost}\n"
             "  lost: {task: pass, next: d}\n"
             "  d: {exit: success}\n"));
  };
  CHECK(said("states.a.output.stdout") == "");
  CHECK(said("states.b.output.stdout") == "");
  CHECK(said("states.c.output.stdout").find("warning: state 'c' may have failed or not have run") != std::string::npos);
  CHECK(said("states.lost.output.value").find("warning: state 'lost' may have") != std::string::npos);
  CHECK(said("states.c.error.message").find("warning: state 'c' may not have failed") != std::string::npos);
  CHECK(said("states.c.output.?stdout.orValue('')") == "");
  CHECK(said("states.d.output").find("error: state 'd' does no work") != std::string::npos);
}

TEST_CASE("an action that is undone from its start on, or in a branch, may have no result of its state") {
  const auto said = [](const std::string& state) { return problems(load_state(state)); };
  const std::string read = "{task: pass, with: {value: \"${{ states.a.output.FIELD }}\"}}";
  const auto undo = [&](const std::string& field) { return std::string(read).replace(read.find("FIELD"), 5, field); };
  std::string from_start = undo("exit_code");
  from_start.insert(1, "after: start, ");
  CHECK(said("{run: x, compensate: " + undo("exit_code") + ", next: done}") == "");
  CHECK(said("{run: x, compensate: " + from_start + ", next: done}").find("warning: state 'a' may have failed") !=
        std::string::npos);
  CHECK(said("{split: {branches: {b: {run: x, compensate: " + undo("failed") + "}}}, next: done}")
            .find("warning: state 'a' may have failed") != std::string::npos);
}

TEST_CASE("the defaults of what undoes an action are looked at where it is undone") {
  const auto said = problems(
      load("name: x\ndefaults: {env: {A: \"${{ states.b.output.value }}\"}}\nstates:\n"
           "  a: {task: pass, compensate: {run: y}, next: b}\n  b: {task: pass, next: c}\n  c: {exit: success}\n"));
  CHECK(said.find("warning: state 'b' may have failed or not have run") != std::string::npos);
}
