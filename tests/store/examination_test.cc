// A store that is looked over: one that is sound, and each way in which it may not be.
#include "engine/store/examination.h"

#include <filesystem>
#include <fstream>

#include "engine/base/ids.h"
#include "engine/store/big_endian.h"
#include "support.h"

using namespace canorun;
using namespace canorun::store;
using namespace canorun::store::test;

namespace fs = std::filesystem;

namespace {

const std::string kText = digest("name: order\n");

std::string at(RunNumber run) { return number_bytes(run); }
std::string at(RunNumber run, std::uint64_t row) { return number_bytes(run) + number_bytes(row); }
std::string reference(RunNumber run) { return kText + '\0' + number_bytes(run); }

Row begun() { return started("order", kText); }

Row child_of(const std::string& parent) {
  Row row = begun();
  std::get<RunStarted>(row.body).parent = parent;
  return row;
}

// Runs of all sorts: 1 has ended, 2 has a window that took the place of others, a signal and a place in a group, 3 is
// its child.
void fill(const std::string& folder) {
  const auto store = open_lmdb(folder);
  REQUIRE(create(*store, new_run("r1", {begun(), entered("a"), state_ended("a"), run_ended(Status::kSucceeded)})));
  NewRun second = new_run("r2", {begun(), entered("s")});
  second.group = "host";
  const auto run = create(*store, second);
  REQUIRE(run);
  for (std::uint64_t i = 0; i < 5; ++i) REQUIRE(append(*store, *run, 2 + i, {window_ended(i, i)}));
  REQUIRE(store->send("r2", {.name = "go", .at = kStart}));
  REQUIRE(create(*store, new_run("r2.1", {child_of("r2"), suspended()})));
}

Examination look(const std::string& folder) {
  const auto found = open_lmdb(folder)->examine();
  REQUIRE(found);
  return *found;
}

using Damage = std::vector<std::string>;

// What is found where one value is another, or gone.
Damage damage_of(const char* table, const std::string& key, std::optional<std::string> value) {
  const TempFolder folder;
  fill(folder.path());
  tamper(folder.path(), table, key, std::move(value));
  return look(folder.path()).damage;
}

}  // namespace

TEST_CASE("a sound store has no damage, and what is in it is counted") {
  const TempFolder folder;
  fill(folder.path());
  const Examination found = look(folder.path());
  CHECK(found.damage == Damage{});
  CHECK(found.more_damage == 0);
  CHECK(found.runs == 3);
  CHECK(found.rows == 9);
  CHECK(found.interrupted == 1);
  CHECK(found.newer == 0);
  CHECK(found.unread == 0);
  CHECK(found.litter == Litter{});
  CHECK(found.bytes > 0);
  CHECK(found.unused < found.bytes);
  CHECK(found.left > 0);
}

TEST_CASE("a run that is worked on is not interrupted, and the one who works is left alone") {
  const TempFolder folder;
  const auto store = open_lmdb(folder.path());
  REQUIRE(create(*store, new_run("r1", {begun()})));
  CHECK(store->examine()->interrupted == 0);
  CHECK(store->clear_litter() == Litter{});
  CHECK(append(*store, 1, 1, {entered("a")}));
}

TEST_CASE("each thing that is missing or wrong is told") {
  CHECK(damage_of("rows", at(1, 1), "\x01") == Damage{"run 'r1': row 1: a row in the store cannot be read"});
  CHECK(damage_of("rows", at(1, 1), {}) == Damage{"run 'r1': row 1 is missing"});
  CHECK(damage_of("rows", at(1, 3), {}) == Damage{"run 'r1': row 3 of 4 is missing"});
  CHECK(damage_of("rows", at(2, 6), {}) == Damage{"run 'r2': row 2 of 7 is missing"});
  CHECK(damage_of("rows", at(1, 4), *encode(entered("b"))) == Damage{"run 'r1': row 5 of 4 is missing"});
  CHECK(damage_of("rows", at(1, 0), *encode(entered("b"))) ==
        Damage{"run 'r1': it does not begin with its start", "run 'r1': its record does not agree with its rows"});
  CHECK(damage_of("rows", at(1, 3), *encode(run_ended(Status::kFailed))) ==
        Damage{"run 'r1': its record does not agree with its rows"});
  CHECK(damage_of("rows", at(7, 0), *encode(begun())) ==
        Damage{"the table 'rows' has entries of a run that is not there"});
  CHECK(damage_of("rows", "x", "x") == Damage{"the table 'rows' is out of order, or has a key that is none"});
  CHECK(damage_of("requests", at(7, 0), "\x01") ==
        Damage{"the table 'requests' has entries of a run that is not there"});
  CHECK(damage_of("runs", at(1), "x") ==
        Damage{"run number 1: the record of a run in the store cannot be read", "run 'r1': its record is not there"});
  CHECK(damage_of("runs", at(3), {}) ==
        Damage{"run 'r2.1': its record is not there",
               "the text " + kText + " of a flow, or a run that refers to it, is not there",
               "the table 'rows' has entries of a run that is not there"});
  CHECK(damage_of("ids", "r1", {}) == Damage{"run 'r1': it is not found by its id"});
  CHECK(damage_of("ids", "r2", {}) ==
        Damage{"run 'r2': it is not found by its id", "run 'r2.1': its parent 'r2' is not there"});
  CHECK(damage_of("ids", "other", at(1)) == Damage{"run 'other': its record is not there"});
  CHECK(damage_of("ids", "-x", at(1)) ==
        Damage{"the table 'ids' has a name that can be no run's", "run '-x': its record is not there"});
  CHECK(damage_of("meta", "next_run", at(3)) == Damage{"run 'r2.1': its number would be given once more"});
  CHECK(damage_of("texts", kText, "name: other\n") == Damage{"the text " + kText + " of a flow is not what it was"});
  CHECK(damage_of("texts", reference(1), {}) == Damage{"run 'r1': it does not keep the text " + kText});
  CHECK(damage_of("texts", "short", "x") == Damage{"the table 'texts' has a key that is none"});
  CHECK(damage_of("texts", kText, {}).size() == 6);
  CHECK(damage_of("signals", at(2, 0), "x") == Damage{"a signal in the store cannot be read"});
  CHECK(damage_of("signals", at(9, 0), *encode(Signal{.name = "go"})) ==
        Damage{"a signal was sent to a run that is not there"});
  CHECK(damage_of("groups", digest("host") + number_bytes(1), at(9)) ==
        Damage{"a place in a group belongs to a run that is not there"});
}

TEST_CASE("what a later canorun wrote is no damage") {
  const TempFolder folder;
  fill(folder.path());
  tamper(folder.path(), "rows", at(1, 1), std::string("\x84\x18\x63\x01\x00\xa0", 6));
  const Examination found = look(folder.path());
  CHECK(found.damage == Damage{});
  CHECK(found.newer == 1);
}

TEST_CASE("breakers and limits that cannot be read are counted") {
  const TempFolder folder;
  fill(folder.path());
  tamper(folder.path(), "breakers", "payments", "x");
  tamper(folder.path(), "windows", "plan", "x");
  CHECK(look(folder.path()).unread == 2);
  CHECK(look(folder.path()).damage == Damage{});
}

TEST_CASE("of much damage the first is told, and the rest counted") {
  const TempFolder folder;
  {
    const auto store = open_lmdb(folder.path());
    for (int i = 0; i < 70; ++i) REQUIRE(create(*store, new_run("r" + std::to_string(i), {begun()})));
  }
  tamper(folder.path(), "texts", kText, {});
  const Examination found = look(folder.path());
  CHECK(found.damage.size() == 50);
  CHECK(found.more_damage == 90);
}

TEST_CASE("a store of more entries than one transaction looks at is looked at whole") {
  const TempFolder folder;
  {
    const auto store = open_lmdb(folder.path());
    std::vector<Row> rows(7'001, entered("a"));
    rows.front() = begun();
    for (int i = 0; i < 5; ++i) REQUIRE(create(*store, new_run("r" + std::to_string(i), rows)));
    for (int i = 0; i < 12'000; ++i) {
      store->create(new_run("s" + std::to_string(i), {begun(), suspended()}), [](const StoreResult<RunNumber>&) {});
    }
  }
  tamper(folder.path(), "rows", at(12'000, 1), {});
  const Examination found = look(folder.path());
  CHECK(found.runs == 12'005);
  CHECK(found.rows == 5 * 7'001 + 2 * 12'000 - 1);
  CHECK(found.damage == Damage{"run 's11994': row 1 of 2 is missing"});
}

TEST_CASE("what processes that died left is counted, and goes when it is told to") {
  const TempFolder folder;
  fill(folder.path());
  const std::string top = folder.path() + "/";
  for (const char* made : {"logs/r1", "logs/gone", "logs/.deleted/7", "limits/another-boot", "logs/lost+found"}) {
    fs::create_directories(top + made);
  }
  std::ofstream(top + "owners/1-00000000000000aa");
  std::ofstream(top + "owners/README");
  std::ofstream(top + "data.mdb.new");
  const Litter litter{.owners = 1, .logs = 2, .limits = 1, .compactions = 1};
  CHECK(look(folder.path()).litter == litter);
  CHECK(look(folder.path()).litter == litter);
  CHECK(*open_lmdb(folder.path())->clear_litter() == litter);
  CHECK(look(folder.path()).litter == Litter{});
  for (const char* stays : {"logs/r1", "logs/lost+found", "owners/README"}) CHECK(fs::exists(top + stays));
}
