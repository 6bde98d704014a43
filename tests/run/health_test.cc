// Services that are asked whether they are well, outside of any run.
#include "engine/run/health.h"

#include "harness.h"

using namespace canorun;
using namespace canorun::test;
using namespace std::chrono_literals;

namespace {

using Strings = std::vector<std::string>;
using Status = run::Health::Status;

const std::string kFlow = R"(
name: site
inputs: {port: {type: int, default: 80}}
env: {PORT: "${{ inputs.port }}"}
vars: {tries: "${{ inputs.port + 1 }}"}
resources:
  services:
    db: {health: {task: act, with: {value: "${{ env.PORT }}"}, retry: {max: 2, delay: 100ms, backoff: fixed, jitter: 0}, timeout: 1s}}
    files: {setup: {task: act}}
    web: {health: {task: act}}
states:
  a: {task: act, next: done}
  done: {exit: success}
)";

std::string shown(const run::Health& health) {
  std::string out = health.service;
  switch (health.status) {
    case Status::kNone: out += " none"; break;
    case Status::kHealthy: out += " healthy"; break;
    case Status::kUnhealthy: out += " unhealthy"; break;
  }
  out += " " + std::to_string(health.duration.count());
  return health.error ? out + " " + health.error->kind + ": " + health.error->message : out;
}

Strings shown(const std::vector<run::Health>& services) {
  Strings out;
  for (const run::Health& health : services) out.push_back(shown(health));
  return out;
}

struct Asked : Fixture {
  Asked() {
    Harness::acts["services.db.health"] = gives(nullptr);
    Harness::acts["services.web.health"] = gives(nullptr);
  }
  const run::Probed& ask(const std::string& yaml = kFlow, Json inputs = {{"port", 80}}) {
    process.probe(flow_of(yaml), std::move(inputs));
    process.until([&] { return process.probed.has_value(); });
    return *process.probed;
  }
};

// Keeps what it is told, in place of doing anything.
Act keeps(Json& told) {
  return [&told](model::TaskContext& context, Json params) -> boost::asio::awaitable<model::Outcome> {
    told = {params["value"], context.state(), context.visit(), context.environment()};
    co_return model::Success{nullptr};
  };
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  return text.replace(text.find(from), from.size(), to);
}

}  // namespace

TEST_CASE_FIXTURE(Asked, "services are asked in the order of the file, and nothing is kept") {
  const run::Probed& probed = ask();
  CHECK(!probed.refused);
  CHECK(!probed.cut_off);
  CHECK(shown(probed.services) == Strings{"db healthy 0", "files none 0", "web healthy 0"});
  CHECK(process.recorder.lines == Strings{"enter services.db.health 1", "attempt services.db.health 1/3",
                                          "succeeded services.db.health after 1", "enter services.web.health 1",
                                          "attempt services.web.health 1/1", "succeeded services.web.health after 1"});
  CHECK(runs_of(store) == Strings{});
}

TEST_CASE_FIXTURE(Asked, "a probe is tried again as its retry says, and the next service is asked all the same") {
  Harness::acts["services.db.health"] = fails("exit", "exit code 1");
  process.probe(flow_of(kFlow), {{"port", 80}});
  until_line("failed services.db.health 1 exit retry 100");
  process.clock.advance(100ms);
  until_line("failed services.db.health 2 exit retry 100");
  process.clock.advance(100ms);
  process.until([&] { return process.probed.has_value(); });
  CHECK(shown(process.probed->services) ==
        Strings{"db unhealthy 200 exit: exit code 1", "files none 0", "web healthy 0"});
  const model::RunError& error = *process.probed->services[0].error;
  CHECK(error.to_json() ==
        Json{{"kind", "exit"}, {"message", "exit code 1"}, {"state", "services.db.health"}, {"attempts", 3}});
}

TEST_CASE_FIXTURE(Asked, "a probe that takes longer than its timeout has failed") {
  Harness::acts["services.web.health"] = hangs();
  process.probe(flow_of(replaced(kFlow, "web: {health: {task: act}}", "web: {health: {task: act, timeout: 5s}}")),
                {{"port", 80}});
  until_line("attempt services.web.health 1/1");
  process.clock.advance(5s);
  process.until([&] { return process.probed.has_value(); });
  CHECK(shown(process.probed->services) ==
        Strings{"db healthy 0", "files none 0", "web unhealthy 5000 timeout: no result within 5s"});
}

TEST_CASE_FIXTURE(Asked, "a probe sees inputs and the environment, and is the first visit of its service") {
  Json told;
  Harness::acts["services.db.health"] = keeps(told);
  ask(kFlow, {{"port", 8080}});
  CHECK(told == Json{"8080", "services.db.health", 1, Json::array({Json{"PORT", "8080"}})});
}

TEST_CASE_FIXTURE(Asked, "what defaults give to probes may look at variables, states and the run") {
  Harness::acts["services.web.health"] = fails_first(1, nullptr);
  process.probe(flow_of(kFlow + R"(
defaults:
  retry: {max: 1, delay: 1s, jitter: 0, when: "vars.tries == 81 && states.a.visits == 0 && run.flow == 'site'"}
)"),
                {{"port", 80}});
  until_line("failed services.web.health 1 exit retry 1000");
  process.clock.advance(1s);
  process.until([&] { return process.probed.has_value(); });
  CHECK(shown(process.probed->services) == Strings{"db healthy 0", "files none 0", "web healthy 1000"});
}

TEST_CASE_FIXTURE(Asked, "an expression of env or vars that fails is told before anything is asked") {
  const run::Probed& probed = ask(replaced(kFlow, "inputs.port + 1", "1 / (inputs.port - 80)"));
  REQUIRE(probed.refused);
  CHECK(probed.refused->message == "vars.tries: division by zero");
  CHECK(probed.services.empty());
  CHECK(process.recorder.lines == Strings{});
}

TEST_CASE_FIXTURE(Asked, "an interrupt ends the probe that works, and no other is begun") {
  Harness::acts["services.web.health"] = hangs();
  process.probe(flow_of(kFlow), {{"port", 80}});
  until_line("attempt services.web.health 1/1");
  process.interrupt.raise(run::Reason::kCancel, "no");
  process.until([&] { return process.probed.has_value(); });
  CHECK(process.probed->cut_off);
  CHECK(shown(process.probed->services) == Strings{"db healthy 0", "files none 0"});
}

TEST_CASE_FIXTURE(Asked, "an interrupt that comes when a probe ends is heard before the next one") {
  Harness::acts["services.db.health"] = [this](model::TaskContext& context,
                                               Json) -> boost::asio::awaitable<model::Outcome> {
    co_await boost::asio::post(context.executor(), boost::asio::use_awaitable);
    co_await run::deaf();  // as a task is that cleans up
    process.interrupt.raise(run::Reason::kCancel, "no");
    co_await run::calm();
    co_return model::Success{nullptr};
  };
  const run::Probed& probed = ask();
  CHECK(probed.cut_off);
  CHECK(!process.recorder.has("enter services.web.health 1"));
}

TEST_CASE_FIXTURE(Asked, "secret inputs reach a probe, and are hidden in what it says") {
  Harness::acts["services.db.health"] = [](model::TaskContext&, Json params) -> boost::asio::awaitable<model::Outcome> {
    co_return model::failure("exit", "refused " + params["value"].get<std::string>());
  };
  const std::string flow =
      replaced(replaced(kFlow, "inputs: {", "inputs: {token: {type: string, secret: true}, "),
               "value: \"${{ env.PORT }}\"}, retry: {max: 2, delay: 100ms, backoff: fixed, jitter: 0}",
               "value: \"${{ inputs.token }}\"}");
  const run::Probed& probed = ask(flow, {{"port", 80}, {"token", "s3cret-value"}});
  CHECK(shown(probed.services[0]) == "db unhealthy 0 exit: refused ***");
}
