// What is done beside the states: services around them, and `on_end` after the outcome.
#include "engine/run/aside.h"

#include "harness.h"

using namespace canorun;
using namespace canorun::test;
using namespace std::chrono_literals;

namespace {

using Strings = std::vector<std::string>;

// Its work is in `a`, and what is beside it is done by `act` too.
const std::string kFlow = R"(
name: around
timeout: 1h
resources:
  services:
    db: {setup: {task: act}, teardown: {task: act}}
    web: {setup: {task: act}, teardown: {task: act}}
on_end:
  - {task: act, with: {value: ["${{ run.status }}", "${{ run.error }}"]}}
  - {when: run.status == 'failed', task: act}
states:
  a: {task: act, next: done}
  done: {exit: success, output: "${{ states.a.output }}"}
)";

// What began, in its order.
Strings began(const Harness& process) {
  Strings lines;
  for (const std::string& line : process.recorder.lines) {
    if (line.starts_with("enter ")) lines.push_back(line.substr(6, line.rfind(' ') - 6));
  }
  return lines;
}

// The fixture's acts, with what `on_end.1` is told kept.
struct Around : Fixture {
  Json told;
  Strings keys;
  Around() {
    for (const char* name :
         {"services.db.setup", "services.db.teardown", "services.web.setup", "services.web.teardown", "on_end.2"}) {
      Harness::acts[name] = gives(nullptr);
    }
    Harness::acts["a"] = gives("well");
    Harness::acts["on_end.1"] = end();
  }
  Act end() {
    return [this](model::TaskContext& context, Json params) -> boost::asio::awaitable<model::Outcome> {
      told = params["value"];
      keys.push_back(context.idempotency_key());
      co_return model::Success{nullptr};
    };
  }
  // As it would be for a process that was killed now.
  void die() { REQUIRE(store.release(1)); }
};

}  // namespace

TEST_CASE_FIXTURE(Around, "services are set up in order, torn down in reverse, and on_end comes between") {
  const run::RunState& run = run_to_end(kFlow);
  CHECK(run.status == store::Status::kSucceeded);
  CHECK(run.output == "well");
  CHECK(began(process) == Strings{"services.db.setup", "services.web.setup", "a", "on_end.1", "services.web.teardown",
                                  "services.db.teardown"});
  CHECK(told == Json{"succeeded", nullptr});
  CHECK(rows() == Strings{R"(run_started {"inputs":{},"vars":{}})", R"(state_entered {"state":"a","visit":1})",
                          R"(state_ended {"attempts":1,"output":"well","state":"a","visit":1})",
                          R"(outcome_reached {"output":"well","state":"done","status":"succeeded"})",
                          R"(run_ended {"output":"well","state":"done","status":"succeeded"})"});
}

TEST_CASE_FIXTURE(Around, "a run that fails does the same, with its error in scope") {
  Harness::acts["a"] = fails("exit", "exit code 3");
  const run::RunState& run = run_to_end(kFlow);
  CHECK(run.status == store::Status::kFailed);
  CHECK(began(process) == Strings{"services.db.setup", "services.web.setup", "a", "on_end.1", "on_end.2",
                                  "services.web.teardown", "services.db.teardown"});
  CHECK(told == Json{"failed", {{"kind", "exit"}, {"message", "exit code 3"}, {"state", "a"}, {"attempts", 1}}});
}

TEST_CASE_FIXTURE(Around, "what fails at the end is told, and changes nothing") {
  for (const char* name : {"on_end.1", "services.web.teardown", "services.db.teardown"}) {
    Harness::acts[name] = fails("exit", "exit code 1");
  }
  CHECK(run_to_end(kFlow).status == store::Status::kSucceeded);
  for (const char* name : {"on_end.1", "services.web.teardown", "services.db.teardown"}) {
    CHECK(process.recorder.has(fmt::format("lost {} exit: exit code 1", name)));
  }
}

TEST_CASE_FIXTURE(Around, "a setup that fails fails the run, and tears down what was set up") {
  Harness::acts["services.web.setup"] = fails("exit", "exit code 7");
  const run::RunState& run = run_to_end(kFlow);
  CHECK(run.status == store::Status::kFailed);
  CHECK(run.error ==
        Json{{"kind", "exit"}, {"message", "exit code 7"}, {"state", "services.web.setup"}, {"attempts", 1}});
  CHECK(began(process) ==
        Strings{"services.db.setup", "services.web.setup", "on_end.1", "on_end.2", "services.db.teardown"});
  Harness::acts["services.web.setup"] = gives(nullptr);
  Harness second{store};
  second.resume(flow_of(kFlow));
  second.until_done();
  CHECK(second.finished->run.status == store::Status::kSucceeded);
  CHECK(began(second) == Strings{"services.db.setup", "services.web.setup", "a", "on_end.1", "services.web.teardown",
                                 "services.db.teardown"});
  // Another outcome is another piece of work.
  CHECK(keys.size() == 2);
  CHECK(keys[0] != keys[1]);
}

TEST_CASE_FIXTURE(Around, "a cancellation, and a spent budget, are outcomes like any other") {
  for (const auto reason : {run::Reason::kCancel, run::Reason::kRunTimeout}) {
    Around around;
    Harness::acts["a"] = hangs();
    around.process.start(flow_of(kFlow));
    around.until_line("attempt a 1/1");
    around.process.interrupt.raise(reason, "by hand");
    around.process.until_done();
    const bool cancelled = reason == run::Reason::kCancel;
    CHECK(around.process.finished->run.status == (cancelled ? store::Status::kCancelled : store::Status::kFailed));
    CHECK(around.told[0] == (cancelled ? "cancelled" : "failed"));
    CHECK(around.told[1]["kind"] == (cancelled ? "cancelled" : "run_timeout"));
    CHECK(began(around.process).back() == "services.db.teardown");
  }
}

TEST_CASE_FIXTURE(Around, "a suspension tears services down and does no on_end; a resume sets them up again") {
  Harness::acts["a"] = hangs();
  process.start(flow_of(kFlow));
  until_line("attempt a 1/1");
  process.interrupt.raise(run::Reason::kSuspend, "SIGTERM");
  process.until_done();
  CHECK(process.finished->run.status == store::Status::kSuspended);
  CHECK(began(process) ==
        Strings{"services.db.setup", "services.web.setup", "a", "services.web.teardown", "services.db.teardown"});
  CHECK(rows().back() == R"(run_suspended {"reason":"SIGTERM"})");
  Harness::acts["a"] = gives("well");
  Harness second{store};
  second.resume(flow_of(kFlow));
  second.until_done();
  CHECK(began(second) == Strings{"services.db.setup", "services.web.setup", "a", "on_end.1", "services.web.teardown",
                                 "services.db.teardown"});
}

TEST_CASE_FIXTURE(Around, "a teardown that takes too long is cut short when the machine goes down") {
  Harness::acts["a"] = hangs();
  Harness::acts["services.web.teardown"] = hangs();
  process.start(flow_of(kFlow));
  until_line("attempt a 1/1");
  process.interrupt.raise(run::Reason::kSuspend, "SIGTERM");
  until_line("attempt services.web.teardown 1/1");
  process.clock.advance(10s);
  process.until_done();
  CHECK(process.finished->run.status == store::Status::kSuspended);
}

TEST_CASE_FIXTURE(Around, "a setup is ended when the run is stopped, and may have left something to tear down") {
  Harness::acts["services.web.setup"] = hangs();
  process.start(flow_of(kFlow));
  until_line("attempt services.web.setup 1/1");
  process.interrupt.raise(run::Reason::kCancel, "by hand");
  process.until_done();
  CHECK(process.finished->run.status == store::Status::kCancelled);
  CHECK(began(process) == Strings{"services.db.setup", "services.web.setup", "on_end.1", "services.web.teardown",
                                  "services.db.teardown"});
}

TEST_CASE_FIXTURE(Around, "who dies between the outcome and its end leaves on_end to the next, with the same key") {
  Harness::acts["on_end.1"] = [this](model::TaskContext& context, Json) -> boost::asio::awaitable<model::Outcome> {
    keys.push_back(context.idempotency_key());
    const Json nothing;
    auto outcome = co_await hangs()(context, nothing);
    co_return outcome;
  };
  process.start(flow_of(kFlow));
  until_line("attempt on_end.1 1/1");
  die();
  Harness::acts["on_end.1"] = end();
  Harness second{store};
  second.resume(flow_of(kFlow));
  second.until_done();
  CHECK(second.finished->run.status == store::Status::kSucceeded);
  CHECK(second.finished->run.output == "well");
  CHECK(began(second) == Strings{"on_end.1", "services.web.teardown", "services.db.teardown"});
  CHECK(keys.size() == 2);
  CHECK(keys[0] == keys[1]);
  const Strings all = rows();
  CHECK(Strings(all.end() - 3, all.end()) ==
        Strings{R"(outcome_reached {"output":"well","state":"done","status":"succeeded"})",
                R"(run_resumed {"by_hand":false,"state":"done"})",
                R"(run_ended {"output":"well","state":"done","status":"succeeded"})"});
}

TEST_CASE_FIXTURE(Around, "the machine going down suspends on_end, and the outcome stands") {
  Harness::acts["on_end.1"] = hangs();
  process.start(flow_of(kFlow));
  until_line("attempt on_end.1 1/1");
  process.interrupt.raise(run::Reason::kSuspend, "SIGTERM");
  process.until_done();
  CHECK(process.finished->run.status == store::Status::kSuspended);
  Harness::acts["on_end.1"] = end();
  Harness second{store};
  second.resume(flow_of(kFlow));
  second.until_done();
  CHECK(second.finished->run.status == store::Status::kSucceeded);
  CHECK(began(second) == Strings{"on_end.1"});
  CHECK(told == Json{"succeeded", nullptr});
}

TEST_CASE_FIXTURE(Around, "the machine going down while the outcome is reached leaves on_end to the next") {
  Harness::acts["a"] = [this](model::TaskContext&, Json) -> boost::asio::awaitable<model::Outcome> {
    process.interrupt.raise(run::Reason::kSuspend, "SIGTERM");
    co_return model::Success{"well"};
  };
  run_to_end("name: short\non_end: [{task: act}]\nstates: {a: {task: act, next: done}, done: {exit: success}}\n");
  CHECK(process.finished->run.status == store::Status::kSuspended);
  CHECK(began(process) == Strings{"a"});
}

TEST_CASE_FIXTURE(Around, "the machine going down is heard after a cancellation, too") {
  Harness::acts["a"] = hangs();
  Harness::acts["on_end.1"] = hangs();
  process.start(flow_of(kFlow));
  until_line("attempt a 1/1");
  process.interrupt.raise(run::Reason::kCancel, "by hand");
  until_line("attempt on_end.1 1/1");
  process.interrupt.raise(run::Reason::kSuspend, "SIGTERM");
  process.until_done();
  CHECK(process.finished->run.status == store::Status::kSuspended);
  Harness::acts["on_end.1"] = end();
  Harness second{store};
  second.resume(flow_of(kFlow));
  second.until_done();
  CHECK(second.finished->run.status == store::Status::kCancelled);
  CHECK(told[0] == "cancelled");
}

TEST_CASE_FIXTURE(Around, "a suspension before the setup begins none") {
  Harness::acts["a"] = hangs();
  process.start(flow_of(kFlow));
  until_line("attempt a 1/1");
  process.interrupt.raise(run::Reason::kSuspend, "SIGTERM");
  process.until_done();
  Harness second{store};
  second.interrupt.raise(run::Reason::kSuspend, "SIGTERM");
  second.resume(flow_of(kFlow));
  second.until_done();
  CHECK(second.finished->run.status == store::Status::kSuspended);
  CHECK(began(second) == Strings{});
}

TEST_CASE_FIXTURE(Around,
                  "a teardown that the machine going down meets has its grace, and what is left is torn down later") {
  Harness::acts["services.web.teardown"] = hangs();
  process.start(flow_of(kFlow));
  until_line("attempt services.web.teardown 1/1");
  process.clock.advance(1min);
  process.interrupt.raise(run::Reason::kSuspend, "SIGTERM");
  turn();
  process.clock.advance(9s);
  turn();
  CHECK(!process.finished);
  process.clock.advance(1s);
  process.until_done();
  CHECK(process.finished->run.status == store::Status::kSuspended);
  CHECK(rows().back() == R"(run_suspended {"reason":"SIGTERM","services_up":true})");
  Harness::acts["services.web.teardown"] = gives(nullptr);
  Harness second{store};
  second.resume(flow_of(kFlow));
  second.until_done();
  CHECK(second.finished->run.status == store::Status::kSucceeded);
  CHECK(began(second) == Strings{"on_end.1", "services.web.teardown", "services.db.teardown"});
}

TEST_CASE_FIXTURE(Around, "what a killed process may have set up is torn down, also when the next one's setup fails") {
  Harness::acts["a"] = hangs();
  process.start(flow_of(kFlow));
  until_line("attempt a 1/1");
  die();
  Harness::acts["services.db.setup"] = fails("exit");
  Harness second{store};
  second.resume(flow_of(kFlow));
  second.until_done();
  CHECK(second.finished->run.status == store::Status::kFailed);
  CHECK(began(second) ==
        Strings{"services.db.setup", "on_end.1", "on_end.2", "services.web.teardown", "services.db.teardown"});
}

TEST_CASE_FIXTURE(Around, "a run that is entered anew by hand after its outcome may fail like any other") {
  Harness::acts["on_end.1"] = hangs();
  process.start(flow_of(kFlow));
  until_line("attempt on_end.1 1/1");
  die();
  Harness::acts["on_end.1"] = end();
  Harness::acts["a"] = fails("exit");
  Harness second{store};
  second.resume(flow_of(kFlow), "a");
  second.until_done();
  CHECK(second.finished->run.status == store::Status::kFailed);
  CHECK(!second.finished->run.is_over());
}

TEST_CASE_FIXTURE(Around, "a cancellation in on_end cuts it short, and the outcome stands") {
  Harness::acts["a"] = fails("exit");
  Harness::acts["on_end.1"] = hangs();
  process.start(flow_of(kFlow));
  until_line("attempt on_end.1 1/1");
  process.interrupt.raise(run::Reason::kCancel, "by hand");
  process.until_done();
  const run::RunState& run = process.finished->run;
  CHECK(run.status == store::Status::kFailed);
  CHECK(run.error["kind"] == "exit");
  CHECK(began(process) == Strings{"services.db.setup", "services.web.setup", "a", "on_end.1", "services.web.teardown",
                                  "services.db.teardown"});
}

TEST_CASE_FIXTURE(Around, "a run that nobody works on is cancelled with all that comes at its end") {
  Harness::acts["a"] = hangs();
  process.start(flow_of(kFlow));
  until_line("attempt a 1/1");
  die();
  Harness second{store};
  second.cancel("r1", "by hand", flow_of(kFlow));
  second.until_done();
  CHECK(second.finished->run.status == store::Status::kCancelled);
  CHECK(began(second) == Strings{"on_end.1", "services.web.teardown", "services.db.teardown"});
  CHECK(told[0] == "cancelled");
}

TEST_CASE_FIXTURE(Around, "cancelling a run that has its outcome only does what is left of it") {
  Harness::acts["on_end.1"] = hangs();
  process.start(flow_of(kFlow));
  until_line("attempt on_end.1 1/1");
  die();
  Harness::acts["on_end.1"] = end();
  Harness second{store};
  second.cancel("r1", "by hand", flow_of(kFlow));
  second.until_done();
  CHECK(second.finished->run.status == store::Status::kSucceeded);
  CHECK(told == Json{"succeeded", nullptr});
}

TEST_CASE_FIXTURE(Around, "a flow that ends where it starts has its on_end, too") {
  CHECK(run_to_end(R"(
name: empty
on_end: [{task: act, with: {value: "${{ run.status }}"}}]
states: {done: {exit: failure}}
)")
            .status == store::Status::kFailed);
  CHECK(told == "failed");
}
