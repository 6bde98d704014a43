// The loop: transitions, rows, errors, variables.
#include <filesystem>

#include "harness.h"
#include "support/program.h"

using namespace canorun;
using namespace canorun::test;

namespace {

const std::string kTwo = R"(
name: two
states:
  a: {task: act, with: {value: 1}, next: b}
  b: {task: act, with: {value: 2}, next: done}
  done: {exit: success, output: {b: "${{ states.b.output }}"}}
)";

}  // namespace

TEST_CASE_FIXTURE(Fixture, "a flow of N states commits N + 1 times, rows dense from 0") {
  const run::RunState& run = run_to_end(kTwo);
  CHECK(run.status == store::Status::kSucceeded);
  CHECK(run.output == Json{{"b", 2}});
  CHECK(rows() == std::vector<std::string>{
                      R"(run_started {"inputs":{},"vars":{}})",
                      R"(state_entered {"state":"a","visit":1})",
                      R"(state_ended {"attempts":1,"output":1,"state":"a","visit":1})",
                      R"(state_entered {"state":"b","visit":1})",
                      R"(state_ended {"attempts":1,"output":2,"state":"b","visit":1})",
                      R"(run_ended {"output":{"b":2},"state":"done","status":"succeeded"})",
                  });
  CHECK(process.recorder.lines == std::vector<std::string>{"began two", "enter a 1", "attempt a 1/1",
                                                           "succeeded a after 1", "enter b 1", "attempt b 1/1",
                                                           "succeeded b after 1"});
}

TEST_CASE_FIXTURE(Fixture, "route states leave no row but are recorded as via, and in the path") {
  const run::RunState& run = run_to_end(R"(
name: routes
inputs: {amount: int}
states:
  a: {task: act, next: big}
  big:
    route:
      - {when: inputs.amount > 10, to: bigger}
      - {to: small}
  bigger: {route: [{when: inputs.amount > 100, to: huge}, {to: b}]}
  b: {task: act, next: small}
  huge: {exit: success}
  small: {exit: success}
)",
                                        {{"amount", 50}});
  CHECK(rows()[3] == R"(state_entered {"state":"b","via":["big","bigger"],"visit":1})");
  CHECK(run::to_json(run, run.status)["path"] == Json{"a", "big", "bigger", "b", "small"});
}

TEST_CASE_FIXTURE(Fixture, "set reads only old values, and next sees the new ones and the state's own output") {
  Harness::acts["a"] = gives({{"n", 7}});
  const run::RunState& run = run_to_end(R"(
name: sets
vars: {x: 1, y: 2, seen: null}
states:
  a:
    task: act
    set: {x: "${{ vars.y }}", y: "${{ vars.x }}", seen: "${{ output.n }}"}
    next: [{when: vars.x == 2 && states.a.output.n == 7 && states.a.visits == 1, to: good}, {to: bad}]
  good: {exit: success, output: "${{ vars }}"}
  bad: {exit: failure}
)");
  CHECK(run.state == "good");
  CHECK(run.output == Json{{"seen", 7}, {"x", 2}, {"y", 1}});
  CHECK(run.vars == run.output);
  CHECK(rows()[2] ==
        R"(state_ended {"attempts":1,"output":{"n":7},"set":{"seen":7,"x":2,"y":1},"state":"a","visit":1})");
}

TEST_CASE_FIXTURE(Fixture, "a variable that holds a double stays one when it is given an int") {
  const run::RunState& run = run_to_end(R"(
name: sets
inputs: {price: double}
vars: {a: 0.5, b: "${{ inputs.price }}"}
states:
  a: {task: act, with: {value: 3}, set: {a: "${{ output }}", b: 4}, next: done}
  done: {exit: success, output: ["${{ vars.a / 2.0 }}", "${{ type(vars.b) == double }}"]}
)",
                                        {{"price", 1.5}});
  CHECK(run.vars.dump() == R"({"a":3.0,"b":4.0})");
  CHECK(run.output == Json{1.5, true});
}

TEST_CASE_FIXTURE(Fixture, "a value that does not fit the variable fails the state, and nothing is set") {
  Harness::acts["a"] = gives("text");
  const run::RunState& run = run_to_end(R"(
name: sets
vars: {n: 1}
states:
  a: {task: act, set: {n: "${{ output }}"}, next: done}
  done: {exit: success}
)");
  CHECK(run.status == store::Status::kFailed);
  CHECK(run.error == Json{{"attempts", 1},
                          {"kind", "expression"},
                          {"message", "set.n: the variable holds int, not string"},
                          {"state", "a"}});
  CHECK(run.vars == Json{{"n", 1}});
}

TEST_CASE_FIXTURE(Fixture, "on_error chooses by the error, and its target sees it until the state succeeds") {
  Harness::acts["a"] = fails("http_status", "HTTP 503");
  const run::RunState& run = run_to_end(R"(
name: errors
states:
  a:
    task: act
    next: done
    on_error:
      - {when: error.kind == 'exit', to: done}
      - {when: "error.kind == 'http_status' && error.attempts == 1", to: later}
  later: {task: act, with: {value: "${{ states.a.error.message }}"}, next: done}
  done: {exit: success, output: "${{ states.later.output }}"}
)");
  CHECK(run.status == store::Status::kSucceeded);
  CHECK(run.output == "HTTP 503");
  CHECK(run.error.is_null());
  CHECK(process.recorder.has("lost a http_status: HTTP 503 -> later"));
}

TEST_CASE_FIXTURE(Fixture, "without a rule that holds the run fails with the state's error") {
  Harness::acts["a"] = fails("exit", "exit code 3");
  const run::RunState& run = run_to_end(R"(
name: errors
states:
  a: {task: act, next: done, on_error: [{when: error.kind == 'timeout', to: done}]}
  done: {exit: success}
)");
  CHECK(run.status == store::Status::kFailed);
  CHECK(!run.is_over());
  CHECK(
      rows()[2] ==
      R"(state_ended {"attempts":1,"error":{"attempts":1,"kind":"exit","message":"exit code 3","state":"a"},"state":"a","visit":1})");
  CHECK(
      rows()[3] ==
      R"(run_ended {"error":{"attempts":1,"kind":"exit","message":"exit code 3","state":"a"},"state":"a","status":"failed"})");
}

TEST_CASE_FIXTURE(Fixture, "an error in next comes after success and fails the state; on_error is asked") {
  Harness::acts["a"] = gives({{"n", 1}});
  const run::RunState& run = run_to_end(R"(
name: errors
states:
  a: {task: act, next: [{when: output.m > 0, to: done}, {to: done}], on_error: caught}
  caught: {exit: failure, output: "${{ states.a.error.kind }}"}
  done: {exit: success}
)");
  CHECK(run.state == "caught");
  CHECK(run.output == "expression");
  CHECK(run.is_over());
  CHECK(run.status == store::Status::kFailed);
}

TEST_CASE_FIXTURE(Fixture, "rules of which none holds are an error of their own") {
  const run::RunState& run = run_to_end(R"(
name: errors
vars: {n: 1}
states:
  a: {task: act, next: [{when: vars.n > 5, to: done}]}
  done: {exit: success}
)");
  CHECK(run.error["kind"] == "no_transition");
  CHECK(run.error["message"] == "next: no rule holds, so there is no next state");
}

TEST_CASE_FIXTURE(Fixture, "an endless loop ends at max_transitions, also one of routes alone") {
  const run::RunState& run = run_to_end(R"(
name: ring
max_transitions: 10
states:
  a: {task: act, next: b}
  b: {task: act, next: [{when: states.b.visits > 1000, to: done}, {to: a}], on_error: done}
  done: {exit: success}
)");
  CHECK(run.error["kind"] == "max_transitions");
  CHECK(run.path.size() == 10);
  CHECK(run.find("a")->visits == 5);

  Harness other{store};
  other.start(flow_of(R"(
name: routes
max_transitions: 50
vars: {n: 1}
states:
  a: {task: act, next: r}
  r: {route: [{when: vars.n > 1, to: done}, {to: s}]}
  s: {route: [{to: r}]}
  done: {exit: success}
)"),
              Json::object(), "r2");
  other.until_done();
  CHECK(other.finished->run.error["kind"] == "max_transitions");
}

TEST_CASE_FIXTURE(Fixture, "an idempotency key belongs to one visit: the same for its attempts, another for the next") {
  std::vector<std::string> keys;
  Harness::acts["a"] = [&](model::TaskContext& context, Json params) -> boost::asio::awaitable<model::Outcome> {
    keys.push_back(context.idempotency_key());
    CHECK(params["text"] == context.idempotency_key());
    if (context.attempt() == 1) co_return model::failure("exit", "again");
    co_return model::Success{nullptr};
  };
  run_to_end(R"(
name: keys
states:
  a:
    task: act
    with: {text: "${{ action.idempotency_key }}"}
    retry: {max: 1, delay: 0s}
    next: [{when: states.a.visits < 2, to: a}, {to: done}]
  done: {exit: success}
)");
  REQUIRE(keys.size() == 4);
  CHECK(keys[0] == keys[1]);
  CHECK(keys[2] == keys[3]);
  CHECK(keys[0] != keys[2]);
}

TEST_CASE_FIXTURE(Fixture,
                  "env and vars are evaluated once; a fault in them refuses the run before anything is written") {
  process.start(flow_of(R"(
name: early
inputs: {who: any}
vars: {n: "${{ inputs.who.name }}"}
states:
  a: {task: act, next: done}
  done: {exit: success}
)"),
                {{"who", 3}});
  process.until_done();
  REQUIRE(process.finished->refused);
  CHECK(process.finished->refused->message.starts_with("vars.n: "));
  CHECK(store.list({})->empty());
}

TEST_CASE_FIXTURE(Fixture, "what work keeps is there for its attempts, and goes when the state's success is recorded") {
  std::vector<std::string> kept;
  bool there_at_success = false;
  bool there_afterwards = true;
  Harness::acts["a"] = [&](model::TaskContext& context, Json) -> boost::asio::awaitable<model::Outcome> {
    kept.push_back(*context.kept_file());
    there_at_success = std::filesystem::exists(kept.back());
    write_file(kept.back(), "begun");
    if (kept.size() == 1) co_return model::failure(model::kind::kTask, "no");
    co_return model::Success{1};
  };
  Harness::acts["b"] = [&](model::TaskContext&, Json) -> boost::asio::awaitable<model::Outcome> {
    there_afterwards = std::filesystem::exists(kept.back());
    co_return model::Success{2};
  };
  run_to_end(R"(
name: keeper
states:
  a: {task: act, retry: {max: 1, delay: 0ms}, next: b}
  b: {task: act, next: done}
  done: {exit: success}
)");
  CHECK(kept.size() == 2);
  CHECK(kept[0] == kept[1]);
  CHECK(there_at_success);
  CHECK_FALSE(there_afterwards);
}

TEST_CASE_FIXTURE(Fixture, "what work keeps stays when its state fails, also after the work's success") {
  std::vector<std::string> kept;
  const auto keeps = [&](model::Outcome outcome) {
    return [&kept, outcome](model::TaskContext& context, Json) -> boost::asio::awaitable<model::Outcome> {
      kept.push_back(*context.kept_file());
      write_file(kept.back(), "begun");
      co_return outcome;
    };
  };
  Harness::acts["a"] = keeps(model::failure(model::kind::kTask, "no"));
  Harness::acts["b"] = keeps(model::Success{1});
  std::size_t there = 0;
  Harness::acts["c"] = [&](model::TaskContext&, Json) -> boost::asio::awaitable<model::Outcome> {
    for (const std::string& path : kept) there += std::filesystem::exists(path) ? 1 : 0;
    co_return model::Success{2};
  };
  run_to_end(R"(
name: keeper
states:
  a: {task: act, next: done, on_error: b}
  b: {task: act, next: [{when: output.m > 0, to: done}, {to: done}], on_error: c}
  c: {task: act, next: done}
  done: {exit: success}
)");
  CHECK(there == 2);
  CHECK(kept[0] != kept[1]);
}

TEST_CASE_FIXTURE(Fixture, "an id that is taken is refused and the first run is untouched") {
  run_to_end(kTwo);
  const auto before = rows();
  Harness second{store};
  second.start(flow_of(kTwo));
  second.until_done();
  REQUIRE(second.finished->store_error);
  CHECK(second.finished->store_error->kind == store::StoreErrorKind::kRunExists);
  CHECK(second.finished->run.rows == 0);
  CHECK(rows() == before);
}
