// Stores whose processes are killed, that many use at once, and that are full: what was told to be kept is there, and
// all of it is sound.
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <random>

#include "engine/base/ids.h"
#include "support.h"
#include "support/sanitizer.h"
#include "support/shared_memory.h"
#include "support/small_disk.h"

using namespace canorun;
using namespace canorun::store;
using namespace canorun::store::test;
using canorun::test::Shared;
using canorun::test::SmallDisk;

namespace fs = std::filesystem;

namespace {

Row begun() { return started("order", digest("name: order\n")); }

// The rows that a process was told are kept, run by run.
constexpr std::size_t kMostRuns = 400;
struct Kept {
  std::atomic<std::uint64_t> rows[kMostRuns]{};
};

struct Counter {
  std::atomic<int> value{0};
};

NewRun ended_run(const std::string& id, std::size_t bytes) {
  return new_run(id, {begun(), state_ended("a", std::string(bytes, 'x')), run_ended(Status::kSucceeded)});
}

// Creates runs that end until the store refuses one; gives how many there are.
std::pair<int, StoreError> fill(CheckpointStore& store, const std::string& name, std::size_t bytes) {
  for (int i = 0; i < 10'000; ++i) {
    const auto made = create(store, ended_run(name + std::to_string(i), bytes));
    if (!made) return {i, made.error()};
  }
  throw std::runtime_error("the store never filled");
}

// The map is a quarter of what a process may have when it opens the store.
std::unique_ptr<LmdbStore> open_with_small_map(const std::string& folder) {
  std::uint64_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_AS, &before) == 0);
  rlimit small = before;
  small.rlim_cur = pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) + (128 << 20);
  REQUIRE(::setrlimit(RLIMIT_AS, &small) == 0);
  auto store = LmdbStore::open({.folder = folder});
  REQUIRE(::setrlimit(RLIMIT_AS, &before) == 0);
  REQUIRE(store);
  return std::move(*store);
}

void check_sound(LmdbStore& store) {
  const auto found = store.examine();
  REQUIRE(found);
  CHECK(found->damage == std::vector<std::string>{});
}

}  // namespace

TEST_CASE("what processes were told is kept is there after they were killed at any moment") {
  const TempFolder folder;
  const Shared<Kept> kept;
  std::mt19937 random(11);
  const auto work = [&](std::size_t number) {
    const auto store = open_lmdb(folder.path());
    const auto run = create(*store, new_run("r" + std::to_string(number), {begun()}));
    if (!run) return 1;
    for (std::uint64_t next = 1;; ++next) {
      kept->rows[number] = next;
      // Small rows, and such as take pages of their own.
      if (!append(*store, *run, next, {state_ended("a", std::string(next % 7 == 0 ? 30'000 : 10, 'x'))})) return 2;
    }
  };
  constexpr std::size_t kAtOnce = 4;
  for (std::size_t round = 0; round < kMostRuns / kAtOnce; ++round) {
    std::vector<std::unique_ptr<Child>> children;
    for (std::size_t i = 0; i < kAtOnce; ++i) {
      children.push_back(std::make_unique<Child>([&, number = round * kAtOnce + i] { return work(number); }));
    }
    for (std::size_t i = 0; i < kAtOnce; ++i) {
      const std::uint64_t wanted = random() % 5;
      while (kept->rows[round * kAtOnce + i] < wanted) ::sched_yield();
      ::usleep(static_cast<useconds_t>(random() % 3'000));
      children[i]->kill();
    }
    for (const auto& child : children) CHECK(child->wait() == -SIGKILL);
  }
  const auto store = open_lmdb(folder.path());
  check_sound(*store);
  std::uint64_t all = 0;
  for (std::size_t number = 0; number < kMostRuns; ++number) {
    const std::uint64_t told = kept->rows[number];
    all += told;
    if (told == 0) continue;  // it was killed before it was told of its start
    const auto record = store->load("r" + std::to_string(number));
    REQUIRE(record);
    CHECK(record->summary.rows >= told);
    CHECK(record->summary.rows <= told + 1);
    CHECK(record->rows.size() == record->summary.rows);
    CHECK(record->summary.status == Status::kInterrupted);
  }
  CHECK(all > kMostRuns);
}

TEST_CASE("a process that is killed while it deletes leaves each run whole, or nothing of it") {
  const TempFolder folder;
  const Shared<Counter> deleted;
  constexpr int kRuns = 60;
  std::mt19937 random(12);
  const auto fill_anew = [&](int round) {
    const auto store = open_lmdb(folder.path());
    for (int i = 0; i < kRuns; ++i) {
      const std::string id = "r" + std::to_string(round) + "-" + std::to_string(i);
      REQUIRE(create(*store, ended_run(id, 5'000)));
      fs::create_directories(store->log_folder(id));
      std::ofstream(store->log_folder(id) + "/1.log") << "hello";
    }
  };
  for (int round = 0; round < 20; ++round) {
    CAPTURE(round);
    fill_anew(round);
    {
      Child child([&]() -> int {
        const auto store = open_lmdb(folder.path());
        while (true) deleted->value += static_cast<int>(store->delete_old({.limit = 3})->size());
      });
      ::usleep(static_cast<useconds_t>(random() % 20'000));
      child.kill();
      CHECK(child.wait() == -SIGKILL);
    }
    const auto store = open_lmdb(folder.path());
    check_sound(*store);
    const auto left = ids(store->list({}));
    CHECK(left.size() + static_cast<std::size_t>(deleted->value) <= kRuns * (static_cast<std::size_t>(round) + 1));
    for (const std::string& id : left) CHECK(rows_of(*store, id).size() == 3);
    // Logs are put aside before the commit: a run may be without, but none are without their run.
    CHECK(store->clear_litter());
    for (const auto& entry : fs::directory_iterator(folder.path() + "/logs")) {
      const std::string id = entry.path().filename().string();
      if (id != ".deleted") CHECK(store->find(id));
    }
  }
  CHECK(deleted->value > 0);
}

TEST_CASE("two hundred processes use one store at once, and nothing of it is lost") {
  const TempFolder folder;
  constexpr int kProcesses = 200;
  constexpr std::uint64_t kRows = 10;
  const Gate gate;
  std::vector<std::unique_ptr<Child>> children;
  for (int i = 0; i < kProcesses; ++i) {
    children.push_back(std::make_unique<Child>([&, i] {
      gate.pass();
      const auto store = open_lmdb(folder.path());
      const auto run = create(*store, new_run("r" + std::to_string(i), {begun()}));
      for (std::uint64_t next = 1; next < kRows; ++next) {
        if (!run || !append(*store, *run, next, {entered("a")})) return 1;
        if (rows_of(*store, "r" + std::to_string(i)).size() != next + 1) return 2;
      }
      return append(*store, *run, kRows, {run_ended(Status::kSucceeded)}) ? 0 : 3;
    }));
  }
  gate.open();
  int good = 0;
  for (const auto& child : children) good += child->wait() == 0;
  CHECK(good == kProcesses);
  const auto store = open_lmdb(folder.path());
  check_sound(*store);
  CHECK(ids(store->list({.status = Status::kSucceeded})).size() == kProcesses);
  CHECK(store->examine()->rows == kProcesses * (kRows + 1));
  CHECK(store->examine()->litter == Litter{});
}

TEST_CASE("a store whose map is full says so, keeps what it has, and has room again once old runs are deleted") {
  if (canorun::test::kSanitized) return;  // they need more of the address space themselves
  const TempFolder folder;
  std::size_t count = 0;
  {
    const auto store = open_with_small_map(folder.path());
    const auto [filled, error] = fill(*store, "r", 1'000'000);
    count = static_cast<std::size_t>(filled);
    CHECK(kind_name(error.kind) == "full");
    CHECK(error.message == "the store '" + folder.path() + "' is full");
    CHECK(error.hint == "allow more address space (ulimit -v)");
    CHECK(count > 10);
    CHECK(ids(store->list({})).size() == count);
    CHECK(store->delete_old({.keep = 2})->size() == count - 2);
    REQUIRE(create(*store, ended_run("small", 10)));  // see below
    CHECK(fill(*store, "s", 1'000'000).first > filled / 2);
    check_sound(*store);
  }
  const auto store = open_lmdb(folder.path());
  check_sound(*store);
  for (const std::string& id : ids(store->list({}))) CHECK(rows_of(*store, id).size() == 3);
  CHECK(create(*store, ended_run("more", 1'000'000)));
}

TEST_CASE("on a disk that is full, old runs can be deleted, and their space is used again") {
  const TempFolder folder;
  const SmallDisk disk(folder.path(), "6m");
  if (!disk.mounted()) return;
  const auto store = open_lmdb(folder.path());
  const auto [count, error] = fill(*store, "r", 50'000);
  CHECK(error.kind == StoreErrorKind::kFull);
  std::ofstream(folder.path() + "/ballast") << std::string(8 << 20, 'x');  // to the last page
  CHECK(kind(create(*store, ended_run("more", 50'000))) == "full");
  CHECK(store->delete_old({.keep = 1})->size() == static_cast<std::size_t>(count) - 1);
  // What a transaction gave up can be used from the second one behind it on: as a rule, a run begins small.
  REQUIRE(create(*store, ended_run("small", 10)));
  CHECK(fill(*store, "s", 50'000).first > count / 2);
  check_sound(*store);
}

TEST_CASE("logs that go first make the room that deleting needs") {
  const TempFolder folder;
  const SmallDisk disk(folder.path(), "3m");
  if (!disk.mounted()) return;
  const auto store = open_lmdb(folder.path());
  REQUIRE(create(*store, ended_run("r1", 10)));
  fs::create_directories(store->log_folder("r1"));
  std::ofstream(store->log_folder("r1") + "/1.log") << std::string(200'000, 'x');
  // Nothing is free in the store, nor on the disk.
  const auto run = create(*store, new_run("r2", {begun()}));
  for (std::uint64_t next = 1; append(*store, *run, next, {entered("a")}); ++next) {
    if (next == 20) std::ofstream(folder.path() + "/ballast") << std::string(8 << 20, 'x');
  }
  CHECK(*store->delete_old({}) == std::vector<std::string>{"r1"});
  check_sound(*store);
}

TEST_CASE("a reader that died does not make a store grow for ever") {
  const TempFolder folder;
  const auto size = [&] { return fs::file_size(folder.path() + "/data.mdb"); };
  const Gate reads;
  Child reader([&]() -> int {
    const auto env = LmdbEnv::open(folder.path());
    const auto txn = (*env)->read();
    reads.open();
    sleep_forever();
  });
  reads.pass();
  const auto store = open_lmdb(folder.path());
  const auto run = create(*store, new_run("r1", {begun(), entered("s")}));
  std::uint64_t window = 0;
  const auto write = [&](int commits) {
    for (int i = 0; i < commits; ++i, ++window)
      REQUIRE(append(*store, *run, 2 + window, {window_ended(window, window)}));
  };
  write(300);
  const auto held = size();
  reader.kill();
  CHECK(reader.wait() == -SIGKILL);
  write(1'000);  // whoever writes looks for dead readers now and then
  const auto cleared = size();
  write(3'000);
  CHECK(size() == cleared);
  CHECK(cleared > held);
  check_sound(*store);
}

TEST_CASE("a clock that is set back changes no order, and no run's age below nothing") {
  const TempFolder folder;
  const auto store = open_lmdb(folder.path());
  for (int i = 0; i < 4; ++i) {
    Row first = begun();
    first.at -= std::chrono::hours(i);
    REQUIRE(create(*store,
                   new_run("r" + std::to_string(i), {first, run_ended(Status::kSucceeded, after_start(-7'200 * i))})));
  }
  CHECK(ids(store->list({})) == std::vector<std::string>{"r3", "r2", "r1", "r0"});
  CHECK(ids(store->old_runs({.keep = 2})) == std::vector<std::string>{"r0", "r1"});
  // What ended in the future has no age yet.
  CHECK(ids(store->old_runs({.before = after_start(-10'000)})) == std::vector<std::string>{"r2", "r3"});
  check_sound(*store);
}
