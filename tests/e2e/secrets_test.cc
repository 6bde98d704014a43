// A secret, planted in runs of every kind: it reaches whom it is for, and is found nowhere else.
#include <signal.h>
#include <stdlib.h>

#include "canorun.h"
#include "support/http_server.h"

using namespace canorun;
using namespace canorun::test;

namespace {

using Strings = std::vector<std::string>;

// A proxy of the caller's would stand between.
const int kNoProxy = ::setenv("no_proxy", "127.0.0.1", 1);

// With what shells, JSON and urls write in other ways.
const std::string kSecret = R"(s3cr3t "q" $x/&%1)";
// Parts of it that nothing but it has, whatever is escaped.
const Strings kTraces{"s3cr3t", "$x/", "x%2F", "x\\/&"};

// Everything that can be done with a value, and then something that fails.
const char* const kUses = R"yaml(
name: uses
inputs:
  token: {type: string, secret: true}
  url: string
vars: {auth: "Bearer ${{ inputs.token }}", last: ''}
env: {FLOW_TOKEN: "${{ inputs.token }}"}
states:
  script:
    run: |
      echo "${{ inputs.token }}" | tee script.txt
      echo "err ${{ inputs.token }}" >&2
    set: {last: "${{ inputs.token }}"}
    next: own_env
  own_env:
    run: printf '%s,%s\n' "$OWN_TOKEN" "$FLOW_TOKEN"
    env: {OWN_TOKEN: "${{ inputs.token }}"}
    parse: lines
    next: input
  input: {run: cat, stdin: "${{ [inputs.token] }}", parse: json, next: given}
  given:
    run: |
      printf 'token=%s\n' "$FLOW_TOKEN" > "$CANORUN_OUTPUT"
      printf '%s' "$FLOW_TOKEN" | head -c 9
      sleep 0.05
      printf '%s' "$FLOW_TOKEN" | tail -c +10
    next: say
  say: {task: log, with: {message: "the token is ${{ inputs.token }}"}, next: write}
  write: {task: file, with: {op: write, path: token.txt, content: "${{ inputs.token }}"}, next: append}
  append: {task: file, with: {op: append, path: "log-${{ inputs.token.size() }}.txt", content: "${{ inputs.token }}"}, next: read}
  read: {task: file, with: {op: read, path: token.txt}, next: post}
  post:
    task: http
    with:
      url: "${{ inputs.url }}"
      query: {key: "${{ inputs.token }}"}
      headers: {X-Token: "${{ inputs.token }}"}
      json: {token: "${{ inputs.token }}"}
    next: save
  save: {task: http, with: {url: "${{ inputs.url }}", body: "${{ inputs.token }}", save_to: saved.txt}, next: pass}
  pass: {task: pass, with: {value: "${{ {inputs.token: inputs.token} }}"}, next: fan}
  fan:
    split: {for_each: "[inputs.token, 'x']", do: {run: 'echo "${{ item }}"; echo "${{ item }}" >&2'}}
    next: each
  each:
    batch:
      items: "[inputs.token, 'x']"
      do: {run: 'echo "no ${{ item }}" >&2; test "${{ item }}" = x'}
      min_success: 1%
    next: steps
  steps:
    stepped: {initial: "${{ inputs.token }}", do: {run: 'echo "${{ cursor }}"'}, cursor: "step == 0 ? dyn(inputs.token) : null"}
    next: ask
  ask: {poll: {do: {run: 'echo "${{ inputs.token }}"'}, every: 1ms, until: output.stdout == '***'}, next: follow}
  follow:
    stream:
      source: {run: 'echo "a ${{ inputs.token }}"; echo "b ${{ inputs.token }}" | tee /dev/stderr'}
      initial: 0
      cursor: event
      as: event
      window: {count: 1}
      each: {run: 'echo "${{ event }}, ${{ inputs.token }}"'}
      flush: {run: cat, stdin: "${{ [items, inputs.token] }}"}
    next: follow_file
  follow_file:
    stream: {source: {file: token.txt}, initial: 0, window: {count: 1}, flush: {run: cat, stdin: "${{ items }}"}}
    next: child
  child:
    task: flow
    with: {file: child.yaml, inputs: {token: "${{ inputs.token }}", plain: "${{ inputs.token }}"}}
    next: wrong
  wrong: {task: pass, with: {value: "${{ int(inputs.token) }}"}, next: done, on_error: unknown}
  unknown: {task: exec, with: {argv: ["./${{ inputs.token }}"]}, next: done, on_error: refused}
  refused: {task: http, with: {url: "${{ inputs.url }}401", query: {key: "${{ inputs.token }}"}}, retry: {max: 1, delay: 1ms, jitter: 0}, next: done, on_error: fails}
  fails:
    task: fail
    with: {message: "because of ${{ inputs.token }}"}
    next: done
    on_error: [{when: "error.message == 'because of ***'", to: bad}]
  bad:
    run: 'echo "it was ${{ inputs.token }}" >&2; printf %s "${{ inputs.token }}" >&2; exit 3'
    retry: {max: 1, delay: 1ms, jitter: 0}
    next: done
    on_error: done
  done:
    exit: success
    output: {token: "${{ inputs.token }}", auth: "${{ vars.auth }}", answer: "${{ states.post.output.body }}"}
)yaml";

const char* const kChild = R"yaml(
name: child
inputs:
  token: {type: string, secret: true}
  plain: string
states:
  use: {run: 'printf %s "${{ inputs.token }}" | tee child.txt; echo "${{ inputs.plain }}"', next: end}
  end: {exit: success, output: "${{ [inputs.token, states.use.output.stdout] }}"}
)yaml";

// What is told of all runs by every verb, and every byte of the store.
std::map<std::string, std::string> all_that_is_kept(const World& world) {
  std::map<std::string, std::string> found;
  const auto ask = [&](Strings words) {
    const Ran ran = world.canorun(words);
    std::string asked;
    for (const std::string& word : words) asked += word + " ";
    found[asked + "(stdout)"] = ran.out;
    found[asked + "(stderr)"] = ran.err;
  };
  ask({"list"});
  ask({"list", "--json"});
  for (const Json& run : world.json({"list"})) {
    const std::string id = run["id"];
    for (const char* verb : {"show", "events", "logs"}) {
      ask({verb, id});
      ask({verb, id, "--json"});
    }
  }
  for (auto& [file, bytes] : read_tree(world.store())) found[file] = std::move(bytes);
  return found;
}

std::string leaks(const std::map<std::string, std::string>& found, const Strings& traces) {
  std::string places;
  for (const auto& [place, text] : found) {
    for (const std::string& trace : traces) {
      if (text.find(trace) != text.npos) places += place + ": " + trace + "\n";
      if (place.find(trace) != place.npos) places += "the name " + place + "\n";
    }
  }
  return places;
}

// Of one run, what it said, and all that is there now.
std::string leaks(const World& world, const std::vector<Ran>& said, const Strings& traces = kTraces) {
  auto found = all_that_is_kept(world);
  for (std::size_t i = 0; i < said.size(); ++i) {
    found["process " + std::to_string(i) + " (stdout)"] = said[i].out;
    found["process " + std::to_string(i) + " (stderr)"] = said[i].err;
  }
  return leaks(found, traces);
}

HttpAnswer echo(const HttpAsked& asked) {
  const int status = asked.target.starts_with("/401") ? 401 : 200;
  std::string body = asked.method + " " + asked.target + " " + asked.body;
  if (const auto token = asked.headers.find("x-token"); token != asked.headers.end()) body += " " + token->second;
  return {.status = status, .headers = {{"X-Echo", "echo"}, {"X-Body", asked.body}}, .body = body};
}

// A world with the flow and the values that it works with.
struct Uses {
  Uses() { world.file("child.yaml", kChild); }

  // What reaches those whom it is for.
  void check_uses() {
    CHECK(read_file(world.folder() + "/script.txt") == kSecret + "\n");
    CHECK(read_file(world.folder() + "/token.txt") == kSecret);
    CHECK(read_file(world.folder() + "/log-17.txt") == kSecret);
    CHECK(read_file(world.folder() + "/child.txt") == kSecret);
    CHECK(read_file(world.folder() + "/saved.txt") == "POST / " + kSecret);
    bool posted = false;
    for (const HttpAsked& asked : server.asked()) {
      posted = posted || (asked.headers.contains("x-token") && asked.headers.at("x-token") == kSecret &&
                          asked.target == "/?key=s3cr3t%20%22q%22%20%24x%2F%26%251" &&
                          asked.body == to_json_text(Json{{"token", kSecret}}));
    }
    CHECK(posted);
  }

  World world;
  HttpServer server{echo};
  std::string flow = world.file("uses.yaml", kUses);
  std::string url = "url=" + server.url("/");
};

const Json kEnd{{"token", "***"}, {"auth", "Bearer ***"}, {"answer", "POST /?key=*** {\"token\":\"***\"} ***"}};

}  // namespace

TEST_CASE("a secret that is given as it is reaches what it is for, and is found nowhere else") {
  Uses uses;
  const Ran ran = uses.world.canorun({"run", uses.flow, "--id", "r1", "-v", "-i", "token=" + kSecret, "-i", uses.url});
  INFO(ran.out, ran.err);
  REQUIRE(ran.code == 0);
  uses.check_uses();
  const Json shown = uses.world.json({"show", "r1"});
  CHECK(shown["output"] == kEnd);
  CHECK(shown["inputs"]["token"] == "***");
  CHECK(shown["vars"] == Json{{"auth", "Bearer ***"}, {"last", "***"}});
  CHECK(shown["states"]["child"]["output"] == Json{"***", "******"});
  CHECK(uses.world.canorun({"logs", "r1", "given"}).out.find("\n***") != std::string::npos);
  CHECK(leaks(uses.world,
              {ran, uses.world.canorun({"run", uses.flow, "--dry-run", "-i", "token=" + kSecret, "-i", uses.url}),
               uses.world.canorun({"run", uses.flow, "--dry-run", "--json", "-i", "token=" + kSecret, "-i", uses.url})})
            .empty());
}

TEST_CASE("a secret from a variable, a file, an inputs file, or of a run that is not kept is found nowhere") {
  Uses uses;
  uses.world.file("secret", kSecret + "\n");
  const std::string inputs = uses.world.file("inputs.json", to_json_text(Json{{"token", kSecret}}));
  const std::vector<Strings> ways{{"-i", "token=@env:TOKEN"},
                                  {"-i", "token=@file:secret"},
                                  {"--inputs", inputs},
                                  {"-i", "token=" + kSecret, "--no-store"}};
  for (const Strings& way : ways) {
    Strings words{"run", uses.flow, "--json", "-i", uses.url};
    words.insert(words.end(), way.begin(), way.end());
    const Ran ran = uses.world.canorun(words, {{"TOKEN", kSecret}});
    INFO(ran.out, ran.err);
    CHECK(ran.code == 0);
    CHECK(parse_json(ran.out)->at("output") == kEnd);
    CHECK(leaks(uses.world, {ran}) == "");
  }
}

TEST_CASE(
    "a run that is killed at any row goes on with the secret from where it was named, and leaves no trace of it") {
  Uses uses;
  const Ran whole = uses.world.canorun({"run", uses.flow, "--id", "whole", "-i", "token=@env:TOKEN", "-i", uses.url},
                                       {{"TOKEN", kSecret}});
  REQUIRE(whole.code == 0);
  std::vector<Ran> said{whole};
  for (int row = 1; row < 60; row += 4) {
    CAPTURE(row);
    const std::string id = "r" + std::to_string(row);
    for (const char* file : {"log-17.txt", "child.txt"}) ::unlink((uses.world.folder() + "/" + file).c_str());
    said.push_back(uses.world.canorun({"run", uses.flow, "--id", id, "-i", "token=@env:TOKEN", "-i", uses.url},
                                      {{"TOKEN", kSecret}, {"CANORUN_CRASH", "after:" + std::to_string(row)}}));
    if (said.back().signal != SIGKILL) break;
    said.push_back(uses.world.canorun({"resume", id, "--json"}, {{"TOKEN", kSecret}}));
    REQUIRE(said.back().code == 0);
    CHECK(parse_json(said.back().out)->at("output") == kEnd);
    uses.check_uses();
  }
  CHECK(said.size() > 20);
  CHECK(leaks(uses.world, said) == "");
}

TEST_CASE("what a command had written when its run was killed has no secret in it, nor what is left behind") {
  const World world;
  const std::string temporary = world.folder() + "/tmp";
  REQUIRE(run_program({{"mkdir", temporary}, {}, {}}).code == 0);
  const std::string flow = world.file("flow.yaml", R"yaml(
name: long
inputs: {token: {type: string, secret: true}}
states:
  work:
    run: |
      test -e again && exit
      echo "token=${{ inputs.token }}" > "$CANORUN_OUTPUT"
      echo "${{ inputs.token }}"
      touch ready
      exec sleep 1000
    next: done
  done: {exit: success}
)yaml");
  Program killed(world.command({"run", flow, "--id", "r1", "-i", "token=@env:TOKEN"},
                               {{"TOKEN", kSecret}, {"TMPDIR", temporary}}));
  REQUIRE(eventually([&] { return ::access((world.folder() + "/ready").c_str(), F_OK) == 0; }));
  killed.signal(SIGKILL);
  std::vector<Ran> said{killed.wait()};
  CHECK(leaks(world, said) == "");
  CHECK(read_tree(temporary).size() == 1);  // what it wrote to CANORUN_OUTPUT, for nobody else to read
  world.file("again", "");
  said.push_back(world.canorun({"resume", "r1"}, {{"TOKEN", kSecret}, {"TMPDIR", temporary}}));
  CHECK(said.back().code == 0);
  CHECK(read_tree(temporary).empty());
  CHECK(leaks(world, said) == "");
}

TEST_CASE("a secret of several lines is found in no form, neither whole nor line by line") {
  const World world;
  const std::string key =
      "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0B\nAQEFAASCBKcwggSjAgEAAoIB\n-----END KEY-----\n";
  const std::string path = world.file("key.pem", key);
  const std::string flow = world.file("flow.yaml", R"yaml(
name: lines
inputs: {key: {type: string, secret: true}}
states:
  all: {run: 'echo "${{ inputs.key }}"; echo "${{ inputs.key }}" | tac', next: some}
  some: {run: 'echo "${{ inputs.key }}" | sed 2q', parse: lines, next: follow}
  follow:
    stream: {source: {file: key.pem}, initial: 0, window: {count: 3}, flush: {task: pass, with: {value: "${{ items }}"}}}
    next: bad
  bad: {task: pass, with: {value: "${{ int(inputs.key.replace('BEGIN', 'BEGIN')) }}"}, next: done}
  done: {exit: success}
)yaml");
  const Ran ran = world.canorun({"run", flow, "--id", "r1", "-i", "key=@file:" + path});
  CHECK(ran.code == 1);
  // What it printed is how the secret begins, and goes as one.
  CHECK(world.json({"show", "r1"})["states"]["some"]["output"]["lines"] == Json::array({"***"}));
  CHECK(world.json({"show", "r1"})["error"]["message"] == "parameters: '***' is not an int");
  CHECK(leaks(world, {ran}, {"BEGIN KEY", "MIIEvQ", "AQEFAA", "END KEY"}) == "");
}

namespace {

// Fails until there is a file `good`.
const char* const kTries = R"yaml(
name: tries
inputs: {token: {type: string, secret: true}, n: {type: int, default: 1}}
states:
  a: {run: 'test -e good; test "${{ inputs.token }}" != "***"', next: done}
  done: {exit: success}
)yaml";

}  // namespace

TEST_CASE("a resume without the secret is refused with exit code 2 and changes nothing, and goes on with it") {
  const World world;
  const std::string flow = world.file("flow.yaml", kTries);
  CHECK(world.canorun({"run", flow, "--id", "r1", "-i", "token=hunter2-hunter2"}).code == 1);
  const auto before = world.canorun({"events", "r1", "--json"}).out;
  const auto refused = [&](Strings words, const std::string& message) {
    words.insert(words.begin(), {"resume", "r1"});
    const Ran ran = world.canorun(words);
    CHECK(ran.code == 2);
    CHECK(ran.err == message);
    CHECK(world.canorun({"events", "r1", "--json"}).out == before);
    CHECK(world.json({"show", "r1"})["status"] == "failed");
  };
  refused({},
          "error: run 'r1' needs what is not kept of it: the secret input token\n"
          "hint: give it again with: canorun resume r1 -i token=@env:NAME\n");
  refused({"-i", "token=short"},
          "error: secret input 'token' has less than 6 characters\n"
          "hint: give it with: canorun resume r1 -i token=@env:NAME\n");
  refused({"-i", "token=hunter2-hunter2", "-i", "n=2"},
          "error: input 'n' of run 'r1' is fixed: only secret inputs are given again\n");
  world.file("good", "");
  CHECK(world.canorun({"resume", "r1", "-i", "token=@env:TOKEN"}, {{"TOKEN", "hunter2-hunter2"}}).code == 0);
  CHECK(world.canorun({"run", flow, "--id", "r1", "--or-resume", "-i", "token=hunter2-hunter2"}).code == 0);
  CHECK(leaks(world, {}, {"hunter2"}) == "");
}

TEST_CASE("a definition with a secret that the run was not begun with is refused with exit code 2") {
  const World world;
  const std::string flow = world.file("flow.yaml", kTries);
  const std::string more =
      world.file("more.yaml", replaced(kTries, "n: {type: int", "n: {type: string, secret: true}, m: {type: int"));
  CHECK(world.canorun({"run", flow, "--id", "r1", "-i", "token=hunter2-hunter2"}).code == 1);
  const auto before = world.canorun({"events", "r1", "--json"}).out;
  CHECK(said(world, {"resume", "r1", "--file", more, "-i", "token=hunter2-hunter2"}) ==
        "2\nerror: run 'r1' has no value of the secret input 'n': it was begun without it\n"
        "hint: leave --file away to go on with what it was begun with, or start a new run\n");
  CHECK(world.json({"resume", "r1", "--file", more})["error"]["kind"] == "invalid_inputs");
  CHECK(world.canorun({"events", "r1", "--json"}).out == before);
}

TEST_CASE("every command that is told to go on with a run asks for the secrets that are not kept of it") {
  const World world;
  const std::string flow = world.file("flow.yaml", R"yaml(
name: asks
inputs: {token: {type: string, secret: true}}
states:
  ask: {wait: {signal: go}, next: work}
  work: {run: 'trap "" TERM; touch begun; while [ -e begun ] && [ ! -e good ]; do sleep 0.02; done', next: done}
  done: {exit: success}
)yaml");
  const std::string resume = "canorun resume r1 -i token=@env:NAME";
  const Ran waits = world.canorun({"run", flow, "--id", "r1", "--suspend", "-q", "-i", "token=hunter2-hunter2"});
  CHECK(waits.code == 75);
  CHECK(waits.err == "next:\n  canorun signal r1 go                  # what it waits for\n  " + resume +
                         "  # goes on with it, with the secrets that are not kept\n");
  CHECK(world.canorun({"signal", "r1", "go"}).err == "no process works on it: " + resume + " goes on with it\n");
  Program again(world.command({"resume", "r1", "-i", "token=hunter2-hunter2"}));
  REQUIRE(eventually([&] { return exists(world.folder() + "/begun"); }));
  again.signal(SIGINT);
  REQUIRE(eventually([&] { return again.err().find("a second one leaves at once") != std::string::npos; }));
  again.signal(SIGINT);
  CHECK(again.wait().err.ends_with("hint: go on with: " + resume + "\n"));
}

TEST_CASE("run --or-resume goes on with the secret that it is given") {
  const World world;
  const std::string flow = world.file("flow.yaml", kTries);
  const Strings words{"run", flow, "--id", "r1", "--or-resume", "-i", "token=hunter2-hunter2"};
  CHECK(world.canorun(words).code == 1);
  world.file("good", "");
  CHECK(world.canorun(words).code == 0);
  CHECK(world.canorun({"events", "r1"}).out.find("run_resumed") != std::string::npos);
}

TEST_CASE("a child that was cut off goes on with the secret that is given to its parent again") {
  const World world;
  world.file("flow.yaml",
             "name: child\ninputs: {token: {type: string, secret: true}}\nstates:\n"
             "  nap: {timer: {for: '1s'}, next: use}\n"
             "  use: {run: 'test \"${{ inputs.token }}\" != \"***\" && echo \"${{ inputs.token }}\"', next: end}\n"
             "  end: {exit: success, output: '${{ inputs.token }}'}\n");
  const std::string parent =
      world.file("parent.yaml",
                 "name: parent\ninputs: {token: {type: string, secret: true}}\nstates:\n"
                 "  c: {task: flow, with: {file: flow.yaml, inputs: {token: '${{ inputs.token }}'}}, next: done}\n"
                 "  done: {exit: success, output: '${{ states.c.output }}'}\n");
  const Ran killed =
      world.canorun({"run", parent, "--id", "r1", "-i", "token=hunter2-hunter2"}, {{"CANORUN_CRASH", "after:3"}});
  REQUIRE(killed.signal == SIGKILL);
  CHECK(world.canorun({"resume", "r1.1"}).code == 2);
  const Ran ran = world.canorun({"resume", "r1.1", "--json", "-i", "token=hunter2-hunter2"});
  CHECK(ran.code == 0);
  CHECK(parse_json(ran.out)->at("output") == "***");
  CHECK(world.json({"list"}).size() == 2);
  CHECK(world.json({"show", "r1.1"})["inputs"] == Json{{"token", "***"}});
  CHECK(leaks(world, {killed, ran}, {"hunter2"}) == "");
}

TEST_CASE("resume --all tells of the run whose secret is missing, and goes on with the others") {
  const World world;
  const std::string flow = world.file("flow.yaml", kTries);
  const std::string plain =
      world.file("plain.yaml", "name: plain\nstates:\n  a: {run: 'true', next: done}\n  done: {exit: success}\n");
  const std::map<std::string, std::string> killed{{"CANORUN_CRASH", "after:1"}};
  world.file("good", "");
  REQUIRE(world.canorun({"run", flow, "--id", "r1", "-i", "token=hunter2-hunter2"}, killed).signal == SIGKILL);
  REQUIRE(world.canorun({"run", plain, "--id", "r2"}, killed).signal == SIGKILL);
  REQUIRE(world
              .canorun({"run", flow, "--id", "r3", "-i", "token=@env:TOKEN"},
                       {{"CANORUN_CRASH", "after:1"}, {"TOKEN", "hunter2-hunter2"}})
              .signal == SIGKILL);
  const Ran ran = world.canorun({"resume", "--all", "--json"}, {{"TOKEN", "hunter2-hunter2"}});
  CHECK(ran.code == 2);
  CHECK(ran.err.find("error: run 'r1' needs what is not kept of it: the secret input token\n"
                     "hint: give it again with: canorun resume r1 -i token=@env:NAME\n") != std::string::npos);
  const auto told = parse_json(ran.out);
  REQUIRE(told);
  CHECK((*told)[0]["error"]["kind"] == "invalid_inputs");
  CHECK((*told)[0]["id"] == "r1");
  CHECK((*told)[1]["status"] == "succeeded");
  CHECK((*told)[2]["status"] == "succeeded");
  CHECK(world.json({"show", "r1"})["status"] == "interrupted");
}

TEST_CASE("a run that nobody works on is cancelled without its secret, unless something would be run with it") {
  const World world;
  const std::string flow = world.file("flow.yaml", kTries);
  const std::string tells = world.file("tells.yaml", std::string(kTries) + "on_end: [{run: 'true'}]\n");
  const std::map<std::string, std::string> killed{{"CANORUN_CRASH", "after:1"}};
  REQUIRE(world.canorun({"run", flow, "--id", "r1", "-i", "token=hunter2-hunter2"}, killed).signal == SIGKILL);
  REQUIRE(world.canorun({"run", tells, "--id", "r2", "-i", "token=hunter2-hunter2"}, killed).signal == SIGKILL);
  CHECK(world.canorun({"cancel", "r1"}).code == 0);
  const Ran refused = world.canorun({"cancel", "r2"});
  CHECK(refused.code == 2);
  CHECK(refused.err ==
        "error: run 'r2' needs what is not kept of it: the secret input token\n"
        "hint: give it again with: canorun cancel r2 -i token=@env:NAME\n");
  CHECK(world.json({"show", "r2"})["status"] == "interrupted");
  CHECK(world.canorun({"cancel", "r2", "-i", "tokem=hunter2-hunter2"}).code == 2);
  CHECK(world.canorun({"cancel", "r2", "-i", "token=hunter2-hunter2"}).code == 0);
  CHECK(world.json({"show", "r2"})["status"] == "cancelled");
  CHECK(leaks(world, {}, {"hunter2"}) == "");
}
