// Stores that earlier versions wrote: this one reads all that is in them, and goes on with it.
#include <algorithm>

#include "canorun.h"

using namespace canorun;
using namespace canorun::test;

namespace fs = std::filesystem;

namespace {

std::vector<fs::path> written_stores() {
  std::vector<fs::path> stores;
  for (const auto& entry : fs::directory_iterator(fs::path(CANORUN_SOURCE_DIR) / "tests/golden/stores")) {
    if (fs::exists(entry.path() / "data.mdb")) stores.push_back(entry.path());
  }
  std::ranges::sort(stores);
  return stores;
}

// A copy that may be worked on.
struct Copied : World {
  explicit Copied(const fs::path& from) {
    fs::create_directory(store());
    fs::permissions(store(), fs::perms::owner_all);
    for (const char* name : {"data.mdb", "users"}) {
      fs::copy_file(from / name, store() + "/" + name);
      fs::permissions(store() + "/" + name, fs::perms::owner_read | fs::perms::owner_write);
    }
  }
};

}  // namespace

TEST_CASE("what earlier versions wrote is read as they read it") {
  const auto stores = written_stores();
  REQUIRE(!stores.empty());
  for (const fs::path& store : stores) {
    const Copied world(store);
    std::size_t seen = 0;
    for (const auto& entry : fs::directory_iterator(store / "expected")) {
      const std::string name = entry.path().stem();  // `all.1.events`, `list`
      CAPTURE(store.filename().string() + "/" + name);
      std::vector<std::string> asks{"list"};
      if (name != "list") {
        const auto dot = name.rfind('.');
        asks = {name.substr(dot + 1), name.substr(0, dot)};
      }
      asks.emplace_back("--json");
      const Ran ran = world.canorun(asks);
      CHECK(ran.code == 0);
      CHECK(ran.out == read_file(entry.path()));
      ++seen;
    }
    CHECK(seen >= 3);
    const Ran examined = world.canorun({"doctor"});
    INFO(examined.out, examined.err);
    CHECK(examined.code == 0);
  }
}

TEST_CASE("runs that earlier versions left open are ended by this one") {
  for (const fs::path& store : written_stores()) {
    CAPTURE(store.filename().string());
    const Copied world(store);
    const auto folder = fs::path("/srv/canorun");  // where its runs worked
    if (fs::exists(folder)) continue;
    const auto status = [&](const char* id) { return world.json({"show", id})["status"]; };
    // Their commands cannot find the folder any more: what undoes them fails, and that is told.
    CHECK(world.canorun({"cancel", "waits", "-i", "token=open-sesame"}).code == 4);
    CHECK(status("waits") == "rollback_incomplete");
    CHECK(world.canorun({"resume", "killed-undoing"}).code == 4);
    CHECK(world.json({"show", "killed-undoing"})["compensations"].size() == 3);
    CHECK(world.canorun({"resume", "all", "-i", "token=open-sesame"}).code == 6);
    CHECK(world.canorun({"prune", "--older-than", "1ms"}).code == 0);
    CHECK(world.canorun({"show", "all"}).code == 6);
  }
}
