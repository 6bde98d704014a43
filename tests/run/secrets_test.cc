// Secret inputs of runs: seen by expressions, kept and told by nobody.
#include "engine/run/secrets.h"

#include "engine/store/row_codec.h"
#include "harness.h"

using namespace canorun;
using namespace canorun::test;

namespace {

using Strings = std::vector<std::string>;

const std::string kSecret = "hunter2-hunter2";

struct SecretFixture : Fixture {
  // What `act` was given by its parameter `value`.
  SecretFixture() {
    Harness::acts["see"] = [this](model::TaskContext&, Json params) -> boost::asio::awaitable<model::Outcome> {
      seen.push_back(params["value"]);
      co_return model::Success{params["value"]};
    };
  }

  // Inputs that are named `token` are secret.
  static std::shared_ptr<const model::Flow> secret_flow(std::string yaml,
                                                        std::map<std::string, std::string> children = {}) {
    const auto declare = [](std::string& text) {
      const auto at = text.find("token: string");
      if (at != text.npos) text.replace(at, 13, "token: {type: string, secret: true}");
    };
    declare(yaml);
    for (auto& [file, text] : children) declare(text);
    return flow_of(yaml, children);
  }

  const run::RunState& run_to_end(const std::string& yaml, Json more = Json::object()) {
    more["token"] = kSecret;
    process.start(secret_flow(yaml), std::move(more));
    process.until_done();
    return process.finished->run;
  }

  // Lines that were told, and rows as they are kept, that hold the secret.
  Strings leaks() {
    Strings found;
    for (const auto& told : process.recorder.lines) {
      if (told.find(kSecret) != told.npos) found.push_back(told);
    }
    const auto runs = store.list({});
    for (const store::Summary& run : *runs) {
      const auto record = store.load(run.id);
      for (const store::Row& row : record->rows) {
        if (store::encode(row)->find(kSecret) != std::string::npos) found.push_back(run::to_json(row, 0).dump());
      }
    }
    if (process.finished &&
        run::to_json(process.finished->run, process.finished->run.status).dump().find(kSecret) != std::string::npos) {
      found.push_back("the run");
    }
    return found;
  }

  store::RunStarted first_row(const std::string& id) {
    const auto record = store.load(id);
    REQUIRE(record);
    return std::get<store::RunStarted>(record->rows[0].body);
  }

  std::vector<Json> seen;
};

std::string flow(const std::string& states, const std::string& more = "") {
  return "name: f\ninputs: {token: string}\n" + more + "states:\n" + states + "  done: {exit: success}\n";
}

}  // namespace

TEST_CASE_FIXTURE(SecretFixture,
                  "a secret input is named in the first row, with its source, and only tasks see its value") {
  process.start(secret_flow("name: f\ninputs: {token: string, n: int}\nstates:\n"
                            "  see: {task: act, with: {value: 'x ${{ inputs.token }}'}, next: done}\n"
                            "  done: {exit: success, output: '${{ [inputs.n, inputs.token] }}'}\n"),
                {{"token", kSecret}, {"n", 1}}, "r1", {{"token", "@env:TOKEN"}, {"n", "@env:N"}});
  process.until_done();
  CHECK(seen == std::vector<Json>{"x " + kSecret});
  CHECK(process.finished->run.output == Json{1, "***"});
  const auto started = first_row("r1");
  CHECK(started.inputs == Json{{"n", 1}});
  CHECK(started.secrets == std::map<std::string, std::string>{{"token", "@env:TOKEN"}});
  CHECK(rows() == Strings{R"(run_started {"inputs":{"n":1,"token":"***"},"vars":{}})",
                          R"(state_entered {"state":"see","visit":1})",
                          R"(state_ended {"attempts":1,"output":"x ***","state":"see","visit":1})",
                          R"(run_ended {"output":[1,"***"],"state":"done","status":"succeeded"})"});
  CHECK(leaks().empty());
}

TEST_CASE_FIXTURE(SecretFixture, "an outcome is masked before anything reads it") {
  Harness::acts["a"] = fails_first(1, {{"token", kSecret}});
  Harness::acts["b"] = fails("task", "no " + kSecret);
  run_to_end(
      flow("  a: {task: act, retry: {max: 1, delay: 0ms, when: \"error.message == 'exit code 1'\"}, set: {v: '${{ "
           "output.token "
           "}}'}, next: c}\n"
           "  c: {route: [{when: \"vars.v == '***' && states.a.output.token == '***'\", to: b}, {to: done}]}\n"
           "  b: {task: act, retry: {max: 3, delay: 0ms, when: \"error.message != 'no ***'\"},"
           " next: done, on_error: [{when: \"error.message == 'no ***'\", to: see}]}\n"
           "  see: {task: act, with: {value: '${{ [vars.v, states.b.error.message] }}'}, next: done}\n",
           "vars: {v: ''}\n"));
  CHECK(seen == std::vector<Json>{{"***", "no ***"}});
  CHECK(process.recorder.has("lost b task: no *** -> see"));
  CHECK(leaks().empty());
}

TEST_CASE_FIXTURE(SecretFixture, "what a breaker tells of the last error is masked") {
  Harness::acts["a"] = fails("task", "no " + kSecret);
  const auto& run = run_to_end(flow("  a: {task: act, retry: {max: 1, delay: 1s, jitter: 0}, breaker: b, next: done}\n",
                                    "resources: {breakers: {b: {failure_threshold: 1, reset_timeout: 1h}}}\n"));
  CHECK(run.error["kind"] == "circuit_open");
  CHECK(run.error["message"].get<std::string>().ends_with("; the last error was: no ***"));
  CHECK(leaks().empty());
}

TEST_CASE_FIXTURE(SecretFixture, "whatever an expression makes of a secret is masked where it is kept or told") {
  Harness::acts["told"] = [](model::TaskContext& context, Json params) -> boost::asio::awaitable<model::Outcome> {
    context.say(model::LogLevel::kInfo, params["value"].get<std::string>());
    co_return model::Success{};
  };
  const auto& run = run_to_end(
      "name: f\ninputs: {token: string}\nenv: {E: '${{ inputs.token }}'}\n"
      "vars: {v: 'v ${{ inputs.token }}', w: '', m: '${{ {inputs.token: inputs.token} }}'}\nstates:\n"
      "  told: {task: act, with: {value: 'I say ${{ inputs.token }}'}, set: {w: '${{ inputs.token }}'}, next: [{when: "
      "vars.w == '***', to: fan}, {to: done}]}\n"
      "  fan: {split: {for_each: '[inputs.token, env.E]', do: {task: act, with: {value: '${{ item }}'}}}, next: pack}\n"
      "  pack: {batch: {items: '[inputs.token]', do: {task: act, with: {value: '${{ item }}'}}}, next: see}\n"
      "  see: {stepped: {initial: '${{ inputs.token }}', do: {task: act, with: {value: '${{ cursor }}'}},"
      " cursor: \"step == 0 ? dyn(inputs.token) : null\"}, next: ask}\n"
      "  ask: {poll: {do: {task: act, with: {value: '${{ inputs.token }}'}}, every: 1ms, until: \"output == '***'\"}, "
      "next: bad}\n"
      "  bad: {task: act, with: {value: '${{ int(inputs.token) }}'}, next: done, on_error: worse}\n"
      "  worse: {task: act, set: {w: '${{ [inputs.token][int(inputs.token)] }}'}, next: done}\n"
      "  done: {exit: success}\n");
  CHECK(run.error["message"] == "set.w: '***' is not an int");
  CHECK(run.vars == Json{{"v", "v ***"}, {"w", "***"}, {"m", {{"***", "***"}}}});
  CHECK(run.find("fan")->output["branches"][0]["output"] == "***");
  CHECK(run.find("pack")->output["items"][0]["output"] == "***");
  CHECK(run.find("see")->output == Json{{"steps", 2}, {"last", "***"}});
  CHECK(seen == std::vector<Json>{kSecret, "***"});  // what is kept of a cursor is what the next step sees
  CHECK(process.recorder.has("said told I say ***"));
  CHECK(process.recorder.has("lost bad expression: parameters: '***' is not an int -> worse"));
  CHECK(leaks().empty());
}

TEST_CASE_FIXTURE(SecretFixture, "the lines of a stream and its cursor are masked") {
  Harness::feed.begin = [](Feed& feed, const Json&) {
    feed.lines = {"a", "b " + kSecret};
    feed.outcome = model::Success{};
  };
  const auto& run =
      run_to_end(flow("  s: {stream: {source: {task: feed, with: {value: 1}}, initial: '${{ inputs.token }}', cursor: "
                      "'item', window: {count: 2}, flush: {task: act, with: {value: '${{ items }}'}}}, next: done}\n"));
  CHECK(run.status == store::Status::kSucceeded);
  CHECK(run.find("s")->output["cursor"] == "b ***");
  CHECK(leaks().empty());
}

TEST_CASE_FIXTURE(SecretFixture, "what fails before the first state is refused without the secret") {
  process.start(secret_flow(flow("  see: {task: act, next: done}\n", "vars: {v: '${{ int(inputs.token) }}'}\n")),
                {{"token", kSecret}});
  process.until_done();
  REQUIRE(process.finished->refused);
  CHECK(process.finished->refused->message == "vars.v: '***' is not an int");
}

TEST_CASE_FIXTURE(SecretFixture, "an input that is not secret holds no secret, before and after a resume") {
  Harness::acts["a"] = hangs();
  const auto two = secret_flow(
      "name: f\ninputs: {token: string, url: string}\nstates:\n"
      "  see: {task: act, with: {value: '${{ inputs.url }}'}, next: a}\n"
      "  a: {task: act, next: [{when: states.see.visits > 1, to: done}, {to: see}]}\n  done: {exit: success}\n");
  process.start(two, {{"token", kSecret}, {"url", "http://" + kSecret + "@host"}});
  until_line("attempt a 1/1");
  process.interrupt.raise(run::Reason::kSuspend, "SIGTERM");
  process.until_done();
  CHECK(leaks().empty());
  Harness::acts["a"] = gives(1);
  Harness later(store);
  later.resume(two, {}, "r1", {{"token", kSecret}});
  later.until([&] { return seen.size() == 2; });
  CHECK(seen == std::vector<Json>{"http://***@host", "http://***@host"});
}

TEST_CASE_FIXTURE(SecretFixture,
                  "a run goes on with the secret that is given again, and is refused as it was without it") {
  Harness::acts["a"] = hangs();
  const auto two = secret_flow(
      flow("  a: {task: act, next: see}\n  see: {task: act, with: {value: '${{ inputs.token }}'}, next: done}\n"));
  process.start(two, {{"token", kSecret}});
  until_line("attempt a 1/1");
  process.interrupt.raise(run::Reason::kSuspend, "SIGTERM");
  process.until_done();
  Harness::acts["a"] = gives(kSecret);
  const auto before = rows();
  for (const Json& given : {Json::object(), Json{{"token", "short"}}, Json{{"token", 123456}}}) {
    Harness without(store);
    without.resume(two, {}, "r1", given);
    without.until_done();
    CHECK(without.finished->refused);
    CHECK(rows() == before);
  }
  Harness again(store);
  again.resume(two, {}, "r1", {{"token", kSecret}, {"more", 1}});
  again.until_done();
  CHECK(again.finished->run.status == store::Status::kSucceeded);
  CHECK(seen == std::vector<Json>{kSecret});
  CHECK(again.finished->run.find("a")->output == "***");
  CHECK(leaks().empty());
}

TEST_CASE_FIXTURE(SecretFixture, "a child's secret is its parent's word each time, and is kept by neither") {
  const std::string parent =
      "name: parent\ninputs: {token: string}\nstates:\n"
      "  s: {task: flow, with: {file: child.yaml, inputs: {token: 'Bearer ${{ inputs.token }}', plain: '${{ "
      "inputs.token }}'}}, next: done}\n"
      "  done: {exit: success, output: '${{ states.s.output }}'}\n";
  const std::string child =
      "name: child\ninputs: {token: string, plain: string}\nstates:\n"
      "  see: {task: act, with: {value: '${{ [inputs.token, inputs.plain] }}'}, next: a}\n"
      "  a: {task: act, with: {value: '${{ inputs.token }}'}, next: again}\n"
      "  again: {task: act, with: {value: '${{ inputs.token }}'}, next: end}\n"
      "  end: {exit: success, output: '${{ inputs.token }}'}\n";
  const auto both = secret_flow(parent, {{"child.yaml", child}});
  Harness::acts["a"] = hangs();
  Harness::acts["again"] = Harness::acts["see"];
  process.start(both, {{"token", kSecret}});
  until_line("s: attempt a 1/1");
  CHECK(
      process.recorder.has("said s input 'plain' of flow 'child' is given a secret, and sees ***: declare it with "
                           "'secret: true' there"));
  process.interrupt.raise(run::Reason::kSuspend, "SIGTERM");
  process.until_done();
  Harness::acts["a"] = gives(kSecret);
  Harness again(store);
  again.resume(both, {}, "r1", {{"token", kSecret}});
  again.until_done();
  CHECK(seen == std::vector<Json>{{"Bearer " + kSecret, "***"}, "Bearer " + kSecret});
  CHECK(again.finished->run.output == "***");
  const auto started = first_row("r1.1");
  CHECK(started.inputs == Json{{"plain", "***"}});
  CHECK(started.secrets == std::map<std::string, std::string>{{"token", ""}});
  CHECK(runs_of(store) == Strings{"r1 succeeded", "r1.1 succeeded"});
  CHECK(leaks().empty());
}

TEST_CASE_FIXTURE(SecretFixture, "a parent's secret is masked in a child that has none, and a child's own only there") {
  const auto both = secret_flow(
      "name: parent\ninputs: {token: string}\nstates:\n"
      "  s: {task: flow, with: {file: child.yaml}, next: t}\n"
      "  t: {task: flow, with: {file: other.yaml, inputs: {token: open-secret}}, next: done}\n"
      "  done: {exit: success, output: '${{ [states.s.output, states.t.output] }}'}\n",
      {{"child.yaml",
        "name: child\nstates:\n  a: {task: act, next: end}\n  end: {exit: success, output: '${{ states.a.output "
        "}}'}\n"},
       {"other.yaml",
        "name: other\ninputs: {token: string}\nstates:\n  a: {task: act, next: end}\n  end: {exit: success, output: "
        "'${{ states.a.output + inputs.token }}'}\n"}});
  Harness::acts["a"] = gives("open-secret " + kSecret);
  process.start(both, {{"token", kSecret}});
  process.until_done();
  CHECK(process.finished->run.output == Json{"open-secret ***", "*** ******"});
  CHECK(leaks().empty());
}

TEST_CASE_FIXTURE(SecretFixture, "a child whose parent gives its secret no more is a failure of its work") {
  const auto with = [](const std::string& inputs) {
    return secret_flow(
        "name: parent\ninputs: {token: string}\nstates:\n  s: {task: flow, with: {file: child.yaml" + inputs +
            "}, next: done}\n  done: {exit: success}\n",
        {{"child.yaml",
          "name: child\ninputs: {token: string}\nstates:\n  a: {task: act, next: end}\n  end: {exit: success}\n"}});
  };
  Harness::acts["a"] = hangs();
  process.start(with(", inputs: {token: '${{ inputs.token }}'}"), {{"token", kSecret}});
  until_line("s: attempt a 1/1");
  process.interrupt.raise(run::Reason::kSuspend, "SIGTERM");
  process.until_done();
  Harness again(store);
  again.resume(with(", inputs: {token: '${{ [inputs.token].size() > 1 ? string(1) : string(2) }}'}"), {}, "r1",
               {{"token", kSecret}});
  again.until_done();
  CHECK(again.finished->run.error["message"] ==
        "secret input 'token' has less than 6 characters (what is so short cannot be kept secret)");
  CHECK(runs_of(store) == Strings{"r1 failed", "r1.1 cancelled"});
}

TEST_CASE_FIXTURE(SecretFixture, "a signal that brings a secret is masked when it is taken") {
  const auto waits =
      secret_flow(flow("  w: {wait: {signal: go}, next: see}\n  see: {task: act, with: {value: '${{ states.w.output "
                       "}}'}, next: done}\n"));
  process.start(waits, {{"token", kSecret}});
  until_line("waiting w for go");
  CHECK(store.send("r1", {.name = "go", .at = *parse_time("2026-11-23T08:15:00Z"), .data = "the " + kSecret}));
  process.clock.advance(std::chrono::minutes(1));
  process.until_done();
  CHECK(seen == std::vector<Json>{"the ***"});
  CHECK(leaks().empty());
}
