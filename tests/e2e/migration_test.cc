// Another definition for a run that is there.
#include "canorun.h"

using namespace canorun;
using namespace canorun::test;

namespace {

constexpr const char* kFirst = R"yaml(
name: f
version: 1
states:
  a: {run: 'echo 7', compensate: {run: 'echo first ${{ output.stdout }} >> undone'}, next: b}
  b: {run: 'exit 4', next: old}
  old: {run: 'true', next: done}
  done: {exit: success}
)yaml";

constexpr const char* kSecond = R"yaml(
name: f
version: 2
inputs: {n: {type: int, default: 4}}
vars: {seen: "${{ inputs.n + 1 }}"}
states:
  a:   # written otherwise, and not altered but for its compensation
    run: 'echo 7'
    compensate: {run: 'echo second ${{ output.stdout }} ${{ string(vars.seen) }} >> undone'}
    next: b
  b: {run: 'exit 5', next: extra}
  extra: {run: 'true', next: done}
  done: {exit: success}
)yaml";

// Killed when it had begun `b`, which owes what `a` did.
struct Killed : World {
  std::string second = file("second.yaml", kSecond);
  std::string before;
  Killed() {
    const Ran ran = canorun({"run", file("first.yaml", kFirst), "--id", "r1", "-q"}, {{"CANORUN_CRASH", "after:3"}});
    REQUIRE(ran.signal == SIGKILL);
    before = rows();
  }
  std::string rows() const { return canorun({"events", "r1", "--json"}).out; }
  std::string undone() const { return exists(folder() + "/undone") ? read_file(folder() + "/undone") : ""; }
};

constexpr const char* kChanges =
    "r1 goes from version 1 of f to version 2\n"
    "  states added: extra\n"
    "  states removed: old\n"
    "  states altered, where the run is or will be: a, b\n"
    "  also changed: inputs, vars\n";

}  // namespace

TEST_CASE("another version is refused, and nothing changed, unless a person migrates the run") {
  const Killed world;
  CHECK(said(world, {"resume", "r1", "--file", "second.yaml"}) ==
        "2\nerror: run 'r1' is of version 1 of 'f', and this is version 2\n"
        "hint: leave --file away to go on with the version that the run has, or add --migrate\n");
  CHECK(world.json({"resume", "r1", "--file", "second.yaml"})["error"]["kind"] == "version_mismatch");
  CHECK(said(world, {"resume", "r1", "--migrate"}) ==
        "2\nerror: --migrate needs --file\nhint: say which definition the run is to go on with\n");
  CHECK(world.rows() == world.before);
}

TEST_CASE("a run that is migrated says what changed, and goes on and back by the new definition") {
  const Killed world;
  const Ran ran = world.canorun({"resume", "r1", "--file", "second.yaml", "--migrate"});
  CHECK(ran.code == 3);
  CHECK(ran.err.starts_with(kChanges));
  CHECK(world.undone() == "second 7 5\n");
  const Json run = world.json({"show", "r1"});
  CHECK(run["version"] == 2);
  CHECK(run["inputs"] == Json{{"n", 4}});
  CHECK(run["vars"] == Json{{"seen", 5}});
  CHECK(run["error"]["exit_code"] == 5);
  CHECK(world.json({"list"})[0]["version"] == 2);
}

TEST_CASE("what was migrated stays so for the next who goes on with it") {
  const Killed world;
  CHECK(world.canorun({"resume", "r1", "--file", "second.yaml", "--migrate"}, {{"CANORUN_CRASH", "after:4"}}).signal ==
        SIGKILL);
  const Ran ran = world.canorun({"resume", "r1", "--json"});
  CHECK(ran.code == 3);
  CHECK(parse_json(ran.out)->at("version") == 2);
  CHECK(world.undone() == "second 7 5\n");
}

TEST_CASE("the migration is part of the document") {
  const Killed world;
  const Json run = world.json({"resume", "r1", "--file", "second.yaml", "--migrate"});
  CHECK(run["migration"] == Json{{"from", 1},
                                 {"to", 2},
                                 {"added", {"extra"}},
                                 {"removed", {"old"}},
                                 {"altered", {"a", "b"}},
                                 {"missing", Json::array()},
                                 {"others", {"inputs", "vars"}}});
}

TEST_CASE("a definition that cannot undo what the run did is refused, whatever its version") {
  const Killed world;
  const std::string undo =
      "    compensate: {run: 'echo second ${{ output.stdout }} ${{ string(vars.seen) }} >> undone'}\n";
  const std::string text = replaced(kSecond, undo, "");
  world.file("without.yaml", text);
  world.file("same.yaml", replaced(text, "version: 2", "version: 1"));
  const std::string refused =
      "error: run 'r1' did what the new definition cannot undo: a\n"
      "hint: keep their 'compensate' in the new definition for as long as there are runs that need it\n";
  CHECK(said(world, {"resume", "r1", "--file", "same.yaml"}) == "2\n" + refused);
  CHECK(said(world, {"resume", "r1", "--file", "without.yaml", "--migrate"}) ==
        "2\n" + replaced(kChanges, "  also", "  owed, and without a compensation: a\n  also") + refused);
  CHECK(world.json({"resume", "r1", "--file", "same.yaml"})["error"]["kind"] == "missing_compensation");
  CHECK(world.rows() == world.before);
}

TEST_CASE("a definition without the state that is due, or with a value of another type, is refused") {
  const Killed world;
  world.file("gone.yaml", replaced(replaced(kSecond, "  b: {", "  c: {"), "next: b", "next: c"));
  CHECK(world.json({"resume", "r1", "--file", "gone.yaml", "--migrate"})["error"]["message"] ==
        "state 'b' is due, and this flow has none of that name");
  world.file("needs.yaml", replaced(kSecond, "{type: int, default: 4}", "int"));
  CHECK(world.json({"resume", "r1", "--file", "needs.yaml", "--migrate"})["error"]["message"] ==
        "run 'r1' has no value of the input 'n': it was begun without it");
  CHECK(world.rows() == world.before);
}

TEST_CASE("a run that is being rolled back goes forward no more") {
  const World world;
  const std::string flow =
      world.file("f.yaml",
                 "name: f\nstates:\n  a: {run: 'true', compensate: {run: 'test -e good'}, next: b}\n"
                 "  b: {run: 'false', next: done}\n  done: {exit: success}\n");
  CHECK(world.canorun({"run", flow, "--id", "r1"}).code == 4);
  const std::string before = world.canorun({"events", "r1", "--json"}).out;
  CHECK(said(world, {"resume", "r1", "--from", "a"}) ==
        "6\nerror: run 'r1' is being rolled back, and goes forward no more\n"
        "hint: go on rolling it back with: canorun resume r1\n");
  CHECK(world.canorun({"events", "r1", "--json"}).out == before);
}

TEST_CASE("a run below, too, is held against the new definition of its flow") {
  const World world;
  const std::string child =
      "name: child\ninputs: {k: string}\nstates:\n  do: {run: 'true', compensate: {run: 'true'}, next: w}\n"
      "  w: {wait: {signal: go}, next: done}\n  done: {exit: success}\n";
  world.file("child.yaml", child);
  const std::string parent =
      world.file("parent.yaml",
                 "name: parent\nstates:\n  one: {task: flow, with: {file: child.yaml, inputs: {k: abc}}, next: done}\n"
                 "  done: {exit: success}\n");
  REQUIRE(world.canorun({"run", parent, "--id", "P", "--suspend"}).code == 75);
  const std::string before = world.canorun({"events", "P.1", "--json"}).out;
  const auto refused = [&] { return world.json({"resume", "P", "--file", "parent.yaml"})["error"]["message"]; };
  world.file("child.yaml", replaced(child, ", compensate: {run: 'true'}", ""));
  CHECK(refused() == "run 'P.1' did what the new definition cannot undo: do");
  world.file("child.yaml", replaced(child, "{k: string}", "{k: string, more: string}"));
  CHECK(world.canorun({"resume", "P", "--file", "parent.yaml"}).code == 2);
  std::filesystem::create_directory(world.folder() + "/elsewhere");
  world.file("child.yaml", child);
  world.file("elsewhere/child.yaml", replaced(child, "name: child", "name: child\nversion: 2"));
  world.file("elsewhere/parent.yaml", read_file(parent));
  CHECK(world.json({"resume", "P", "--file", "elsewhere/parent.yaml"})["error"]["kind"] == "version_mismatch");
  CHECK(world.canorun({"events", "P.1", "--json"}).out == before);
}
