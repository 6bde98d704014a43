// doctor: a store that is well, one that is not, and one that cannot even be read.
#include <fmt/format.h>

#include <fstream>
#include <random>

#include "canorun.h"
#include "engine/store/big_endian.h"
#include "engine/store/lmdb_env.h"
#include "support/small_disk.h"

using namespace canorun;
using namespace canorun::test;

namespace {

const char* const kSmall = R"yaml(
name: small
states:
  work: {run: echo hello, next: done}
  done: {exit: success}
)yaml";

const char* const kBusy = R"yaml(
name: busy
vars: {n: 0}
states:
  work: {task: pass, with: {value: 1}, set: {n: "${{ vars.n + 1 }}"}, next: [{when: vars.n < 1000000, to: work}, {to: done}]}
  done: {exit: success}
max_transitions: 2000000
)yaml";

void run(const World& world, const std::string& id) {
  world.file("flow.yaml", kSmall);
  REQUIRE(world.canorun({"run", "flow.yaml", "--id", id, "-q"}).code == 0);
}

void erase_row(const World& world, std::uint64_t number, std::uint64_t row) {
  auto env = store::LmdbEnv::open(world.store());
  REQUIRE(env);
  auto txn = (*env)->write(0);
  REQUIRE(txn);
  REQUIRE(txn->open(store::Table::kRows, false));
  txn->erase(store::Table::kRows, store::number_bytes(number) + store::number_bytes(row));
  REQUIRE(txn->commit());
}

}  // namespace

TEST_CASE("doctor finds a store well, and makes none") {
  const World world;
  CHECK(said(world, {"doctor"}) ==
        "0\n" + world.store() + "\nnote: there is no store yet\n  do: the first run makes it\n");
  CHECK(!exists(world.store()));
  run(world, "r1");
  const Ran ran = world.canorun({"doctor"});
  CHECK(ran.code == 0);
  CHECK(ran.out.starts_with(world.store() + "\n1 run; 4 rows\n"));
  CHECK(ran.out.ends_with(" left on the disk\nthe store is well\n"));
  CHECK(said(world, {"doctor", "-q"}) == "0\n");
  const Json json = world.json({"doctor"});
  CHECK(json["well"] == true);
  CHECK(json["runs"] == 1);
  CHECK(json["notes"] == Json::array());
}

TEST_CASE("doctor names interrupted runs and what dead processes left, and --fix removes that") {
  const World world;
  run(world, "r1");
  CHECK(world.canorun({"run", "flow.yaml", "--id", "r2"}, {{"CANORUN_CRASH", "after:1"}}).signal == SIGKILL);
  std::filesystem::create_directories(world.store() + "/logs/gone");
  const std::string found = world.canorun({"doctor"}).out;
  CHECK(found.find("\n2 runs, 1 interrupted; 6 rows\n") != std::string::npos);
  CHECK(found.find("\nnote: 1 run is interrupted\n  do: canorun resume --all\n") != std::string::npos);
  CHECK(found.find("\nnote: processes that died have left: 1 owner's file, 1 folder of logs\n"
                   "  do: canorun doctor --fix\n") != std::string::npos);
  CHECK(world.canorun({"doctor", "--fix"})
            .out.find("\nnote: removed what processes that died had left: 1 owner's file, 1 folder of logs\n") !=
        std::string::npos);
  CHECK(!exists(world.store() + "/logs/gone"));
  CHECK(world.json({"doctor"})["notes"] ==
        Json::array({{{"what", "1 run is interrupted"}, {"do", "canorun resume --all"}}}));
  CHECK(world.canorun({"resume", "--all", "-q"}).code == 0);
}

TEST_CASE("doctor tells damage, with exit code 7, and leaves it as it is") {
  const World world;
  run(world, "r1");
  run(world, "r2");
  erase_row(world, 2, 1);
  for (int i = 0; i < 2; ++i) {
    const Ran ran = world.canorun({"doctor", "-q", "--fix"});
    CHECK(ran.code == 7);
    CHECK(ran.out.find("\ndamage: run 'r2': row 1 is missing\n"
                       "  do: restore the folder from a backup; runs that are not named here can be used as they are\n"
                       "the store is damaged\n") != std::string::npos);
  }
  CHECK(world.json({"doctor"})["well"] == false);
  CHECK(world.canorun({"show", "r1"}).code == 0);
}

TEST_CASE("doctor says why a store cannot be opened") {
  const World world;
  run(world, "r1");
  std::filesystem::resize_file(world.store() + "/data.mdb", 8192);
  const Ran ran = world.canorun({"doctor"});
  CHECK(ran.code == 7);
  CHECK(ran.out.starts_with(world.store() + "\ndamage: the store '" + world.store() +
                            "' is truncated: data.mdb has 8192"));
  CHECK(ran.out.find("\n  do: restore the folder from a backup") != std::string::npos);
  CHECK(world.json({"doctor"})["rows"] == nullptr);
  world.file("store/data.mdb", std::string(10'000, 'x'));
  CHECK(said(world, {"doctor"}) == "7\nerror: the store '" + world.store() +
                                       "' is not a store of canorun\nhint: choose another folder with --store DIR or "
                                       "CANORUN_STORE\n");
  CHECK(world.json({"doctor"})["error"]["kind"] == "not_a_store");
}

TEST_CASE("doctor says that a file system is read-only") {
  const World world;
  const SmallDisk disk(world.store(), "4m");
  if (!disk.mounted()) return;
  run(world, "r1");
  REQUIRE(disk.make_read_only());
  for (const char* verb : {"doctor", "list"}) {
    CHECK(said(world, {verb}) == "7\nerror: " + world.store() +
                                     "/users: Read-only file system\nhint: choose another folder with --store DIR or "
                                     "CANORUN_STORE\n");
  }
}

TEST_CASE("doctor survives a store with any bytes that are wrong") {
  const World world;
  for (int i = 0; i < 20; ++i) run(world, fmt::format("r{}", i));
  const std::string file = world.store() + "/data.mdb";
  const std::string whole = read_file(file);
  std::vector<std::size_t> pages;
  for (std::size_t at = 0; at + 4096 <= whole.size(); at += 4096) {
    if (whole.find_first_not_of('\0', at) < at + 4096) pages.push_back(at);
  }
  std::mt19937 random(7);
  int damaged = 0;
  for (int round = 0; round < 150; ++round) {
    CAPTURE(round);
    std::string wrong = whole;
    for (int i = 0; i < (round % 3 == 0 ? 40 : 2); ++i) {
      wrong[pages[random() % pages.size()] + random() % (round % 2 == 0 ? 64 : 4096)] = static_cast<char>(random());
    }
    std::ofstream(file, std::ios::binary) << wrong;
    const Ran ran = world.canorun({"doctor"});
    INFO(ran.out, ran.err);
    CHECK(ran.signal == 0);
    CHECK((ran.code == 0 || ran.code == 7));
    damaged += ran.code == 7;
  }
  CHECK(damaged > 20);
}

TEST_CASE("doctor finds a store well while others write to it") {
  const World world;
  world.file("busy.yaml", kBusy);
  run(world, "r1");
  const Program busy(world.command({"run", "busy.yaml", "--id", "r2", "-q"}));
  REQUIRE(eventually([&] { return world.canorun({"show", "r2"}).code == 0; }));
  for (std::uint64_t rows = 0, looks = 0; looks < 10; ++looks) {
    Json found;
    REQUIRE(eventually([&] {
      found = world.json({"doctor"});
      CHECK(found["damage"] == Json::array());
      CHECK(found["interrupted"] == 0);
      return found["rows"].get<std::uint64_t>() > rows;
    }));
    rows = found["rows"].get<std::uint64_t>();
  }
}

TEST_CASE("doctor --fix removes nothing of a store that is damaged, and no logs of one whose file is gone") {
  const World world;
  run(world, "r1");
  run(world, "r2");
  const auto logs = [&] { return read_tree(world.store() + "/logs"); };
  const auto before = logs();
  REQUIRE(before.size() == 2);
  const std::string data = world.store() + "/data.mdb";
  std::filesystem::rename(data, data + ".away");
  const Ran gone = world.canorun({"doctor", "--fix"});
  CHECK(gone.code == 7);
  CHECK(gone.out.find("data.mdb is missing, and logs of runs are there") != std::string::npos);
  CHECK(world.canorun({"list"}).code == 7);
  CHECK(!exists(data));
  CHECK(logs() == before);
  std::filesystem::rename(data + ".away", data);
  CHECK(world.canorun({"doctor", "--fix"}).code == 0);

  std::filesystem::create_directory(world.store() + "/logs/r3");  // of no run
  erase_row(world, 2, 1);
  CHECK(world.canorun({"doctor", "--fix"}).code == 7);
  CHECK(logs() == before);
  CHECK(exists(world.store() + "/logs/r3"));
}
