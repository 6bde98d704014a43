// The schema that editors use, tried by a validator that is not ours: it takes every good flow, and
// finds in the golden flows what a schema can find.
#include "workflows/schema.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <regex>
#include <set>

#include "engine/expr/template.h"
#include "support/program.h"
#include "workflows/flows.h"
#include "workflows/manual.h"

using namespace canorun;
using namespace canorun::workflows;
namespace fs = std::filesystem;

namespace {

const std::string kSource = CANORUN_SOURCE_DIR;

// Golden flows whose mistakes are beyond a schema, or that have none: they are about where states go
// and what expressions and scripts mean. Of what is no YAML the validator says so.
const std::set<std::string> kBeyond{"carets_of_types.yaml",   "good.yaml",
                                    "good_shapes.yaml",       "group_of_list.yaml",
                                    "group_of_secret.yaml",   "guarded_by_null.yaml",
                                    "maybe_not_run.yaml",     "names_in_shapes.yaml",
                                    "never_holds.yaml",       "never_succeeds.yaml",
                                    "no_exit.yaml",           "no_path_to_exit.yaml",
                                    "no_resources.yaml",      "no_unconditional_next.yaml",
                                    "not_yet_run.yaml",       "results_of_defaults.yaml",
                                    "results_of_shapes.yaml", "results_told_once.yaml",
                                    "run_error.yaml",         "scripts.yaml",
                                    "shadowed.yaml",          "timeout_too_short.yaml",
                                    "types_of_shapes.yaml",   "unguarded_loop.yaml",
                                    "unreachable.yaml",       "yaml_own_tags.yaml"};

std::vector<std::string> yaml_files(const std::string& folder) {
  std::vector<std::string> found;
  for (const auto& entry : fs::directory_iterator(kSource + "/" + folder)) {
    if (entry.path().extension() == ".yaml") found.push_back(entry.path().string());
  }
  std::ranges::sort(found);
  return found;
}

/// What is found in each of the files: below its name a line for each mistake.
std::string found_in(std::vector<std::string> files) {
  const testing::TempFolder folder;
  // The Python that Debian's packages are for.
  std::vector<std::string> argv{"/usr/bin/python3", kSource + "/tests/workflows/check_by_schema.py",
                                folder.write("schema.json", flow_schema(tasks::catalog()).dump())};
  argv.insert(argv.end(), files.begin(), files.end());
  const test::Ran ran = test::run_program({.argv = argv});
  INFO(ran.err);
  REQUIRE(ran.code == 0);
  return ran.out;
}

std::string names_only(std::vector<std::string> files) {
  std::string names;
  for (const std::string& file : files) names += file + "\n";
  return names;
}

}  // namespace

TEST_CASE("the schema takes every example and every flow of the documents") {
  const testing::TempFolder folder;
  std::vector<std::string> files = yaml_files("workflows/examples");
  const auto add = [&](const std::string& name, const std::string& text) { files.push_back(folder.write(name, text)); };
  for (const auto& example : testing::readme_examples()) add("README.md:" + std::to_string(example.line), example.text);
  for (const auto& example : testing::manual_examples()) add("FORMAT.md:" + std::to_string(example.line), example.text);
  for (const model::TaskKind& kind : tasks::catalog()) {
    std::string states;
    for (const char c : kind.example) states += c == '\n' ? std::string("\n  ") : std::string(1, c);
    add("kind " + std::string(kind.name), "name: x\nstates:\n  " + states + "done: {exit: success}\n");
  }
  CHECK(files.size() >= 40);
  CHECK(found_in(files) == names_only(files));
}

TEST_CASE("the schema takes no line break behind a value, as the reader does not") {
  const testing::TempFolder folder;
  const std::string flow = "name: x\ntimeout: \"5s\\n\"\nstates: {\"a\\n\": {exit: success}}\n";
  const std::string file = folder.write("flow.yaml", flow);
  CHECK(testing::load(flow).flow == nullptr);
  CHECK(found_in({file}) == file + "\n  /states pattern\n  /timeout pattern\n");
}

TEST_CASE("the schema takes what the reader takes, however odd") {
  // Where a text is wanted any scalar is one; templates may stand for values of any type.
  const std::string odd =
      "name: 2024\n"
      "version: 0\n"
      "description: true\n"
      "start: _1\n"
      "inputs:\n"
      "  a: any\n"
      "  b: {type: double, default: 3, enum: [3, 4.5]}\n"
      "  c: {type: any, default: {deep: [1, '$${{ no template }}']}}\n"
      "  d: {type: string, default: yes}\n"
      "vars: {v: {k: ['${{ inputs.a }}']}, w: null}\n"
      "env: {N: 012, B: false, 'odd name': x, T: '${{ inputs.d }}'}\n"
      "timeout: 1d2h3m4s5ms\n"
      "keep: 0s\n"
      "defaults: {cwd: 7, retry: none}\n"
      "states:\n"
      "  _1:\n"
      "    run: 1\n"
      "    env: '${{ inputs.a }}'\n"
      "    shell: [sh, -e]\n"
      "    ok_exit_codes: [0, '${{ inputs.a }}']\n"
      "    stdin: [1, {a: '${{ inputs.a }}'}]\n"
      "    retry: {max: 0, when: '${{ true }}', factor: 1.5, cap: 0ms}\n"
      "    on_error: [{when: true, to: web}]\n"
      "    next: web\n"
      "  web:\n"
      "    task: http\n"
      "    with: {url: '${{ inputs.d }}', method: '${{ inputs.d }}', expect: [200, '201', 300-399, '${{ inputs.a "
      "}}'],\n"
      "           follow: '${{ inputs.a }}', headers: {Age: 3}, max_body: 1024, query: '${{ inputs.a }}'}\n"
      "    next: tar\n"
      "  tar: {task: exec, with: {argv: '${{ inputs.a }}', capture: '${{ inputs.d }}', parse: none}, next: pause}\n"
      "  pause: {timer: {for: '${{ inputs.d }}'}, set: {w: [1]}, next: then}\n"
      "  then: {timer: {until: '2026-01-01 00:00:00.5z'}, next: end}\n"
      "  end: {exit: success, output: null}\n";
  const testing::TempFolder folder;
  const std::string file = folder.write("odd.yaml", odd);
  CHECK(testing::problems(testing::load(odd)) == "");
  CHECK(found_in({file}) == file + "\n");
}

TEST_CASE("the schema takes the shapes in every form that the reader takes") {
  const std::string odd =
      "name: x\n"
      "inputs: {l: list, a: any}\n"
      "states:\n"
      "  a:\n"
      "    split: {branches: {_: {run: 1, env: '${{ inputs.a }}', retry: none}, B: {task: pass}}, join: {percentage: "
      "'75'}, bulkhead: 99999999999}\n"
      "    timeout: 1d2h\n"
      "    next: b\n"
      "  b: {split: {for_each: '${{ inputs.l }}', as: _x, do: {run: x}, join: {percentage: 0.01}}, next: c}\n"
      "  c: {split: {for_each: inputs.l, do: {run: x}, join: {percentage: 100.00%}}, next: d}\n"
      "  d: {batch: {items: '[]', do: {run: x, shell: [sh]}, min_success: 0%, concurrency: 1}, next: e}\n"
      "  e: {poll: {do: {run: x}, until: true, backoff: {delay: 1ms, factor: 1, jitter: 0}, max_errors: 0}, next: f}\n"
      "  f: {stepped: {initial: [1, {a: '${{ inputs.a }}'}], do: {task: pass}, cursor: '${{ dyn(null) }}'}, next: g}\n"
      "  g: {stream: {source: {file: 7, follow: false}, initial: null, parse: text, window: {count: 1, every: 1ms},\n"
      "      flush: {task: pass}, on_item_error: {max_errors: 0}, stop_when: false}, next: h}\n"
      "  h: {stream: {source: {task: exec, with: {argv: [x]}}, cursor: '1', window: {every: 1d}, flush: {run: x},\n"
      "      on_item_error: fail}, next: i}\n"
      "  i: {wait: {signal: 5, type: any}, set: {}, next: end}\n"
      "  end: {exit: success}\n";
  const testing::TempFolder folder;
  const std::string file = folder.write("odd.yaml", odd);
  CHECK(testing::problems(testing::load(odd)) == "");
  CHECK(found_in({file}) == file + "\n");
}

TEST_CASE("the schema takes what runs share, services and what is done at the end, in every form") {
  const std::string odd =
      "name: x\n"
      "inputs: {s: {secret: true, type: string}, t: {type: any, secret: false, default: 1, enum: [1]}, l: list}\n"
      "concurrency: {group: 7, on_conflict: cancel_running}\n"
      "resources:\n"
      "  breakers: {_: {}, B: {failure_threshold: 1000000000, reset_timeout: 1ms, half_open_max_calls: 1, scope: "
      "run}}\n"
      "  rate_limits:\n"
      "    a: {tokens: 1, per: 1ms, burst: 0, on_limit: wait, scope: shared}\n"
      "    b: {limit: 1000000000, window: 1d2h, on_limit: fail, scope: run}\n"
      "  services:\n"
      "    s: {setup: {run: x, retry: none, env: {A: '${{ vars.v }}'}}}\n"
      "    t: {teardown: {task: pass}, health: {task: exec, with: {argv: [x]}, breaker: _, rate_limit: a}}\n"
      "on_end:\n"
      "  - {run: 1, when: true, parse: json, cwd: x}\n"
      "  - {when: '${{ run.error == null }}', task: log, with: {message: '${{ run.status }}'}, timeout: 1s}\n"
      "  - {task: pass}\n"
      "vars: {v: 1}\n"
      "states:\n"
      "  a: {run: x, breaker: B, rate_limit: [a, {name: b, cost: 1000000000}], next: b}\n"
      "  b: {task: pass, rate_limit: {name: b}, next: c}\n"
      "  c: {split: {for_each: inputs.l, do: {run: x, breaker: _, rate_limit: [{cost: 1, name: a}]}}, next: end}\n"
      "  end: {exit: success}\n";
  const testing::TempFolder folder;
  const std::string file = folder.write("odd.yaml", odd);
  CHECK(testing::problems(testing::load(odd)) == "");
  CHECK(found_in({file}) == file + "\n");
  const std::string none =
      "name: x\nresources: {breakers: {}, rate_limits: {}, services: {}}\non_end: []\nstates: {end: {exit: success}}\n";
  const std::string empty = folder.write("none.yaml", none);
  CHECK(testing::problems(testing::load(none)) == "");
  CHECK(found_in({empty}) == empty + "\n");
}

TEST_CASE("the schema takes what undoes actions, in every place and form") {
  const std::string odd =
      "name: x\n"
      "compensation_timeout: 1ms\n"
      "inputs: {l: list, a: any}\n"
      "resources: {breakers: {b: {}}, rate_limits: {l: {tokens: 1, per: 1s}}}\n"
      "states:\n"
      "  a: {run: x, compensate: {run: 1, after: start, parse: json, env: '${{ inputs.a }}', retry: none}, next: b}\n"
      "  b: {task: pass, compensate: {task: exec, with: {argv: [x]}, after: success, timeout: 1s, breaker: b,\n"
      "      rate_limit: [{name: l, cost: 1}], retry: {max: 1, when: true}}, next: c}\n"
      "  c: {split: {branches: {_: {run: x, compensate: {task: pass}}, B: {task: pass}}}, next: d}\n"
      "  d: {split: {for_each: inputs.l, do: {task: pass, compensate: {run: x}}}, next: e}\n"
      "  e: {batch: {items: inputs.l, do: {run: x, shell: [sh], compensate: {run: x, shell: [sh]}}}, next: end}\n"
      "  end: {exit: rollback, output: '${{ inputs.a }}'}\n";
  const testing::TempFolder folder;
  const std::string file = folder.write("odd.yaml", odd);
  CHECK(testing::problems(testing::load(odd)) == "");
  CHECK(found_in({file}) == file + "\n");
}

TEST_CASE("what a schema can catch of the golden flows it catches") {
  const std::vector<std::string> files = yaml_files("tests/golden/diagnostics");
  std::string found = found_in(files);
  const std::string folder = kSource + "/tests/golden/diagnostics/";
  for (std::size_t at = 0; (at = found.find(folder, at)) != std::string::npos;) found.erase(at, folder.size());
  for (const std::string& file : files) {
    const std::string name = fs::path(file).filename();
    const std::string lines = "\n" + found;
    const auto next = lines.find("\n" + name + "\n") + name.size() + 2;
    CHECK_MESSAGE((lines.compare(next, 2, "  ") == 0) != kBeyond.contains(name), name);
  }
  const std::string golden = kSource + "/tests/golden/schema/found.txt";
  if (std::getenv("CANORUN_ACCEPT") != nullptr) test::write_file(golden, found);
  CHECK(found == test::read_file(golden));
}

TEST_CASE("every key of the schema says what it is for") {
  const std::function<void(const std::string&, const Json&)> look = [&](const std::string& place, const Json& schema) {
    if (schema.contains("properties") && schema.value("type", Json()) == "object") {
      for (const auto& [name, value] : schema["properties"].items()) {
        CHECK_MESSAGE(!value.value("description", "").empty(), place << "/" << name);
      }
    }
    for (const auto& [name, value] : schema.items()) {
      if (value.is_object()) look(place + "/" + name, value);
    }
  };
  look("", flow_schema(tasks::catalog()));
}

TEST_CASE("what a schema takes for a template is one") {
  const auto matches = [](const Json& schema, const std::string& text) {
    return std::regex_search(text, std::regex(schema["pattern"].get<std::string>()));
  };
  const model::Param param{.name = "p", .type = model::ParamType::kInt, .doc = "any"};
  const Json with = param_schema(param);
  const Json without = flow_schema(tasks::catalog())["$defs"]["text"];
  for (const std::string text :
       {"", "${{", "$${{", "$$${{", "a${{ x }}", "a$${{ x }}", "$${{ x }} ${{ y }}", "${{${{", "$${{${{", "$${{$${{",
        "a\n${{ x }}", "\n$${{ x }}", "{{ x }}", "$ {{", "$${{\n${{ x }}"}) {
    CHECK_MESSAGE(matches(with, text) == expr::has_template(text), text);
    CHECK_MESSAGE(matches(without, text) == !expr::has_template(text), text);
  }
}

TEST_CASE("a parameter's schema follows its type, and lets templates in where they may stand") {
  const auto made = [](model::ParamType type, bool literal) {
    Json schema = param_schema({.name = "p", .type = type, .doc = "what it is", .literal = literal});
    CHECK(schema["description"] == "what it is");
    schema.erase("description");
    return schema.dump();
  };
  using enum model::ParamType;
  CHECK(made(kString, true) == R"({"$ref":"#/$defs/text"})");
  CHECK(made(kString, false) == R"({"$ref":"#/$defs/text_template"})");
  CHECK(made(kInt, true) == R"({"type":"integer"})");
  CHECK(
      made(kInt, false) ==
      R"({"pattern":"(^|[^$])\\$\\{\\{","patternErrorMessage":"an int, or a template that gives one","type":["integer","string"]})");
  CHECK(made(kBool, true) == R"({"type":"boolean"})");
  CHECK(made(kAny, true) == R"({"$ref":"#/$defs/literal"})");
  CHECK(made(kAny, false) == R"({"$ref":"#/$defs/value"})");
  CHECK(made(kMap, true) == R"({"additionalProperties":{"$ref":"#/$defs/literal"},"type":"object"})");
  CHECK(made(kStringMap, true) == R"({"additionalProperties":{"$ref":"#/$defs/text"},"type":"object"})");
  CHECK(
      made(kEnvironment, true) ==
      R"({"additionalProperties":{"$ref":"#/$defs/text"},"propertyNames":{"pattern":"^[^=\\u0000]+$","patternErrorMessage":"the name of an environment variable"},"type":"object"})");
  CHECK(made(kStringList, true) == R"({"items":{"$ref":"#/$defs/text"},"minItems":1,"type":"array"})");
  CHECK(made(kIntList, true) == R"({"items":{"type":"integer"},"minItems":1,"type":"array"})");
  CHECK(
      made(kDuration, true) ==
      R"json({"pattern":"^((?=.)([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?)$","patternErrorMessage":"a duration, like 250ms, 30s or 1m30s","type":"string"})json");
}
