// Rolling back: what is owed, when, and in which order it is undone.
#include "engine/run/saga.h"

#include "engine/base/ids.h"
#include "harness.h"

using namespace canorun;
using namespace canorun::test;
using namespace std::chrono_literals;

namespace {

using Strings = std::vector<std::string>;

// Three steps, of which the last fails unless a test says otherwise.
const std::string kThree = R"(
name: three
states:
  a: {task: act, compensate: {task: act, with: {value: "${{ output }}"}}, next: b}
  b: {task: act, compensate: {task: act, with: {value: "${{ output }}"}, retry: {max: 1, delay: 1s, jitter: 0}}, next: c}
  c: {task: act, next: done}
  done: {exit: success}
)";

// What was undone, in its order: `b 1 <- 2` is the first visit of b, whose output was 2.
struct Saga : Fixture {
  Strings undone;
  Saga() {
    Harness::acts["a"] = gives(1);
    Harness::acts["b"] = gives(2);
    Harness::acts["c"] = fails("exit", "exit code 3");
    for (const char* state : {"a", "b", "c"}) Harness::acts[std::string(state) + "/compensate"] = undoes();
  }
  Act undoes() {
    return [this](model::TaskContext& context, Json params) -> boost::asio::awaitable<model::Outcome> {
      undone.push_back(fmt::format("{} {} <- {}", work_name(context.state(), context.part()), context.visit(),
                                   params.contains("value") ? to_json_text(params["value"]) : ""));
      co_return model::Success{nullptr};
    };
  }
  const run::RunState& again(const std::string& yaml) {
    last.emplace(store);
    last->resume(flow_of(yaml));
    last->until_done();
    return last->finished->run;
  }
  std::optional<Harness> last;

  std::string compensations(const run::RunState& run) {
    std::string text;
    const Json shown = run::to_json(run, run.status);
    for (const Json& one : shown["compensations"]) {
      text += fmt::format("{}{}{} {}", text.empty() ? "" : ", ", one["state"].get<std::string>(),
                          one.contains("part") ? "/" + to_text(one["part"]) : "", one["status"].get<std::string>());
    }
    return text;
  }
};

std::string replaced_once(std::string text, const std::string& from, const std::string& to) {
  return text.replace(text.find(from), from.size(), to);
}

}  // namespace

TEST_CASE_FIXTURE(Saga, "a failure undoes what succeeded, the last first") {
  const run::RunState& run = run_to_end(kThree);
  CHECK(run.status == store::Status::kRolledBack);
  CHECK(run.error == Json{{"kind", "exit"}, {"message", "exit code 3"}, {"state", "c"}, {"attempts", 1}});
  CHECK(undone == Strings{"b/compensate 1 <- 2", "a/compensate 1 <- 1"});
  CHECK(compensations(run) == "b done, a done");
  CHECK(run.is_over());
  CHECK(rows() == Strings{R"(run_started {"inputs":{},"vars":{}})", R"(state_entered {"state":"a","visit":1})",
                          R"(state_ended {"attempts":1,"output":1,"owed":true,"state":"a","visit":1})",
                          R"(state_entered {"state":"b","visit":1})",
                          R"(state_ended {"attempts":1,"output":2,"owed":true,"state":"b","visit":1})",
                          R"(state_entered {"state":"c","visit":1})",
                          R"(state_ended {"attempts":1,"error":{"attempts":1,"kind":"exit","message":"exit code 3",)"
                          R"("state":"c"},"state":"c","visit":1})",
                          R"(rollback_started {"error":{"attempts":1,"kind":"exit","message":"exit code 3",)"
                          R"("state":"c"},"state":"c","status":"rolled_back"})",
                          R"(compensation_ended {"attempts":1,"state":"b","visit":1})",
                          R"(compensation_ended {"attempts":1,"state":"a","visit":1})",
                          R"(run_ended {"error":{"attempts":1,"kind":"exit","message":"exit code 3","state":"c"},)"
                          R"("state":"c","status":"rolled_back"})"});
  CHECK(process.recorder.has("rollback of 2 after exit"));
  CHECK(process.recorder.has("undid b/compensate 1"));
}

TEST_CASE_FIXTURE(Saga, "a success undoes nothing, and a failure that is handled does not either") {
  Harness::acts["c"] = gives(3);
  CHECK(run_to_end(kThree).status == store::Status::kSucceeded);
  CHECK(undone.empty());
}

TEST_CASE_FIXTURE(Saga, "every compensation is tried, whatever the others do; resume tries the rest again") {
  Harness::acts["b/compensate"] = fails("exit", "exit code 9");
  process.start(flow_of(kThree));
  until_line("failed b/compensate 1 exit retry 1000");
  process.clock.advance(1s);
  process.until_done();
  const run::RunState& run = process.finished->run;
  CHECK(run.status == store::Status::kRollbackIncomplete);
  CHECK(run.error["message"] == "exit code 3");
  CHECK(compensations(run) == "b failed, a done");
  CHECK(undone == Strings{"a/compensate 1 <- 1"});
  CHECK(!run.is_over());

  undone.clear();
  Harness::acts["b/compensate"] = undoes();
  const run::RunState& resumed = again(kThree);
  CHECK(resumed.status == store::Status::kRolledBack);
  CHECK(undone == Strings{"b/compensate 1 <- 2"});  // nothing else is done again
  CHECK(compensations(resumed) == "b done, a done");
  CHECK(resumed.error["message"] == "exit code 3");
}

TEST_CASE_FIXTURE(Saga, "exit: rollback undoes, and keeps its output; exit: failure does not") {
  const auto ending = [](const char* kind) {
    return fmt::format(
        "name: f\nstates:\n  a: {{task: act, compensate: {{task: act}}, next: x}}\n"
        "  x: {{exit: {}, output: 5}}\n",
        kind);
  };
  const run::RunState rolled = run_to_end(ending("rollback"));
  CHECK(rolled.status == store::Status::kRolledBack);
  CHECK(rolled.state == "x");
  CHECK(rolled.output == 5);
  CHECK(rolled.error.is_null());
  CHECK(undone == Strings{"a/compensate 1 <- "});

  undone.clear();
  Harness other(store);
  other.start(flow_of(ending("failure")), Json::object(), "r2");
  other.until_done();
  CHECK(other.finished->run.status == store::Status::kFailed);
  CHECK(undone.empty());
  CHECK(other.finished->run.still_owed() == 1);
}

TEST_CASE_FIXTURE(Saga, "exit: rollback with nothing to undo ends rolled back") {
  CHECK(run_to_end("name: f\nstates:\n  a: {task: act, next: x}\n  x: {exit: rollback}\n").status ==
        store::Status::kRolledBack);
  CHECK(rows().back() == R"(run_ended {"state":"x","status":"rolled_back"})");
}

TEST_CASE_FIXTURE(Saga, "each visit of a loop is undone with its own output") {
  int count = 0;
  Harness::acts["a"] = [&](model::TaskContext&, Json) -> boost::asio::awaitable<model::Outcome> {
    co_return model::Success{++count};
  };
  run_to_end(R"(
name: loop
vars: {n: 0}
states:
  a:
    task: act
    compensate: {task: act, with: {value: "${{ output }}"}}
    set: {n: "${{ vars.n + 1 }}"}
    next: [{when: vars.n < 3, to: a}, {to: c}]
  c: {task: act, next: done}
  done: {exit: success}
)");
  CHECK(undone == Strings{"a/compensate 3 <- 3", "a/compensate 2 <- 2", "a/compensate 1 <- 1"});
}

TEST_CASE_FIXTURE(Saga, "with after: start it is owed although the action failed, without an output") {
  Harness::acts["a"] = fails("timeout");
  const auto yaml =
      "name: f\nstates:\n  a: {task: act, compensate: {task: act, after: start, with: {value: '${{ "
      "output }}'}}, next: c}\n  c: {task: act, next: done}\n  done: {exit: success}\n";
  CHECK(run_to_end(yaml).status == store::Status::kRolledBack);
  CHECK(undone == Strings{"a/compensate 1 <- null"});
  undone.clear();
  Harness::acts["a"] = gives(8);
  Harness other(store);
  other.start(flow_of(yaml), Json::object(), "r2");
  other.until_done();
  CHECK(undone == Strings{"a/compensate 1 <- 8"});
}

TEST_CASE_FIXTURE(Saga, "an error of set or next comes after the success: what it gave is undone") {
  run_to_end(R"(
name: f
vars: {n: 0}
states:
  a: {task: act, compensate: {task: act, with: {value: "${{ output }}"}}, set: {n: "${{ 1 / (vars.n * 0) }}"}, next: done}
  done: {exit: success}
)");
  CHECK(undone == Strings{"a/compensate 1 <- 1"});
  CHECK(process.finished->run.find("a")->output.is_null());
}

TEST_CASE_FIXTURE(Saga, "branches and items are undone one by one, those that succeeded") {
  Harness::acts["s/eu"] = gives("eu");
  Harness::acts["s/us"] = fails("exit");
  Harness::acts["m/0"] = gives("zero");
  Harness::acts["m/1"] = fails("exit");
  Harness::acts["m/2"] = gives("two");
  for (const char* part :
       {"s/compensate:eu", "s/compensate:us", "m/compensate:0", "m/compensate:1", "m/compensate:2"}) {
    Harness::acts[part] = undoes();
  }
  run_to_end(R"(
name: f
states:
  s:
    split:
      branches:
        eu: {task: act, compensate: {task: act, with: {value: "${{ output }}"}}}
        us: {task: act, compensate: {task: act, with: {value: "${{ output }}"}}}
      join: any
    next: m
  m:
    batch:
      items: "['x', 'y', 'z']"
      as: it
      do: {task: act, compensate: {task: act, with: {value: "${{ [output, it, string(index)] }}"}}}
    next: done
  done: {exit: success}
)");
  CHECK(undone == Strings{R"(m/compensate:2 1 <- ["two","z","2"])", R"(m/compensate:0 1 <- ["zero","x","0"])",
                          R"(s/compensate:eu 1 <- "eu")"});
  CHECK(compensations(process.finished->run) == "m/2 done, m/0 done, s/eu done");
}

TEST_CASE_FIXTURE(Saga, "a part with after: start begins only when that is kept") {
  Harness::acts["m/0"] = fails("exit");
  Harness::acts["m/1"] = gives(1);
  for (const char* part : {"m/compensate:0", "m/compensate:1"}) Harness::acts[part] = undoes();
  run_to_end(R"(
name: f
states:
  m:
    batch:
      items: "['x', 'y']"
      do: {task: act, compensate: {task: act, after: start, with: {value: "${{ [output, item] }}"}}}
    next: done
  done: {exit: success}
)");
  CHECK(undone == Strings{R"(m/compensate:1 1 <- [1,"y"])", R"(m/compensate:0 1 <- [null,"x"])"});
  const Strings all = rows();
  CHECK(std::ranges::count(all, R"(part_began {"part":0,"state":"m","visit":1})") == 1);
}

TEST_CASE_FIXTURE(Saga, "a branch that is let finish is not forgotten by a join that is decided without it") {
  const std::string yaml = R"(
name: f
states:
  s:
    split:
      branches:
        x: {task: act}
        y: {task: act, compensate: {task: act, with: {value: "${{ output }}"}}}
      join: any
    next: c
  c: {task: act, next: done}
  done: {exit: success}
)";
  Harness::acts["c"] = fails("exit");
  Harness::acts["s/x"] = after(0ms, gives("first"));
  Harness::acts["s/y"] = hangs();
  Harness::acts["s/compensate:y"] = undoes();
  const auto reaches_y = [](Harness& one) {
    one.until([&] { return one.recorder.has("attempt s/y 1/1"); });
    int turns = 0;
    one.until([&] { return ++turns > 20; });
  };
  {
    Harness dies(store);
    dies.start(flow_of(yaml));
    reaches_y(dies);
  }
  REQUIRE(store.release(1));
  {
    Harness suspended(store);
    suspended.resume(flow_of(yaml));
    reaches_y(suspended);
    suspended.interrupt.raise(run::Reason::kSuspend, "SIGTERM");
    suspended.until_done();
    CHECK(suspended.finished->run.status == store::Status::kSuspended);
  }
  Harness::acts["s/y"] = gives("done");
  CHECK(again(yaml).status == store::Status::kRolledBack);
  CHECK(undone == Strings{R"(s/compensate:y 1 <- "done")"});
}

TEST_CASE_FIXTURE(Saga, "what may have been begun is begun again, though another decides the join at once") {
  const std::string yaml = R"(
name: f
states:
  s:
    split:
      branches:
        x: {task: act}
        y: {task: act, compensate: {task: act, with: {value: "${{ output }}"}}}
        z: {task: act, compensate: {task: act}}
      join: any
      bulkhead: 2
    next: c
  c: {task: act, next: done}
  done: {exit: success}
)";
  Harness::acts["c"] = fails("exit");
  Harness::acts["s"] = hangs();
  {
    Harness dies(store);
    dies.start(flow_of(yaml));
    dies.until([&] { return dies.recorder.has("attempt s/y 1/1"); });
  }
  REQUIRE(store.release(1));
  Harness::acts["s/x"] = gives("first");
  Harness::acts["s/y"] = gives("done");
  Harness::acts["s/compensate:y"] = undoes();
  CHECK(again(yaml).status == store::Status::kRolledBack);
  CHECK(undone == Strings{R"(s/compensate:y 1 <- "done")"});
  CHECK(!last->recorder.has("attempt s/z 1/1"));  // it cannot have been
}

TEST_CASE_FIXTURE(Saga, "nothing is begun once there is enough") {
  Harness::acts["s/y"] = hangs();
  run_to_end(R"(
name: f
states:
  s:
    split:
      branches:
        x: {task: act}
        y: {task: act, compensate: {task: act}}
      join: any
      bulkhead: 1
    next: done
  done: {exit: success}
)");
  CHECK(!process.recorder.has("attempt s/y 1/1"));
}

TEST_CASE_FIXTURE(Saga, "its key is its own, and it knows that of what it undoes") {
  Strings keys;
  Harness::acts["a"] = [&](model::TaskContext& context, Json) -> boost::asio::awaitable<model::Outcome> {
    keys.push_back(context.idempotency_key());
    keys.push_back(context.compensates());
    co_return model::Success{1};
  };
  Harness::acts["a/compensate"] = [&](model::TaskContext& context,
                                      Json params) -> boost::asio::awaitable<model::Outcome> {
    keys.push_back(context.compensates());
    keys.push_back(params["value"]);
    keys.push_back(context.idempotency_key());
    co_return model::Success{1};
  };
  run_to_end(
      "name: f\nstates:\n  a: {task: act, compensate: {task: act, with: {value: '${{ action.idempotency_key "
      "}}'}}, next: x}\n  x: {exit: rollback}\n");
  REQUIRE(keys.size() == 5);
  CHECK(keys[1].empty());
  CHECK(keys[2] == keys[0]);
  CHECK(keys[3] == keys[0]);
  CHECK(keys[4] != keys[0]);
}

TEST_CASE_FIXTURE(Saga, "a cancellation lets what is to be undone after its success finish, then undoes it") {
  bool end = false;
  Harness::acts["b"] = [&](model::TaskContext& context, Json) -> boost::asio::awaitable<model::Outcome> {
    boost::asio::steady_timer timer(context.executor());
    while (!end) {
      timer.expires_after(1ms);
      co_await timer.async_wait(boost::asio::use_awaitable);
    }
    co_return model::Success{2};
  };
  process.start(flow_of(kThree));
  until_line("attempt b 1/1");
  process.interrupt.raise(run::Reason::kCancel, "by a person");
  turn();
  CHECK(!process.finished);
  end = true;
  process.until_done();
  const run::RunState& run = process.finished->run;
  CHECK(run.status == store::Status::kCancelled);
  CHECK(run.error["message"] == "by a person");
  CHECK(undone == Strings{"b/compensate 1 <- 2", "a/compensate 1 <- 1"});
  CHECK(run.is_over());
}

TEST_CASE_FIXTURE(Saga, "a cancellation cuts off what is not undone, and what is owed from its start") {
  Harness::acts["c"] = hangs();
  process.start(flow_of(kThree));
  until_line("attempt c 1/1");
  process.interrupt.raise(run::Reason::kCancel, "by a person");
  process.until_done();
  CHECK(process.finished->run.status == store::Status::kCancelled);
  CHECK(undone == Strings{"b/compensate 1 <- 2", "a/compensate 1 <- 1"});

  undone.clear();
  Harness::acts["a"] = hangs();
  Harness other(store);
  other.start(flow_of("name: f\nstates:\n  a: {task: act, compensate: {task: act, after: start}, next: done}\n  done: "
                      "{exit: success}\n"),
              Json::object(), "r2");
  other.until([&] { return other.recorder.has("attempt a 1/1"); });
  other.interrupt.raise(run::Reason::kCancel, "by a person");
  other.until_done();
  CHECK(other.finished->run.status == store::Status::kCancelled);
  CHECK(undone == Strings{"a/compensate 1 <- "});
}

TEST_CASE_FIXTURE(Saga, "the attempt that is let finish keeps its own timeout") {
  Harness::acts["a"] = hangs();
  process.start(
      flow_of("name: f\nstates:\n  a: {task: act, timeout: 5s, compensate: {task: act}, next: done}\n  done: "
              "{exit: success}\n"));
  until_line("attempt a 1/1");
  process.interrupt.raise(run::Reason::kCancel, "by a person");
  turn();
  CHECK(!process.finished);
  process.clock.advance(5s);
  process.until_done();
  CHECK(process.finished->run.status == store::Status::kCancelled);
  CHECK(undone.empty());
}

TEST_CASE_FIXTURE(Saga, "a suspension ends it, nothing is undone, and the run can be resumed") {
  Harness::acts["b"] = hangs();
  process.start(flow_of(kThree));
  until_line("attempt b 1/1");
  process.interrupt.raise(run::Reason::kSuspend, "SIGTERM");
  process.until_done();
  CHECK(process.finished->run.status == store::Status::kSuspended);
  CHECK(undone.empty());
  Harness::acts["b"] = gives(2);
  CHECK(again(kThree).status == store::Status::kRolledBack);
  CHECK(undone == Strings{"b/compensate 1 <- 2", "a/compensate 1 <- 1"});
}

TEST_CASE_FIXTURE(Saga, "a spent budget undoes within half of it") {
  Harness::acts["c"] = hangs();
  Harness::acts["a/compensate"] = hangs();
  process.start(flow_of("timeout: 1m\n" + kThree.substr(1)));
  until_line("attempt c 1/1");
  process.clock.advance(1min);
  until_line("attempt a/compensate 1/1");
  process.clock.advance(29s);
  turn();
  CHECK(!process.finished);
  process.clock.advance(1s);
  process.until_done();
  const run::RunState& run = process.finished->run;
  CHECK(run.status == store::Status::kRollbackIncomplete);
  CHECK(run.error["kind"] == "run_timeout");
  CHECK(compensations(run) == "b done, a pending");
}

TEST_CASE("the budget of a rollback") {
  model::Flow flow;
  const Json spent{{"kind", "run_timeout"}};
  const Json failed{{"kind", "exit"}};
  CHECK(run::rollback_budget(flow, failed) == std::nullopt);
  flow.timeout = 10s;
  CHECK(run::rollback_budget(flow, failed) == std::nullopt);
  CHECK(run::rollback_budget(flow, spent) == 5s);
  flow.timeout = 10min;
  CHECK(run::rollback_budget(flow, spent) == 30s);
  flow.compensation_timeout = 3min;
  CHECK(run::rollback_budget(flow, spent) == 3min);
  CHECK(run::rollback_budget(flow, failed) == 3min);
}

TEST_CASE_FIXTURE(Saga, "a rollback is suspended by SIGTERM, and goes on; Ctrl-C changes nothing of it") {
  Harness::acts["a/compensate"] = hangs();
  process.start(flow_of(kThree));
  until_line("attempt a/compensate 1/1");
  process.interrupt.raise(run::Reason::kCancel, "interrupted (SIGINT)");
  turn();
  CHECK(!process.finished);
  process.interrupt.raise(run::Reason::kSuspend, "SIGTERM");
  process.until_done();
  CHECK(process.finished->run.status == store::Status::kSuspended);
  CHECK(undone == Strings{"b/compensate 1 <- 2"});
  undone.clear();
  Harness::acts["a/compensate"] = undoes();
  CHECK(again(kThree).status == store::Status::kRolledBack);
  CHECK(undone == Strings{"a/compensate 1 <- 1"});
  CHECK(last->recorder.has("rollback of 1 after exit"));
}

TEST_CASE_FIXTURE(Saga, "a run that nobody works on is undone by who cancels it") {
  Harness::acts["c"] = hangs();
  process.start(flow_of(kThree));
  until_line("attempt c 1/1");
  process.interrupt.raise(run::Reason::kSuspend, "SIGTERM");
  process.until_done();
  Harness other(store);
  other.cancel("r1", "by a person", flow_of(kThree));
  other.until_done();
  CHECK(other.finished->run.status == store::Status::kCancelled);
  CHECK(undone == Strings{"b/compensate 1 <- 2", "a/compensate 1 <- 1"});
}

TEST_CASE_FIXTURE(Saga, "what the flow cannot undo any more is told, and stays owed") {
  Harness::acts["a/compensate"] = fails("exit");
  run_to_end(kThree);
  std::string without = kThree;
  const std::string first = ", compensate: {task: act, with: {value: \"${{ output }}\"}}, next: b";
  without.replace(without.find(first), first.size(), ", next: b");
  const run::RunState& run = again(without);
  CHECK(run.status == store::Status::kRollbackIncomplete);
  CHECK(run.owed.front().error["message"] == "the flow has nothing that undoes 'a' any more");
}

TEST_CASE_FIXTURE(Saga, "a run that nobody works on has its services while it is undone") {
  const std::string yaml = kThree + "resources: {services: {db: {setup: {task: act}, teardown: {task: act}}}}\n";
  Strings order;
  const auto notes = [&](const std::string& what) -> Act {
    return [&order, what](model::TaskContext&, Json) -> boost::asio::awaitable<model::Outcome> {
      order.push_back(what);
      co_return model::Success{1};
    };
  };
  Harness::acts["services.db.setup"] = notes("up");
  Harness::acts["services.db.teardown"] = notes("down");
  Harness::acts["a/compensate"] = notes("undo a");
  Harness::acts["b/compensate"] = notes("undo b");
  Harness::acts["c"] = hangs();
  process.start(flow_of(yaml));
  until_line("attempt c 1/1");
  process.interrupt.raise(run::Reason::kSuspend, "SIGTERM");
  process.until_done();
  order.clear();
  Harness other(store);
  other.cancel("r1", "by a person", flow_of(yaml));
  other.until_done();
  CHECK(other.finished->run.status == store::Status::kCancelled);
  CHECK(order == Strings{"up", "undo b", "undo a", "down"});
}

TEST_CASE_FIXTURE(Saga, "SIGTERM is heard by what a cancellation lets finish: the run is suspended where it is") {
  Harness::acts["b"] = hangs();
  process.start(flow_of(kThree));
  until_line("attempt b 1/1");
  process.interrupt.raise(run::Reason::kCancel, "interrupted (SIGINT)");
  turn();
  process.interrupt.raise(run::Reason::kSuspend, "SIGTERM");
  process.until_done();
  CHECK(process.finished->run.status == store::Status::kSuspended);
  CHECK(undone.empty());
  Harness::acts["b"] = gives(2);
  CHECK(again(kThree).status == store::Status::kRolledBack);
  CHECK(undone == Strings{"b/compensate 1 <- 2", "a/compensate 1 <- 1"});
}

TEST_CASE_FIXTURE(Saga, "an environment that cannot be evaluated begins no rollback") {
  const std::string yaml = kThree + "inputs: {n: int}\nenv: {N: \"${{ 6 / (inputs.n - 1) }}\"}\n";
  Harness::acts["c"] = hangs();
  process.start(flow_of(yaml), {{"n", 2}});
  until_line("attempt c 1/1");
  process.interrupt.raise(run::Reason::kSuspend, "SIGTERM");
  process.until_done();
  const Strings before = rows();
  last.emplace(store);
  last->resume(flow_of(replaced_once(yaml, "inputs.n - 1", "inputs.n - 2")));
  last->until_done();
  REQUIRE(last->finished->refused);
  CHECK(last->finished->refused->message.find("env.N") != std::string::npos);
  CHECK(rows() == before);
  CHECK(undone.empty());
}

TEST_CASE_FIXTURE(Saga, "a state that ended as the budget was spent is not done again after a resume") {
  int done = 0;
  Harness::acts["a"] = [&](model::TaskContext&, Json) -> boost::asio::awaitable<model::Outcome> {
    ++done;
    process.clock.advance(1min);
    process.interrupt.raise(run::Reason::kRunTimeout);
    co_return model::Success{1};
  };
  Harness::acts["b"] = gives(2);
  const auto yaml =
      "name: f\ntimeout: 1m\nstates:\n  a: {task: act, next: b}\n  b: {task: act, next: done}\n  done: {exit: "
      "success}\n";
  CHECK(run_to_end(yaml).status == store::Status::kFailed);
  CHECK(process.finished->run.error["kind"] == "run_timeout");
  CHECK(again(yaml).status == store::Status::kSucceeded);
  CHECK(done == 1);
}
