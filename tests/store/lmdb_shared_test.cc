// Rate limits in the store on disk: what they write, where, and what they make of files that are wrong.
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "engine/store/shared_records.h"
#include "engine/store/store_folder.h"
#include "shared_calls.h"

using namespace canorun;
using namespace canorun::store;
using namespace canorun::store::test;

namespace fs = std::filesystem;

namespace {

const LimitCost kApi{.key = "api", .rule = policy::Bucket{.tokens = 2, .per = Millis{1'000}, .burst = 0}};
const LimitCost kPlan{.key = "plan", .rule = policy::Window{.limit = 2, .window = Millis{60'000}}};
const Moment kNow{kStart, SteadyTime{} + std::chrono::hours{1}};

LimitCost failing(LimitCost cost) {
  cost.fails = true;
  return cost;
}

std::string ask(SharedState& shared, std::vector<LimitCost> costs, std::optional<Ticket> ticket = {}) {
  return said(take(shared, {.costs = std::move(costs), .now = kNow, .ticket = ticket}));
}

std::set<std::string> names_in(const std::string& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.insert(entry.path().filename().string());
  return names;
}

// The key of a place in a queue.
std::string place(std::string limit, unsigned char ticket) {
  limit += '\0';
  limit += std::string(7, '\0');
  limit += static_cast<char>(ticket);
  return limit;
}

}  // namespace

TEST_CASE("buckets and queues commit nothing to the store, and are answered at once") {
  const OnDisk fixture;
  SharedState& shared = fixture.store.shared();
  const std::uint64_t before = fixture.store.transactions();
  std::string answer;
  const auto at_once = [&](const LimitRequest& request) {
    answer = "nothing yet";
    shared.take_limits(request, [&](const StoreResult<LimitAnswer>& got) { answer = got ? said(*got) : "error"; });
    return answer;
  };
  CHECK(at_once({.costs = {kApi}, .now = kNow}) == "taken");
  CHECK(at_once({.costs = {kApi}, .now = kNow}) == "taken");
  CHECK(at_once({.costs = {kApi}, .now = kNow}) == "ticket 1: 500 for api");
  CHECK(at_once({.costs = {failing(kApi)}, .now = kNow}) == "refused: 1000 for api, behind others");
  leave(shared, {kApi}, 1);
  bool given = false;
  shared.give_back_limits({kApi}, kNow, [&](const StoreResult<void>& done) { given = done.has_value(); });
  CHECK(given);
  CHECK(said(shared.limits()) == "api 1 missing, 0 waiting");
  CHECK(fixture.store.transactions() == before);
}

TEST_CASE("a window commits each call that it lets through or takes back, and nothing else") {
  const OnDisk fixture;
  SharedState& shared = fixture.store.shared();
  const std::uint64_t before = fixture.store.transactions();
  CHECK(ask(shared, {kPlan, kApi}) == "taken");
  CHECK(ask(shared, {kPlan}) == "taken");
  CHECK(fixture.store.transactions() == before + 2);
  CHECK(ask(shared, {failing(kPlan)}) == "refused: 60000 for plan");
  CHECK(ask(shared, {kPlan}) == "ticket 1: 60000 for plan");
  CHECK(ask(shared, {kPlan}, 1) == "ticket 1: 60000 for plan");
  leave(shared, {kPlan}, 1);
  CHECK(fixture.store.transactions() == before + 2);
  give_back(shared, {kPlan, kApi}, kNow);
  CHECK(fixture.store.transactions() == before + 3);
  CHECK(said(shared.limits()) == "api 0 missing, 0 waiting; plan 1 used, 0 waiting");
}

TEST_CASE("limits are as they were when the store is opened again, and nobody waits for those who are gone") {
  const TempFolder folder;
  {
    const auto store = open_lmdb(folder.path());
    CHECK(ask(store->shared(), {kPlan, kApi}) == "taken");
    CHECK(ask(store->shared(), {kPlan, kApi}) == "taken");
    CHECK(ask(store->shared(), {kPlan, kApi}) == "ticket 1: 60000 for plan");
  }
  const auto store = open_lmdb(folder.path());
  SharedState& shared = store->shared();
  CHECK(said(shared.limits()) == "api 2 missing, 0 waiting; plan 2 used, 0 waiting");
  CHECK(ask(shared, {failing(kApi)}) == "refused: 500 for api");
  CHECK(ask(shared, {failing(kPlan)}) == "refused: 60000 for plan");
  CHECK(ask(shared, {kPlan}) == "ticket 2: 60000 for plan");
}

TEST_CASE("what another boot left of buckets is removed unseen, and windows are kept") {
  const TempFolder folder;
  const std::string limits = folder.path() + "/limits";
  {
    const auto store = open_lmdb(folder.path());
    CHECK(names_in(folder.path()) == std::set<std::string>{"data.mdb", "lock.mdb", "logs", "owners", "users"});
    CHECK(ask(store->shared(), {kPlan, kApi}) == "taken");
    CHECK(names_in(limits) == std::set<std::string>{*boot_id()});
    for (const auto& entry : fs::recursive_directory_iterator(limits)) {
      const auto mode = static_cast<unsigned>(entry.status().permissions());
      CHECK_MESSAGE(mode == (entry.is_directory() ? 0700 : 0600), entry.path().string());
    }
  }
  fs::rename(limits + "/" + *boot_id(), limits + "/another-boot");
  fs::create_directory(limits + "/a-third");
  std::ofstream(limits + "/a-third/data.mdb") << "torn";
  std::ofstream(limits + "/a-file") << "x";
  const auto store = open_lmdb(folder.path());
  CHECK(names_in(limits).size() == 3);
  CHECK(said(store->shared().limits()) == "plan 1 used, 0 waiting");
  CHECK(names_in(limits).size() == 3);  // who only looks changes nothing
  CHECK(ask(store->shared(), {kApi}) == "taken");
  CHECK(names_in(limits) == std::set<std::string>{*boot_id()});
}

TEST_CASE("limits and places that cannot be read are as good as not there") {
  const TempFolder folder;
  {
    const auto store = open_lmdb(folder.path());
    CHECK(ask(store->shared(), {{.key = "other", .rule = kApi.rule}}) == "taken");
  }
  const std::string passing = folder.path() + "/limits/" + *boot_id();
  const std::string garbage(100, '\xff');
  tamper(folder.path(), "windows", "plan", garbage);
  tamper(folder.path(), "windows", "wrong", "");
  tamper(passing, "buckets", "api", garbage);
  tamper(passing, "buckets", std::string("\0ticket", 7), "\x05");
  tamper(passing, "queue", place("api", 1), garbage);
  tamper(passing, "queue", std::string("api\0x", 5), garbage);
  tamper(passing, "queue", place("api", 1) + "longer", garbage);
  tamper(passing, "queue", place("plan", 2), "");
  const auto store = open_lmdb(folder.path());
  SharedState& shared = store->shared();
  CHECK(said(shared.limits()) == "other 1 missing, 0 waiting");
  for (int i = 0; i < 2; ++i) CHECK(ask(shared, {kApi, kPlan}) == "taken");
  CHECK(said(shared.limits()) == "api 2 missing, 0 waiting; other 1 missing, 0 waiting; plan 2 used, 0 waiting");
  CHECK(ask(shared, {kApi}) == "ticket 6: 500 for api");
}

TEST_CASE("buckets that are damaged say that nothing else is, and how to begin anew without them") {
  const TempFolder folder;
  {
    CHECK(ask(open_lmdb(folder.path())->shared(), {kApi}) == "taken");
  }
  const std::string passing = folder.path() + "/limits/" + *boot_id();
  const std::string data = passing + "/data.mdb";
  SUBCASE("torn") { std::ofstream(data) << std::string(100, 'x'); }
  SUBCASE("truncated") { fs::resize_file(data, 8192); }
  SUBCASE("a page of them") {
    std::fstream file(data);
    file.seekp(8192);
    file << std::string(fs::file_size(data) - 8192, '\xff');
  }
  auto store = open_lmdb(folder.path());
  const auto says = [&](const StoreError& error) {
    CHECK(error.kind == StoreErrorKind::kCorrupt);
    CHECK(error.message == "the buckets of rate limits in '" + passing + "' cannot be read");
    CHECK(error.hint == "nothing else is damaged: when no canorun runs, remove that folder, and they begin anew");
  };
  store->shared().take_limits({.costs = {kApi}, .now = kNow}, [&](const StoreResult<LimitAnswer>& got) {
    REQUIRE_FALSE(got);
    says(got.error());
  });
  const auto limits = store->shared().limits();
  REQUIRE_FALSE(limits);
  says(limits.error());
  store.reset();
  fs::remove_all(passing);
  store = open_lmdb(folder.path());
  CHECK(ask(store->shared(), {kApi}) == "taken");
}

TEST_CASE("a bucket of which something else has the place is full, and takes the place") {
  const TempFolder folder;
  {
    const auto store = open_lmdb(folder.path());
    CHECK(ask(store->shared(), {{.key = "x", .rule = kApi.rule}}) == "taken");
  }
  // A window's record where buckets are, and the other way round.
  const std::string passing = folder.path() + "/limits/" + *boot_id();
  tamper(passing, "buckets", "api", encode(StoredLimit{kPlan.rule, policy::WindowState{kStart, 2}}));
  tamper(folder.path(), "windows", "plan", encode(StoredLimit{kApi.rule, policy::BucketState{2, 0, kNow.steady}}));
  const auto store = open_lmdb(folder.path());
  CHECK(ask(store->shared(), {kApi, kPlan}) == "taken");
  CHECK(said(store->shared().limits()) == "api 1 missing, 0 waiting; plan 1 used, 0 waiting; x 1 missing, 0 waiting");
}

TEST_CASE("a place that was taken away from one who still waits is taken again") {
  const OnDisk fixture;
  SharedState& shared = fixture.store.shared();
  for (int i = 0; i < 2; ++i) CHECK(ask(shared, {kApi}) == "taken");
  CHECK(ask(shared, {kApi}) == "ticket 1: 500 for api");
  CHECK(ask(shared, {kApi}) == "ticket 2: 1000 for api, behind others");
  leave(shared, {kApi}, 1);
  CHECK(ask(shared, {kApi}, 2) == "ticket 2: 500 for api");
  CHECK(ask(shared, {kApi}, 1) == "ticket 1: 500 for api");
  CHECK(ask(shared, {kApi}, 2) == "ticket 2: 1000 for api, behind others");
  CHECK(said(shared.limits()) == "api 2 missing, 2 waiting");
}

TEST_CASE("a run that is deleted needs no buckets to be there") {
  const OnDisk fixture;
  REQUIRE(create(fixture.store, new_run("r1", {started(), run_ended(Status::kSucceeded)})));
  CHECK(fixture.store.delete_ended("order", after_start(100), 9)->size() == 1);
  CHECK(!fs::exists(fixture.folder.path() + "/store/limits"));
}
