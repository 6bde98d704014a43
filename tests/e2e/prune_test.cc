// prune: what is old goes, with all of it, and what can go on stays.
#include <fmt/format.h>

#include "canorun.h"
#include "support/small_disk.h"

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

// Leaves a mebibyte or so in the store.
const char* const kLarge = R"yaml(
name: large
vars: {n: 0}
states:
  fill:
    run: head -c 200000 /dev/zero | tr "\0" x
    set: {n: "${{ vars.n + 1 }}"}
    next: [{when: vars.n < 6, to: fill}, {to: done}]
  done: {exit: success}
)yaml";

std::uintmax_t data_size(const World& world) { return std::filesystem::file_size(world.store() + "/data.mdb"); }

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
  CHECK(world.json({"prune", "--keep", "1", "--dry-run"}) ==
        Json{{"runs", {"r1"}}, {"dry_run", true}, {"compacted", nullptr}});
  CHECK(ids(world.json({"list"})) == Names{"w1", "r2", "r2.1", "r1", "r1.1"});
  CHECK(said(world, {"prune", "--keep", "1"}) == "0\ndeleted 1 run\n");
  CHECK(ids(world.json({"list"})) == Names{"w1", "r2", "r2.1"});
  CHECK(!exists(world.store() + "/logs/r1.1"));
  CHECK(exists(world.store() + "/logs/r2.1"));
  CHECK(world.json({"prune", "--older-than", "0s", "--flow", "parent"}) ==
        Json{{"runs", {"r2"}}, {"dry_run", false}, {"compacted", nullptr}});
  CHECK(said(world, {"prune", "--keep", "0", "-q"}) == "0\n");
  CHECK(ids(world.json({"list"})) == Names{"w1"});
  REQUIRE(world.canorun({"signal", "w1", "go"}).code == 0);
  CHECK(world.canorun({"resume", "w1", "-q"}).code == 0);
}

TEST_CASE("prune --compact gives back what is gone, and keeps what is there") {
  const World world;
  world.file("large.yaml", kLarge);
  CHECK(said(world, {"prune", "--compact"}) == "0\nnothing to give back: the store takes 0 B\n");
  CHECK(!exists(world.store()));
  for (int i = 0; i < 4; ++i) run(world, "large.yaml", fmt::format("r{}", i));
  const std::string kept = world.canorun({"show", "r3", "--json"}).out;
  const auto before = data_size(world);
  const Ran ran = world.canorun({"prune", "--keep", "1", "--compact"});
  CHECK(ran.code == 0);
  CHECK(ran.out.starts_with("deleted 3 runs\ngave back 3."));
  CHECK(ran.out.find(" MiB: the store takes ") != std::string::npos);
  CHECK(data_size(world) < before / 2);
  CHECK(world.canorun({"show", "r3", "--json"}).out == kept);
  const Json again = world.json({"prune", "--compact"});
  CHECK(again["runs"] == Json::array());
  CHECK(again["compacted"]["bytes_before"] == again["compacted"]["bytes_after"]);
  run(world, "large.yaml", "r9");
  CHECK(ids(world.json({"list"})) == Names{"r9", "r3"});
  CHECK(!exists(world.store() + "/data.mdb.new"));
}

TEST_CASE("prune --compact is refused while another process has the store open, and then deletes nothing") {
  const World world;
  world.file("small.yaml", kChild);
  world.file("long.yaml", "name: long\nstates: {a: {run: sleep 1000, next: done}, done: {exit: success}}\n");
  run(world, "small.yaml", "r1");
  const Program other(world.command({"run", "long.yaml", "--id", "r2"}));
  REQUIRE(eventually([&] { return other.err().find("a: started") != std::string::npos; }));
  CHECK(said(world, {"prune", "--keep", "0", "--compact"}) ==
        fmt::format("6\nerror: the store '{}' is in use by process {}\n"
                    "hint: this needs the store to itself: try again when nothing uses it\n",
                    world.store(), other.pid()));
  CHECK(world.json({"prune", "--compact"})["error"]["kind"] == "store_in_use");
  CHECK(ids(world.json({"list"})) == Names{"r2", "r1"});
  CHECK(said(world, {"prune", "--keep", "0"}) == "0\ndeleted 1 run\n");
}

TEST_CASE("prune --compact that is killed at any moment leaves a whole store") {
  const World world;
  world.file("large.yaml", kLarge);
  for (int i = 0; i < 4; ++i) run(world, "large.yaml", fmt::format("r{}", i));
  std::map<std::string, std::string> shown;
  for (int i = 0; i < 4; ++i) shown[fmt::format("r{}", i)] = world.canorun({"show", fmt::format("r{}", i)}).out;
  int killed = 0;
  for (int round = 0; round < 60; ++round) {
    CAPTURE(round);
    Program compacting(world.command({"prune", "--compact"}));
    ::usleep(static_cast<useconds_t>(round) * 300);
    compacting.signal(SIGKILL);
    killed += compacting.wait().signal == SIGKILL;
    for (const auto& [id, text] : shown) CHECK(world.canorun({"show", id}).out == text);
  }
  CHECK(killed > 5);
  CHECK(world.canorun({"prune", "--compact"}).code == 0);
  CHECK(!exists(world.store() + "/data.mdb.new"));
}

TEST_CASE("prune --compact without room for a copy says so, and leaves the store as it was") {
  const World world;
  const SmallDisk disk(world.store(), "8m");
  if (!disk.mounted()) return;
  world.file("large.yaml", kLarge);
  run(world, "large.yaml", "r1");
  world.file("store/ballast", std::string(7 << 20, 'x'));
  const std::string before = world.canorun({"show", "r1"}).out;
  CHECK(said(world, {"prune", "--keep", "1", "--compact"}) ==
        fmt::format("7\ndeleted 0 runs\nerror: the store '{}': No space left on device\n"
                    "hint: while it is compacted, a store needs room for a copy of what it holds\n",
                    world.store()));
  CHECK(!exists(world.store() + "/data.mdb.new"));
  CHECK(world.canorun({"show", "r1"}).out == before);
}
