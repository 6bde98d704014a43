// A store that cannot be made, opened or written: a message, exit code 7, and nothing of it is lost.
#include <fmt/format.h>

#include "canorun.h"
#include "engine/store/lmdb_env.h"
#include "support/sanitizer.h"
#include "support/small_disk.h"

using namespace canorun;
using namespace canorun::test;

namespace {

// Every visit writes rows and a log until there is no room.
const char* const kFilling = R"yaml(
name: filling
vars: {n: 0}
states:
  fill:
    run: 'echo "$CANORUN_VISIT" >> "$TRACE"; head -c 50000 /dev/zero | tr "\0" x'
    set: {n: "${{ vars.n + 1 }}"}
    next: [{when: vars.n < 1000, to: fill}, {to: done}]
  done: {exit: success}
)yaml";

const char* const kSmall = R"yaml(
name: small
states:
  work: {task: pass, with: {value: 1}, next: done}
  done: {exit: success}
)yaml";

const std::string kOther = "hint: choose another folder with --store DIR or CANORUN_STORE\n";

std::string said(const Ran& ran) { return std::to_string(ran.code) + "\n" + ran.out + ran.err; }

// The run with no file longer than `kib`, and with the signal that says so at its default.
Ran limited(const World& world, int kib, const std::string& words) {
  Start start = world.command({});
  start.argv = {"/bin/sh", "-c", fmt::format("ulimit -f {}; exec {} {}", kib * 2, CANORUN_BINARY, words)};
  start.env["TRACE"] = world.folder() + "/trace";
  return run_program(std::move(start));
}

long lines(const std::string& text) { return std::count(text.begin(), text.end(), '\n'); }

// The run stands where it was cut off: each visit that its command saw ended, but for the last.
void check_cut_off(const World& world) {
  const Json run = world.json({"show", "r1"});
  CHECK(run["status"] == "interrupted");
  CHECK(run["state"] == "fill");
  const long begun = lines(read_file(world.folder() + "/trace"));
  CHECK(begun > 1);
  const auto kept = run["vars"]["n"].get<long>();
  CHECK((kept == begun || kept == begun - 1));
}

void truncate_to(const World& world, std::uintmax_t size) {
  std::filesystem::resize_file(world.store() + "/data.mdb", size);
}

}  // namespace

TEST_CASE("a store folder that cannot be made") {
  const World world;
  world.file("flow.yaml", kSmall);
  const std::string file = world.file("file", "not a folder\n");
  for (const std::string& folder : {file, file + "/store"}) {
    CAPTURE(folder);
    const std::string refused = "7\nerror: the folder '" + file + "' of the store: Not a directory\n" + kOther;
    CHECK(said(world.canorun({"run", "flow.yaml", "--store", folder})) == refused);
    CHECK(said(world.canorun({"list", "--store", folder})) == refused);
    CHECK(world.json({"run", "flow.yaml", "--store", folder}) ==
          Json{{"error",
                {{"kind", "store_failed"}, {"message", "the folder '" + file + "' of the store: Not a directory"}}}});
  }
  CHECK(said(world.canorun({"run", "flow.yaml", "--store", ""})) == "2\nerror: --store takes the name of a folder\n");
  CHECK(read_file(file) == "not a folder\n");
}

TEST_CASE("a store folder that cannot be written") {
  const World world;
  const SmallDisk disk(world.folder() + "/disk", "1m");
  if (!disk.mounted()) return;
  world.file("flow.yaml", kSmall);
  REQUIRE(disk.make_read_only());
  const Ran ran = world.canorun({"run", "flow.yaml", "--store", "disk/store"});
  CHECK(said(ran) ==
        "7\nerror: the folder '" + world.folder() + "/disk/store' of the store: Read-only file system\n" + kOther);
  CHECK(world.json({"run", "flow.yaml", "--store", "disk/store"})["error"]["kind"] == "store_permission");
}

TEST_CASE("without HOME, XDG_STATE_HOME and CANORUN_STORE a store must be named") {
  const World world;
  world.file("flow.yaml", kSmall);
  const std::map<std::string, std::string> bare{{"HOME", ""}, {"XDG_STATE_HOME", ""}, {"CANORUN_STORE", ""}};
  const std::string refused =
      "7\nerror: there is no folder for the store, as HOME is not set\nhint: name one with --store DIR or "
      "CANORUN_STORE\n";
  CHECK(said(world.canorun({"run", "flow.yaml"}, bare)) == refused);
  CHECK(said(world.canorun({"list"}, bare)) == refused);
  CHECK(world.canorun({"run", "flow.yaml", "--no-store"}, bare).code == 0);
  CHECK(world.canorun({"validate", "flow.yaml"}, bare).code == 0);
  CHECK(world.canorun({"run", "flow.yaml", "--store", "here", "--id", "r1"}, bare).code == 0);
  CHECK(world.canorun({"show", "r1", "--store", "here"}, bare).code == 0);
}

TEST_CASE("a full disk interrupts a run, what was committed is read back, and with room it goes on") {
  const World world;
  const SmallDisk disk(world.store(), "3m");
  if (!disk.mounted()) return;
  world.file("flow.yaml", kFilling);
  const std::map<std::string, std::string> trace{{"TRACE", world.folder() + "/trace"}};
  const Ran ran = world.canorun({"run", "flow.yaml", "--id", "r1", "--json"}, trace);
  const std::string message =
      "run 'r1' is interrupted, as its store failed: the store '" + world.store() + "': No space left on device";
  CHECK(ran.code == 7);
  CHECK(ran.signal == 0);
  CHECK(ran.err.ends_with("error: " + message + "\nhint: make room, then: canorun resume r1\n"));
  CHECK(parse_json(ran.out) == Json{{"error", {{"kind", "store_full"}, {"message", message}}}});
  check_cut_off(world);
  REQUIRE(disk.grow("200m"));
  world.file("short.yaml", std::string(kFilling).replace(std::string(kFilling).find("1000"), 4, "0"));
  CHECK(world.canorun({"resume", "r1", "--file", "short.yaml"}, trace).code == 0);
  CHECK(world.json({"show", "r1"})["status"] == "succeeded");
}

TEST_CASE("a disk with any little room left gives an error, never a signal") {
  const World world;
  const SmallDisk disk(world.folder() + "/disk", "2m");
  if (!disk.mounted()) return;
  world.file("flow.yaml", kSmall);
  for (int kib = 0; kib <= 512; kib += 28) {
    CAPTURE(kib);
    std::filesystem::remove_all(world.folder() + "/disk/store");
    world.file("disk/ballast", std::string(2048 * 1024, 'x'));
    std::filesystem::resize_file(world.folder() + "/disk/ballast", static_cast<std::uintmax_t>(2048 - kib) * 1024);
    const Ran ran = world.canorun({"run", "flow.yaml", "--store", "disk/store", "--id", "r1"});
    INFO(ran.err);
    CHECK(ran.signal == 0);
    CHECK((ran.code == 0 || ran.code == 7));
    if (ran.code == 7) CHECK(ran.err.find(": No space left on device\nhint: make room, then") != std::string::npos);
    // Whoever reads it afterwards, when there is room, finds a store.
    std::filesystem::remove(world.folder() + "/disk/ballast");
    CHECK(world.canorun({"list", "--store", "disk/store"}).code == 0);
  }
}

TEST_CASE("a limit on the size of files interrupts a run like a full disk") {
  const World world;
  world.file("flow.yaml", kFilling);
  const Ran ran = limited(world, 700, "run flow.yaml --id r1");
  CHECK(ran.code == 7);
  CHECK(ran.err.ends_with("hint: make room, then: canorun resume r1\n"));
  check_cut_off(world);
}

TEST_CASE("a limit below what a store or a log needs is an error, never a signal") {
  for (const int kib : {0, 1, 16, 100, 256, 300}) {
    CAPTURE(kib);
    if (kSanitized && kib == 0) continue;  // the thread sanitizer writes a file before the program begins
    const World world;
    world.file("flow.yaml", kSmall);
    const Ran ran = limited(world, kib, "run flow.yaml --id r1 -q > /dev/null 2> /dev/null");
    CHECK(ran.signal == 0);
    CHECK((ran.code == 0 || ran.code == 7));
    CHECK(world.canorun({"list"}).code == 0);
  }
}

TEST_CASE("a store file that was truncated is refused, and left as it is") {
  const World world;
  world.file("flow.yaml", kSmall);
  REQUIRE(world.canorun({"run", "flow.yaml", "--id", "r1"}).code == 0);
  for (const std::uintmax_t size : {8192, 100, 0}) {
    CAPTURE(size);
    truncate_to(world, size);
    for (const auto& arguments : {std::vector<std::string>{"show", "r1"}, {"run", "flow.yaml"}, {"resume", "--all"}}) {
      const Ran ran = world.canorun(arguments);
      INFO(ran.err);
      CHECK(ran.code == 7);
      CHECK(ran.signal == 0);
      CHECK(ran.err.starts_with("error: the store '" + world.store() + "' "));
      CHECK(ran.err.find("\nhint: restore the folder from a backup") != std::string::npos);
      CHECK(world.json(arguments)["error"]["kind"] == "store_corrupt");
    }
    CHECK(std::filesystem::file_size(world.store() + "/data.mdb") == size);
  }
}

TEST_CASE("a file that is no store is refused, and left as it is") {
  const World world;
  world.file("flow.yaml", kSmall);
  std::filesystem::create_directory(world.store());
  for (const std::string& text : {std::string("hello\n"), std::string(10'000, 'x')}) {
    world.file("store/data.mdb", text);
    const std::string refused = "7\nerror: the store '" + world.store() + "' is not a store of canorun\n" + kOther;
    CHECK(said(world.canorun({"list"})) == refused);
    CHECK(said(world.canorun({"run", "flow.yaml"})) == refused);
    CHECK(world.json({"resume", "r1"})["error"]["kind"] == "not_a_store");
    CHECK(read_tree(world.store()) == std::map<std::string, std::string>{{"data.mdb", text}});
  }
}

TEST_CASE("a store of a newer canorun is refused, and left as it is") {
  const World world;
  world.file("flow.yaml", kSmall);
  REQUIRE(world.canorun({"run", "flow.yaml", "--id", "r1"}).code == 0);
  {
    auto env = store::LmdbEnv::open(world.store());
    REQUIRE(env);
    auto txn = (*env)->write(0);
    REQUIRE(txn);
    REQUIRE(txn->open(store::Table::kMeta, false));
    txn->put(store::Table::kMeta, "version", std::string_view("\0\0\0\0\0\0\0\2", 8));
    REQUIRE(txn->commit());
  }
  const std::string before = read_file(world.store() + "/data.mdb");
  for (const auto& arguments : {std::vector<std::string>{"show", "r1"}, {"run", "flow.yaml"}, {"cancel", "r1"}}) {
    const Ran ran = world.canorun(arguments);
    CHECK(ran.code == 7);
    CHECK(ran.err.starts_with("error: the store has version 2, and this canorun reads up to 1\n"));
    CHECK(world.json(arguments)["error"]["kind"] == "store_newer_version");
  }
  CHECK(read_file(world.store() + "/data.mdb") == before);
}
