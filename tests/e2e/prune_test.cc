// prune: what is old goes, with all of it, and what can go on stays.
#include <fmt/format.h>

#include "canorun.h"

using namespace canorun;
using namespace canorun::test;

namespace {

using Names = std::vector<std::string>;

const char* const kChild = R"yaml(
name: child
states:
  say: {run: echo hello, next: done}
  done: {exit: success}
)yaml";

const char* const kParent = R"yaml(
name: parent
states:
  below: {task: flow, with: {file: child.yaml}, next: done}
  done: {exit: success}
)yaml";

const char* const kWaiting = R"yaml(
name: waiting
states:
  ask: {wait: {signal: go}, next: done}
  done: {exit: success}
)yaml";

Names ids(const Json& runs) {
  Names out;
  for (const Json& run : runs) out.push_back(run["id"]);
  return out;
}

void run(const World& world, const std::string& flow, const std::string& id) {
  const Ran ran = world.canorun({"run", flow, "--id", id, "-q"});
  INFO(ran.err);
  REQUIRE(ran.code == 0);
}

}  // namespace

TEST_CASE("prune wants to know what may go") {
  const World world;
  CHECK(said(world, {"prune"}) ==
        "2\nerror: prune needs to know which runs may go\n"
        "hint: give --older-than 30d, --keep 100, or both: then only runs go that neither keeps\n");
  CHECK(said(world, {"prune", "--older-than", "30"}) ==
        "2\nerror: --older-than: '30' is not a duration\nhint: write it like 250ms, 5s, 1m30s, 2h or 1d\n");
  CHECK(said(world, {"prune", "--keep", "x"}) == "2\nerror: --keep takes a number, not 'x'\n");
  CHECK(said(world, {"prune", "--keep", "0"}) == "0\ndeleted 0 runs\n");
  CHECK(!exists(world.store()));
}

TEST_CASE("prune deletes runs with their children, logs and texts, and none that can go on") {
  const World world;
  world.file("child.yaml", kChild);
  world.file("parent.yaml", kParent);
  world.file("waiting.yaml", kWaiting);
  run(world, "parent.yaml", "r1");
  run(world, "parent.yaml", "r2");
  REQUIRE(world.canorun({"run", "waiting.yaml", "--id", "w1", "--suspend", "-q"}).code == 75);
  REQUIRE(exists(world.store() + "/logs/r1.1"));
  CHECK(said(world, {"prune", "--older-than", "1h"}) == "0\ndeleted 0 runs\n");
  const Ran foretold = world.canorun({"prune", "--keep", "1", "--dry-run"});
  CHECK(foretold.out.starts_with("ID  STATUS     STATE  STARTED"));
  CHECK(foretold.out.find("\nr1  succeeded  done ") != std::string::npos);
  CHECK(foretold.out.ends_with("\nwould delete 1 run\n"));
  CHECK(world.json({"prune", "--keep", "1", "--dry-run"}) == Json{{"runs", {"r1"}}, {"dry_run", true}});
  CHECK(ids(world.json({"list"})) == Names{"w1", "r2", "r2.1", "r1", "r1.1"});
  CHECK(said(world, {"prune", "--keep", "1"}) == "0\ndeleted 1 run\n");
  CHECK(ids(world.json({"list"})) == Names{"w1", "r2", "r2.1"});
  CHECK(!exists(world.store() + "/logs/r1.1"));
  CHECK(exists(world.store() + "/logs/r2.1"));
  CHECK(world.json({"prune", "--older-than", "0s", "--flow", "parent"}) == Json{{"runs", {"r2"}}, {"dry_run", false}});
  CHECK(said(world, {"prune", "--keep", "0", "-q"}) == "0\n");
  CHECK(ids(world.json({"list"})) == Names{"w1"});
  REQUIRE(world.canorun({"signal", "w1", "go"}).code == 0);
  CHECK(world.canorun({"resume", "w1", "-q"}).code == 0);
}
