// What a person or a script types: mistakes are refused with a message, and the JSON shapes hold everywhere.
#include "canorun.h"

using namespace canorun;
using namespace canorun::test;

namespace {

const char* const kOrder = R"yaml(
name: order
inputs: {order_id: string, amount: double, count: {type: int, default: 1}}
states:
  work: {run: 'echo "chatter of ${{ inputs.order_id }}"; echo ran >> ran', next: done}
  done: {exit: success, output: {order: "${{ inputs.order_id }}"}}
)yaml";

// Fails in `b` until there is a file `ok`.
const char* const kSteps = R"yaml(
name: steps
states:
  a: {run: 'echo a >> trace', next: b}
  b: {run: 'echo b >> trace; [ -e ok ]', next: c}
  c: {run: 'echo c >> trace', next: done}
  done: {exit: success}
)yaml";

const std::string kNextOfB =
    "error: exit code 1\n  where: state b, attempt 1, exit code 1\n  rolled back: nothing, as nothing was owed\n"
    "next:\n  canorun resume r1  # tries again from b\n  canorun logs r1 b  # all that it wrote\n";

// One line of stdout after another, each a JSON document.
std::vector<Json> json_lines(const std::string& out) {
  std::vector<Json> lines;
  for (std::size_t begin = 0, end = 0; (end = out.find('\n', begin)) != std::string::npos; begin = end + 1) {
    const auto line = parse_json(std::string_view(out).substr(begin, end - begin));
    REQUIRE(line);
    lines.push_back(*line);
  }
  CHECK((out.empty() || out.back() == '\n'));
  return lines;
}

std::vector<std::string> ids(const Json& runs) {
  std::vector<std::string> out;
  for (const Json& run : runs) out.push_back(run["id"]);
  return out;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("unknown verbs and options are refused with a hint") {
  const World world;
  world.file("flow.yaml", kOrder);
  CHECK(said(world, {}) == "2\nerror: a verb is missing\nhint: canorun --help lists them\n");
  CHECK(said(world, {"rnu", "flow.yaml"}) == "2\nerror: unknown verb 'rnu'\nhint: did you mean 'run'?\n");
  CHECK(said(world, {"--nope"}) == "2\nerror: unknown option '--nope'\nhint: canorun --help lists them\n");
  CHECK(said(world, {"run", "flow.yaml", "--dryrun"}) ==
        "2\nerror: unknown option '--dryrun'\nhint: did you mean '--dry-run'?\n");
  CHECK(said(world, {"run", "flow.yaml", "-x"}) ==
        "2\nerror: unknown option '-x'\nhint: canorun run --help lists them\n");
  CHECK(said(world, {"list", "--limt", "3"}) == "2\nerror: unknown option '--limt'\nhint: did you mean '--limit'?\n");
  CHECK(said(world, {"run"}) == "2\nerror: FLOW is missing\nhint: usage: canorun run FLOW [OPTIONS]\n");
  CHECK(said(world, {"run", "flow.yaml", "more"}) ==
        "2\nerror: unexpected argument 'more'\nhint: usage: canorun run FLOW [OPTIONS]\n");
  CHECK(said(world, {"list", "--limit", "many"}) == "2\nerror: --limit takes a number, not 'many'\n");
  CHECK(said(world, {"list", "--color", "blue"}) ==
        "2\nerror: --color cannot be 'blue'\nhint: known: auto, always, never\n");
  CHECK(said(world, {"list", "--status", "suceeded"}) ==
        "2\nerror: no run can have the status 'suceeded'\nhint: did you mean 'succeeded'?\n");
  CHECK(said(world, {"resume"}) ==
        "2\nerror: ID is missing\nhint: usage: canorun resume ID, canorun resume --all, or canorun resume --due\n");
  CHECK(said(world, {"resume", "r1", "--all"}) ==
        "2\nerror: --all goes with neither an ID nor --file nor --from nor -i\n");
  CHECK(said(world, {"run", "flow.yaml", "--or-resume"}) == "2\nerror: --or-resume needs --id\n");
  CHECK(world.canorun({"run", "flow.yaml", "-i"}).code == 2);
  CHECK(!exists(world.store()));
}

TEST_CASE("all missing and mistyped inputs are told at once, and nothing is run") {
  const World world;
  world.file("flow.yaml", kOrder);
  CHECK(said(world, {"run", "flow.yaml"}) ==
        "2\nerror: input 'order_id' is missing (string)\nhint: give it with -i order_id=…\n"
        "error: input 'amount' is missing (double)\nhint: give it with -i amount=…\n"
        "error: 2 inputs are wrong: nothing was run\n");
  CHECK(said(world,
             {"run", "flow.yaml", "-i", "order_id=A1", "-i", "amount=much", "-i", "count=1.5", "-i", "amonut=3"}) ==
        "2\nerror: input 'amount' must be a double, not 'much'\nerror: input 'count' must be an int, not double 1.5\n"
        "error: flow 'order' has no input 'amonut'\nhint: did you mean 'amount'?\n"
        "error: 3 inputs are wrong: nothing was run\n");
  CHECK(said(world, {"run", "flow.yaml", "-i", "order_id"}) ==
        "2\nerror: -i takes NAME=VALUE, and one of them is something else\n");
  CHECK(world.json({"run", "flow.yaml", "-i", "order_id=A1", "-i", "amount=much"}) ==
        Json{{"error", {{"kind", "invalid_inputs"}, {"message", "input 'amount' must be a double, not 'much'"}}},
             {"diagnostics", Json::array()}});
  CHECK(!exists(world.folder() + "/ran"));
  CHECK(!exists(world.store()));
}

TEST_CASE("inputs come from a file, and -i wins over it") {
  const World world;
  world.file("flow.yaml", kOrder);
  world.file("inputs.json", R"json({"order_id": "A1", "amount": 2, "count": 5})json");
  world.file("wrong.json", R"json({"order_id": 1, "amount": "x", "zzz": 1})json");
  world.file("list.json", "[1]");
  CHECK(world.json({"run", "flow.yaml", "--inputs", "inputs.json", "-i", "amount=3"})["inputs"] ==
        Json{{"order_id", "A1"}, {"amount", 3.0}, {"count", 5}});
  CHECK(said(world, {"run", "flow.yaml", "--inputs", "wrong.json"}) ==
        "2\nerror: input 'amount' must be a double, not string \"x\"\nerror: input 'order_id' must be a string, not "
        "int 1\n"
        "error: flow 'order' has no input 'zzz'\nhint: known: order_id, amount, count\n"
        "error: 3 inputs are wrong: nothing was run\n");
  CHECK(said(world, {"run", "flow.yaml", "--inputs", "list.json"}) ==
        "2\nerror: list.json must be a JSON object, not list\n");
  CHECK(said(world, {"run", "flow.yaml", "--inputs", "none.json"}) ==
        "2\nerror: cannot open none.json: No such file or directory\n");
  CHECK(said(world, {"run", "flow.yaml", "--inputs", "."}) == "2\nerror: cannot read .: Is a directory\n");
}

TEST_CASE("a flow that is not there, is a folder, or cannot be read is refused") {
  const World world;
  CHECK(said(world, {"run", "none.yaml"}) ==
        "2\nnone.yaml: error: there is no such file [unreadable-file]\n      give the path of a flow file\n"
        "error: none.yaml has 1 error: nothing was run\n");
  CHECK(said(world, {"run", "."}) ==
        "2\n.: error: this is a folder [unreadable-file]\n      give the path of a flow file in it\n"
        "error: . has 1 error: nothing was run\n");
  // What fails to be read for root, too.
  CHECK(said(world, {"run", "/proc/self/mem"}) ==
        "2\n/proc/self/mem: error: cannot be read: Input/output error [unreadable-file]\n"
        "error: /proc/self/mem has 1 error: nothing was run\n");
  CHECK(said(world, {"run", "/dev/zero"}) ==
        "2\n/dev/zero: error: this is no regular file [unreadable-file]\n      give the path of a flow file\n"
        "error: /dev/zero has 1 error: nothing was run\n");
  CHECK(world.json({"run", "none.yaml"})["error"] ==
        Json{{"kind", "invalid_flow"}, {"message", "none.yaml has 1 error: nothing was run"}});
}

TEST_CASE("an id that is taken, is unknown, or can be none is refused") {
  const World world;
  world.file("flow.yaml", kSteps);
  world.file("ok", "");
  REQUIRE(world.canorun({"run", "flow.yaml", "--id", "r1"}).code == 0);
  const std::string before = world.canorun({"events", "r1", "--json"}).out;
  CHECK(said(world, {"run", "flow.yaml", "--id", "r1"}) ==
        "6\nerror: a run with the id 'r1' exists\nhint: choose another --id, or go on with it: canorun resume r1\n");
  CHECK(world.canorun({"events", "r1", "--json"}).out == before);
  CHECK(read_file(world.folder() + "/trace") == "a\nb\nc\n");
  for (const char* verb : {"show", "events", "logs", "cancel", "resume"}) {
    CAPTURE(verb);
    CHECK(said(world, {verb, "r2"}) == "6\nerror: no run has the id 'r2'\nhint: `canorun list` shows all runs\n");
  }
  for (const std::string& id :
       {std::string(), std::string("../x"), std::string(".x"), std::string("a b"), std::string(129, 'a')}) {
    CAPTURE(id);
    CHECK(said(world, {"run", "flow.yaml", "--id", id}) ==
          "2\nerror: '" + id +
              "' cannot be a run's id\n"
              "hint: letters, digits, '.', '_' and '-', at most 128, the first one a letter or a digit\n");
  }
  CHECK(ids(world.json({"list"})) == Names{"r1"});
}

TEST_CASE("with --json each verb prints exactly one document, and nothing else, whatever happens") {
  const World world;
  world.file("flow.yaml", kSteps);
  world.file("bad.yaml", "name: bad\nstates:\n  a: {run: 'true', next: dnoe}\n  done: {exit: success}\n");
  struct Case {
    Names arguments;
    int code;
    const char* error;  // its kind, or nullptr
  };
  const std::vector<Case> cases{{{"run", "flow.yaml", "--id", "r1"}, 1, nullptr},
                                {{"run", "flow.yaml", "--id", "r1"}, 6, "run_exists"},
                                {{"run", "bad.yaml"}, 2, "invalid_flow"},
                                {{"run", "flow.yaml", "--id", "a b"}, 2, "usage"},
                                {{"run", "flow.yaml", "--dry-run"}, 0, nullptr},
                                {{"run", "flow.yaml", "--no-store"}, 1, nullptr},
                                {{"resume", "r1"}, 1, nullptr},
                                {{"resume", "r2"}, 6, "no_such_run"},
                                {{"resume", "r1", "--from", "x"}, 2, "unknown_state"},
                                {{"resume", "--all"}, 0, nullptr},
                                {{"show", "r1"}, 0, nullptr},
                                {{"show", "r2"}, 6, "no_such_run"},
                                {{"list"}, 0, nullptr},
                                {{"list", "--status", "x"}, 2, "usage"},
                                {{"list", "--nope"}, 2, "usage"},
                                {{"validate", "flow.yaml"}, 0, nullptr},
                                {{"validate", "bad.yaml", "flow.yaml"}, 2, nullptr},
                                {{"validate"}, 2, "usage"},
                                {{"cancel", "r1"}, 6, "run_over"},
                                {{"cancel", "r2"}, 6, "no_such_run"},
                                {{"events", "r2"}, 6, "no_such_run"},
                                {{"logs", "r2"}, 6, "no_such_run"},
                                {{"health", "flow.yaml"}, 0, nullptr},
                                {{"health", "bad.yaml"}, 2, "invalid_flow"},
                                {{"health"}, 2, "usage"},
                                {{"breakers"}, 0, nullptr},
                                {{"breakers", "rest", "x"}, 2, "usage"},
                                {{"breakers", "reset", "x"}, 6, "no_such_breaker"},
                                {{"limits"}, 0, nullptr},
                                {{"kinds"}, 0, nullptr},
                                {{"kinds", "htp"}, 2, "usage"},
                                {{"schema"}, 0, nullptr},
                                {{"eval", "1 + 1"}, 0, nullptr},
                                {{"eval", "1 +"}, 2, "expression"},
                                {{"nope"}, 2, "usage"}};
  for (const Case& each : cases) {
    Names arguments = each.arguments;
    arguments.push_back("--json");
    const Ran ran = world.canorun(arguments);
    INFO(ran.out, ran.err, " of ", arguments[0], " ", each.error == nullptr ? "" : each.error);
    CHECK(ran.code == each.code);
    const auto documents = json_lines(ran.out);
    REQUIRE(documents.size() == 1);
    const Json& document = documents[0];
    const bool is_error = document.is_object() && document.contains("error") && !document.contains("id");
    CHECK(is_error == (each.error != nullptr));
    if (is_error && each.error != nullptr) CHECK(document["error"]["kind"] == each.error);
    if (is_error) CHECK(document.contains("diagnostics") == (each.code == 2));
  }
}

TEST_CASE("cancel --json prints the run that it ended") {
  const World world;
  world.file("flow.yaml", kSteps);
  REQUIRE(world.canorun({"run", "flow.yaml", "--id", "r1"}, {{"CANORUN_CRASH", "after:1"}}).signal == SIGKILL);
  const Json run = world.json({"cancel", "r1"});
  CHECK(run["status"] == "cancelled");
  CHECK(run == world.json({"show", "r1"}));
  CHECK(world.json({"cancel", "r1"}) ==
        Json{{"error", {{"kind", "run_over"}, {"message", "run 'r1' is over: cancelled"}}}});
}

TEST_CASE("events and logs print one JSON document per line") {
  const World world;
  world.file("flow.yaml", kOrder);
  REQUIRE(world.canorun({"run", "flow.yaml", "-i", "order_id=A1", "-i", "amount=1", "--id", "r1"}).code == 0);
  Names types;
  int sequence = 0;
  for (const Json& event : json_lines(world.canorun({"events", "r1", "--json"}).out)) {
    CHECK(event["seq"] == sequence++);
    types.push_back(event["type"]);
  }
  CHECK(types == Names{"run_started", "state_entered", "state_ended", "run_ended"});
  const auto logs = json_lines(world.canorun({"logs", "r1", "--json"}).out);
  REQUIRE(logs.size() == 1);
  CHECK(logs[0]["state"] == "work");
  CHECK(logs[0]["stream"] == "stdout");
  CHECK(logs[0]["text"] == "chatter of A1\n");
  CHECK(said(world, {"logs", "r1"}) == "0\n==> work, visit 1, attempt 1 <==\nchatter of A1\n");
  CHECK(said(world, {"logs", "r1", "wrok"}) ==
        "2\nerror: run 'r1' did not enter a state 'wrok'\nhint: did you mean 'work'?\n");
}

TEST_CASE("stdout has the answer, and stderr the progress") {
  const World world;
  world.file("flow.yaml", kOrder);
  const Ran ran = world.canorun({"run", "flow.yaml", "-i", "order_id=A1", "-i", "amount=1", "--id", "r1"});
  CHECK(ran.out.starts_with("r1 succeeded in "));
  CHECK(ran.out.ends_with("\n{\"order\":\"A1\"}\n"));
  CHECK(std::count(ran.out.begin(), ran.out.end(), '\n') == 2);
  CHECK(ran.err.starts_with("r1: started flow order\nwork: started\nwork: ok in "));
  CHECK(std::count(ran.err.begin(), ran.err.end(), '\n') == 3);
  const Ran quiet = world.canorun({"run", "flow.yaml", "-i", "order_id=A1", "-i", "amount=1", "--quiet"});
  CHECK(quiet.code == 0);
  CHECK(quiet.out + quiet.err == "");
}

TEST_CASE("a state that failed is told once, and not as started again") {
  const World world;
  world.file("flow.yaml", kSteps);
  const Ran ran = world.canorun({"run", "flow.yaml", "--id", "r1"});
  CHECK(ran.code == 1);
  CHECK(ran.err.ends_with(": exit code 1\n" + kNextOfB));
  std::size_t started = 0;
  for (std::size_t at = 0; (at = ran.err.find("b: started", at)) != std::string::npos; ++at) ++started;
  CHECK(started == 1);
}

TEST_CASE("--dry-run and --no-store leave no store behind, and --dry-run runs nothing") {
  const World world;
  world.file("flow.yaml", kOrder);
  const Names inputs{"run", "flow.yaml", "-i", "order_id=A1", "-i", "amount=1"};
  Names dry = inputs;
  dry.push_back("--dry-run");
  CHECK(said(world, dry) == "0\norder version 0, 2 states: nothing was run\n  file    " + world.folder() +
                                "/flow.yaml\n"
                                "  inputs  amount = 1.0\n          count = 1\n          order_id = \"A1\"\n\n"
                                "work  shell  (start)\n  script  echo \"chatter of ${{ inputs.order_id }}\"; echo ran "
                                ">> ran\n  next    done\n\n"
                                "done  exit success\n  output  {\"order\":\"A1\"}\n");
  CHECK(world.json(dry)["start"] == "work");
  CHECK(!exists(world.folder() + "/ran"));
  Names kept_nowhere = inputs;
  kept_nowhere.push_back("--no-store");
  CHECK(world.json(kept_nowhere)["status"] == "succeeded");
  CHECK(read_file(world.folder() + "/ran") == "ran\n");
  CHECK(!exists(world.store()));
  CHECK(said(world, {"list"}) == "0\nno runs\n");
  CHECK(said(world, {"show", "r1"}) == "6\nerror: no run has the id 'r1'\nhint: `canorun list` shows all runs\n");
  CHECK(!exists(world.store()));
}

TEST_CASE("validate tells all problems of all files") {
  const World world;
  world.file("good.yaml", kSteps);
  world.file("bad.yaml", "name: bad\ncolour: red\nstates:\n  a: {run: 'true', next: dnoe}\n  done: {exit: success}\n");
  world.file("worse.yaml", "name: worse\nstates:\n  a: {task: htp, next: done}\n  done: {exit: success}\n");
  const Ran ran = world.canorun({"validate", "bad.yaml", "good.yaml", "worse.yaml", "none.yaml"});
  CHECK(ran.code == 2);
  CHECK(ran.out ==
        "good.yaml: ok: 4 states, 1 exit\n"
        "  exits         done: from every state one can be reached\n"
        "  longest path  4 states: a → b → c → done\n"
        "  loops         none: no state is entered twice\n");
  CHECK(ran.err ==
        "bad.yaml:2:1: error: unknown key 'colour' in a flow [unknown-key]\n    2 | colour: red\n      | ^^^^^^ known: "
        "name, "
        "version, description, start, inputs, vars, env, timeout, compensation_timeout, max_transitions, "
        "concurrency, defaults, and 4 more\n"
        "bad.yaml:4:26: error: unknown state 'dnoe' [unknown-state]\n    4 |   a: {run: 'true', next: dnoe}\n"
        "      |                          ^^^^ did you mean 'done'?\n"
        "worse.yaml:3:13: error: unknown task kind 'htp' [unknown-kind]\n    3 |   a: {task: htp, next: done}\n"
        "      |             ^^^ did you mean 'http'?\n"
        "none.yaml: error: there is no such file [unreadable-file]\n      give the path of a flow file\n");
  const Json all = world.json({"validate", "bad.yaml", "good.yaml", "worse.yaml", "none.yaml"});
  REQUIRE(all.size() == 4);
  CHECK(all[1] == Json{{"file", "bad.yaml"},
                       {"line", 4},
                       {"column", 26},
                       {"severity", "error"},
                       {"code", "unknown-state"},
                       {"message", "unknown state 'dnoe'"},
                       {"hint", "did you mean 'done'?"}});
  CHECK(world.canorun({"validate", "good.yaml"}).code == 0);
  CHECK(world.json({"validate", "good.yaml"}) == Json::array());
}

TEST_CASE("a warning lets a flow pass, unless --strict makes it an error") {
  const World world;
  world.file("flow.yaml", R"yaml(name: careless
inputs: {n: {type: int, default: 1}}
states:
  a: {task: pass, next: [{when: inputs.n == 1, to: done}]}
  done: {exit: success}
)yaml");
  const std::string warning =
      "flow.yaml:4:33: warning: state 'a' fails when none of its rules holds [no-unconditional-next]\n"
      "    4 |   a: {task: pass, next: [{when: inputs.n == 1, to: done}]}\n"
      "      |                                 ^^^^^^^^^^^^^ end the rules with one that has no 'when'\n";
  const std::string proven =
      "flow.yaml: ok: 2 states, 1 exit\n"
      "  exits         done: from every state one can be reached\n"
      "  longest path  2 states: a → done\n"
      "  loops         none: no state is entered twice\n";
  CHECK(said(world, {"validate", "flow.yaml"}) == "0\n" + proven + warning);
  CHECK(said(world, {"validate", "flow.yaml", "--quiet"}) == "0\n");
  CHECK(said(world, {"validate", "flow.yaml", "--strict"}) == "2\n" + warning);
  const Json all = world.json({"validate", "flow.yaml", "--strict"});
  REQUIRE(all.size() == 1);
  CHECK(all[0]["severity"] == "warning");
  CHECK(world.canorun({"run", "flow.yaml", "--no-store"}).err.starts_with(warning));
}

TEST_CASE("schema prints one JSON document, by which flows are checked, and takes nothing") {
  const World world;
  const Ran plain = world.canorun({"schema"});
  CHECK(plain.code == 0);
  CHECK(plain.err.empty());
  const auto schema = parse_json(plain.out);
  REQUIRE(schema);
  CHECK(plain.out == schema->dump(2) + "\n");
  CHECK(world.json({"schema"}) == *schema);
  CHECK((*schema)["$schema"] == "https://json-schema.org/draft/2020-12/schema");
  CHECK((*schema)["$id"] == "urn:canorun:flow");
  CHECK((*schema)["title"] == "canorun flow");
  CHECK((*schema)["required"] == Json{"name", "states"});
  CHECK((*schema)["$defs"]["task_state"]["properties"]["task"]["enum"] ==
        Json{"exec", "fail", "file", "flow", "http", "log", "pass", "shell"});
  CHECK(said(world, {"schema", "flow.yaml"}) ==
        "2\nerror: unexpected argument 'flow.yaml'\nhint: usage: canorun schema [OPTIONS]\n");
  CHECK(!exists(world.store()));
}

TEST_CASE("eval prints values, and what is wrong with an expression") {
  const World world;
  CHECK(said(world, {"eval", "1 + 2"}) == "0\n3\n");
  CHECK(said(world, {"eval", "'te' + 'xt'"}) == "0\ntext\n");
  CHECK(said(world, {"eval", "'te' + 'xt'", "--json"}) == "0\n\"text\"\n");
  CHECK(said(world, {"eval", "a.b[1]", "--bind", R"json({"a": {"b": [1, 2]}})json"}) == "0\n2\n");
  CHECK(said(world, {"eval", "1 +"}) ==
        "2\nexpression:1:4: error: expected a value, found the end [expression-syntax]\n    1 | 1 +\n      |    ^\n"
        "error: the expression has no value\n");
  CHECK(said(world, {"eval", "xy"}) ==
        "2\nexpression:1:1: error: unknown name 'xy' [unknown-name]\n    1 | xy\n      | ^^\n"
        "error: the expression has no value\n");
  CHECK(said(world, {"eval", "1 / 0"}) ==
        "2\nexpression:1:3: error: division by zero [expression-type]\n    1 | 1 / 0\n      |   ^\n"
        "error: the expression has no value\n");
  CHECK(said(world, {"eval", "x", "--bind", "[1]"}) == "2\nerror: --bind must be a JSON object, not list\n");
  CHECK(said(world, {"eval", "x", "--bind", "{"}) ==
        "2\nerror: --bind: not JSON: syntax error at byte 2\nhint: write a JSON object\n");
}

TEST_CASE("eval tells all mistakes of types before it evaluates") {
  const World world;
  CHECK(said(world, {"eval", "[1 + 'a', !2]"}) ==
        "2\nexpression:1:4: error: '+' does not go with int and string [expression-type]\n    1 | [1 + 'a', !2]\n"
        "      |    ^ convert with string()\n"
        "expression:1:12: error: '!' does not go with int [expression-type]\n    1 | [1 + 'a', !2]\n"
        "      |            ^\n"
        "error: the expression has no value\n");
  CHECK(said(world, {"eval", "n * 0.5", "--bind", R"json({"n": 3})json"}) == "0\n1.5\n");
}

TEST_CASE("eval --type prints the type, and names have that of their values") {
  const World world;
  const std::string bound =
      R"json({"n": 3, "list": [1, 2], "mixed": [1, "a"], "a": {"b": [1.5]}, "nothing": null})json";
  const auto type = [&](const char* expression) {
    return said(world, {"eval", expression, "--type", "--bind", bound});
  };
  CHECK(type("n") == "0\nint\n");
  CHECK(type("list.map(x, {x: string(x)})") == "0\nlist(map(int, string))\n");
  CHECK(type("mixed") == "0\nlist(dyn)\n");
  CHECK(type("a.b[0]") == "0\ndouble\n");
  CHECK(type("a.other") == "0\ndyn\n");
  CHECK(type("nothing") == "0\ndyn\n");
  CHECK(type("1 / 0") == "0\nint\n");
  CHECK(type("n * 0.5") ==
        "2\nexpression:1:3: error: '*' does not go with int and double [expression-type]\n    1 | n * 0.5\n"
        "      |   ^ convert with double()\nerror: the expression has no type\n");
  CHECK(said(world, {"eval", "1", "--type", "--json"}) == "0\n\"int\"\n");
}

TEST_CASE("kinds lists all kinds, and one with its parameters, output and example") {
  const World world;
  Names names;
  for (const Json& kind : world.json({"kinds"})) names.push_back(kind["name"]);
  CHECK(names == Names{"exec", "fail", "file", "flow", "http", "log", "pass", "shell"});
  CHECK(world.canorun({"kinds"}).out.find("http   Sends one HTTP request.") != std::string::npos);
  const std::string http = world.canorun({"kinds", "http"}).out;
  CHECK(http.starts_with("http: Sends one HTTP request. "));
  for (const char* part :
       {"\nParameters:\n", "  url       a string                            required  http:// or https://\n",
        "  save_to   a string ", "\nOutput:\n", "  status       int ", "\nExample:\n  charge:\n    task: http\n"}) {
    CAPTURE(part);
    CHECK(http.find(part) != std::string::npos);
  }
  const std::string shell = world.canorun({"kinds", "shell"}).out;
  CHECK(shell.find("  lines        list(string)      with parse: lines  stdout, line by line\n") != std::string::npos);
  const Json outputs = world.json({"kinds", "shell"})["output"];
  CHECK(outputs[1] == Json{{"name", "exit_code"}, {"type", "int"}, {"doc", "one of `ok_exit_codes`"}});
  CHECK(outputs[2] ==
        Json{{"name", "json"}, {"type", "dyn"}, {"doc", "stdout, read"}, {"with", {{"parse", {"json"}}}}});
  CHECK(said(world, {"kinds", "htp"}) == "2\nerror: there is no kind 'htp'\nhint: did you mean 'http'?\n");
}

TEST_CASE("list shows the newest first, and what its filters let through") {
  const World world;
  world.file("ok", "");
  world.file("flow.yaml", kSteps);
  world.file("other.yaml",
             "name: other\nstates: {a: {task: fail, with: {message: no}, next: done}, done: {exit: success}}\n");
  CHECK(world.json({"list"}) == Json::array());
  REQUIRE(world.canorun({"run", "flow.yaml", "--id", "r1"}).code == 0);
  REQUIRE(world.canorun({"run", "other.yaml", "--id", "r2"}).code == 1);
  REQUIRE(world.canorun({"run", "flow.yaml", "--id", "r3"}).code == 0);
  CHECK(ids(world.json({"list"})) == Names{"r3", "r2", "r1"});
  CHECK(ids(world.json({"list", "--flow", "steps"})) == Names{"r3", "r1"});
  CHECK(ids(world.json({"list", "--flow", "steps", "--limit", "1"})) == Names{"r3"});
  CHECK(ids(world.json({"list", "--status", "failed"})) == Names{"r2"});
  CHECK(ids(world.json({"list", "--status", "failed", "--flow", "steps"})) == Names{});
  const Json first = world.json({"list", "--status", "failed"})[0];
  CHECK(first["status"] == "failed");
  CHECK(first["state"] == "a");
  CHECK(first.size() == 8);
  const std::string table = world.canorun({"list", "--flow", "other"}).out;
  CHECK(table.starts_with("ID  STATUS  STATE  STARTED"));
  CHECK(table.find("\nr2  failed  a      20") != std::string::npos);
}

TEST_CASE("run --or-resume starts what is unknown, resumes what failed, and is content with success") {
  const World world;
  world.file("flow.yaml", kSteps);
  const Names arguments{"run", "flow.yaml", "--id", "r1", "--or-resume"};
  CHECK(world.canorun(arguments).code == 1);
  CHECK(world.canorun(arguments).code == 1);
  world.file("ok", "");
  CHECK(world.canorun(arguments).code == 0);
  CHECK(read_file(world.folder() + "/trace") == "a\nb\nb\nb\nc\n");
  CHECK(said(world, arguments) == "0\nr1 has succeeded already\n");
  CHECK(world.json(arguments)["status"] == "succeeded");
  CHECK(read_file(world.folder() + "/trace") == "a\nb\nb\nb\nc\n");
}

TEST_CASE("resume --from enters the state that a person names") {
  const World world;
  world.file("flow.yaml", kSteps);
  REQUIRE(world.canorun({"run", "flow.yaml", "--id", "r1"}).code == 1);
  CHECK(said(world, {"resume", "r1", "--from", "cc"}) ==
        "2\nerror: flow 'steps' has no state 'cc'\nhint: did you mean 'c'?\n");
  const Json run = world.json({"resume", "r1", "--from", "c"});
  CHECK(run["status"] == "succeeded");
  CHECK(run["path"] == Json{"a", "b", "c", "done"});
  CHECK(read_file(world.folder() + "/trace") == "a\nb\nc\n");
  CHECK(said(world, {"resume", "r1", "--from", "c"}) ==
        "6\nerror: run 'r1' is over: succeeded\nhint: see what it did with: canorun show r1\n");
}

TEST_CASE("resume --file takes a new text of the same version, and refuses every other flow") {
  const World world;
  world.file("flow.yaml", kSteps);
  world.file("later.yaml", replaced(kSteps, "name: steps", "name: steps\nversion: 1"));
  world.file("other.yaml", replaced(kSteps, "name: steps", "name: other"));
  world.file("fixed.yaml", replaced(kSteps, "[ -e ok ]", "echo fixed >> trace"));
  REQUIRE(world.canorun({"run", "flow.yaml", "--id", "r1"}).code == 1);
  const std::string before = world.canorun({"events", "r1", "--json"}).out;
  CHECK(said(world, {"resume", "r1", "--file", "later.yaml"}) ==
        "2\nerror: run 'r1' is of version 0 of 'steps', and this is version 1\n"
        "hint: leave --file away to go on with the version that the run has, or add --migrate\n");
  CHECK(world.json({"resume", "r1", "--file", "later.yaml"})["error"]["kind"] == "version_mismatch");
  CHECK(said(world, {"resume", "r1", "--file", "other.yaml"}) ==
        "2\nerror: run 'r1' is of flow 'steps', not of 'other'\n");
  CHECK(world.canorun({"events", "r1", "--json"}).out == before);
  CHECK(world.json({"show", "r1"})["status"] == "failed");
  CHECK(world.json({"resume", "r1", "--file", "fixed.yaml"})["status"] == "succeeded");
  CHECK(read_file(world.folder() + "/trace") == "a\nb\nb\nfixed\nc\n");
}

TEST_CASE("an id that is looked for where there is no store is unknown, and makes none") {
  const World world;
  for (const char* verb : {"show", "cancel", "resume"}) {
    CAPTURE(verb);
    CHECK(said(world, {verb, "r1"}) == "6\nerror: no run has the id 'r1'\nhint: `canorun list` shows all runs\n");
  }
  CHECK(!exists(world.store()));
}

TEST_CASE("a run that has failed is not cancelled: its error stays what it was") {
  const World world;
  world.file("flow.yaml", kSteps);
  REQUIRE(world.canorun({"run", "flow.yaml", "--id", "r1"}).code == 1);
  const std::string before = world.canorun({"show", "r1", "--json"}).out;
  CHECK(said(world, {"cancel", "r1"}) == "6\nerror: run 'r1' is over: failed\n");
  CHECK(world.canorun({"show", "r1", "--json"}).out == before);
}

TEST_CASE("resume --all goes on with what was interrupted, oldest first, and leaves what failed alone") {
  const World world;
  world.file("flow.yaml", kSteps);
  CHECK(said(world, {"resume", "--all"}) == "0\nno run is interrupted or suspended\n");
  REQUIRE(world.canorun({"run", "flow.yaml", "--id", "failed"}).code == 1);
  REQUIRE(world.canorun({"run", "flow.yaml", "--id", "r1"}, {{"CANORUN_CRASH", "after:1"}}).signal == SIGKILL);
  REQUIRE(world.canorun({"run", "flow.yaml", "--id", "r2"}, {{"CANORUN_CRASH", "after:3"}}).signal == SIGKILL);
  CHECK(ids(world.json({"list", "--status", "interrupted"})) == Names{"r2", "r1"});
  CHECK(world.canorun({"resume", "--all", "--json"}).code == 1);
  CHECK(ids(world.json({"list", "--status", "failed"})) == Names{"r2", "r1", "failed"});
  REQUIRE(world.canorun({"run", "flow.yaml", "--id", "r3"}, {{"CANORUN_CRASH", "after:1"}}).signal == SIGKILL);
  REQUIRE(world.canorun({"run", "flow.yaml", "--id", "r4"}, {{"CANORUN_CRASH", "after:3"}}).signal == SIGKILL);
  world.file("ok", "");
  const Json resumed = world.json({"resume", "--all"});
  CHECK(ids(resumed) == Names{"r3", "r4"});
  CHECK(resumed[0]["status"] == "succeeded");
  CHECK(resumed[1]["status"] == "succeeded");
  CHECK(world.json({"show", "failed"})["status"] == "failed");
}
