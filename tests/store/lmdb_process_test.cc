// The store on disk between processes, and at the limits that the system sets to one.
#include <fcntl.h>
#include <lmdb.h>
#include <poll.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <latch>
#include <thread>

#include "shared_calls.h"
#include "support.h"
#include "support/sanitizer.h"
#include "support/shared_memory.h"
#include "support/small_disk.h"

using namespace canorun;
using namespace canorun::store;
using namespace canorun::store::test;
using canorun::test::Shared;

namespace fs = std::filesystem;

namespace {

constexpr int kRounds = 100;

// What two racing processes found, round by round.
struct Race {
  std::atomic<int> arrived{0};
  std::atomic<int> won[kRounds]{};
  std::atomic<int> refused[kRounds]{};

  void meet(int round) {
    ++arrived;
    while (arrived < 2 * (round + 1)) ::sched_yield();
  }
};

// Two processes do the same at once, a hundred times; exactly one may succeed, the other is refused with `refusal`.
void race(const std::string& folder, const std::string& refusal,
          const std::function<std::string(CheckpointStore&, const std::string&)>& attempt) {
  const Shared<Race> shared;
  const auto racer = [&] {
    const auto store = open_lmdb(folder);
    for (int i = 0; i < kRounds; ++i) {
      shared->meet(i);
      const std::string result = attempt(*store, "r" + std::to_string(i));
      shared->won[i] += result == "success";
      shared->refused[i] += result == refusal;
    }
    shared->meet(kRounds);  // none gives up what it won before the other has tried
    return 0;
  };
  Child one(racer);
  Child two(racer);
  CHECK(one.wait() == 0);
  CHECK(two.wait() == 0);
  int single = 0;
  for (int i = 0; i < kRounds; ++i) single += shared->won[i] == 1 && shared->refused[i] == 1;
  CHECK(single == kRounds);
}

// A folder with a file system of its own, of two or so mebibytes.
struct SmallFolder {
  TempFolder folder;
  canorun::test::SmallDisk disk{folder.path(), "3m"};
  bool mounted() const { return disk.mounted(); }
  const std::string& path() const { return folder.path(); }
};

Row big_row(std::size_t bytes) { return state_ended("a", std::string(bytes, 'x')); }

// Appends from row `next` on until the store refuses; gives the row that it refused, and why.
std::pair<std::uint64_t, StoreError> append_until_refused(CheckpointStore& store, RunNumber run, std::uint64_t next = 1,
                                                          std::size_t bytes = 50'000) {
  for (;; ++next) {
    if (auto result = append(store, run, next, {big_row(bytes)}); !result) return {next, result.error()};
    if (next > 1'000) throw std::runtime_error("the store never filled");
  }
}

int dead_readers(const std::string& folder) {
  MDB_env* env = nullptr;
  int dead = -1;
  mdb_env_create(&env);
  mdb_env_set_maxreaders(env, 4096);
  if (mdb_env_open(env, folder.c_str(), MDB_NOTLS, 0600) == 0) mdb_reader_check(env, &dead);
  mdb_env_close(env);
  return dead;
}

}  // namespace

TEST_CASE("of two processes that claim a run at once, one gets it") {
  const TempFolder folder;
  {
    const auto store = open_lmdb(folder.path());
    for (int i = 0; i < kRounds; ++i) REQUIRE(create(*store, new_run("r" + std::to_string(i))));
  }
  race(folder.path(), "owned", [](CheckpointStore& store, const std::string& id) { return kind(store.claim(id)); });
}

TEST_CASE("of two processes that start one id at once, one does, and its rows are whole") {
  const TempFolder folder;
  race(folder.path(), "run exists", [](CheckpointStore& store, const std::string& id) {
    const auto run = create(store, new_run(id, {started(), entered("a")}));
    return run ? kind(append(store, *run, 2, {state_ended("a")})) : kind(run);
  });
  const auto store = open_lmdb(folder.path());
  for (int i = 0; i < kRounds; ++i) {
    CHECK(rows_of(*store, "r" + std::to_string(i)) == std::vector<Row>{started(), entered("a"), state_ended("a")});
  }
}

TEST_CASE("a store that is not there yet is made once, whoever comes first") {
  const TempFolder folder;
  const Gate gate;
  std::vector<std::unique_ptr<Child>> children;
  for (int i = 0; i < 8; ++i) {
    children.push_back(std::make_unique<Child>([&, i] {
      gate.pass();
      const auto store = open_lmdb(folder.path() + "/deep/store");
      return create(*store, new_run("r" + std::to_string(i))) ? 0 : 1;
    }));
  }
  gate.open();
  for (const auto& child : children) CHECK(child->wait() == 0);
  CHECK(ids(open_lmdb(folder.path() + "/deep/store")->list({})).size() == 8);
}

TEST_CASE("a run is owned until its process is gone, and can then be claimed") {
  const TempFolder folder;
  const Gate ready;
  Child owner([&] {
    const auto store = open_lmdb(folder.path());
    if (!create(*store, new_run("r1", {started(), entered("a")}))) return 1;
    ready.open();
    sleep_forever();
  });
  ready.pass();
  const auto store = open_lmdb(folder.path());
  CHECK(store->find("r1")->status == Status::kRunning);
  CHECK(kind(store->claim("r1")) == "owned");
  CHECK(kind(append(*store, 1, 2, {state_ended("a")})) == "not owner");
  owner.kill();
  CHECK(owner.wait() == -SIGKILL);
  CHECK(ids(store->list({.status = Status::kInterrupted})) == std::vector<std::string>{"r1"});
  const auto claimed = store->claim("r1");
  REQUIRE(claimed);
  CHECK(claimed->summary.status == Status::kInterrupted);
  CHECK(claimed->rows == std::vector<Row>{started(), entered("a")});
  CHECK(append(*store, claimed->number, 2, {resumed()}));
  CHECK(std::distance(fs::directory_iterator(folder.path() + "/owners"), {}) == 1);
}

TEST_CASE("a run can be claimed although its dead owner was about to start a command") {
  const TempFolder folder;
  const Gate ready;
  Child owner([&] {
    const auto store = open_lmdb(folder.path());
    if (!create(*store, new_run("r1", {started(), entered("a")}))) return 1;
    // It shares what the owner has open until it becomes another program, which takes it a while.
    const pid_t parent = ::getpid();
    if (::fork() == 0) {
      while (::getppid() == parent) ::usleep(100);
      ::usleep(20'000);
      ::_exit(0);
    }
    ready.open();
    sleep_forever();
  });
  ready.pass();
  const auto store = open_lmdb(folder.path());
  owner.kill();
  CHECK(owner.wait() == -SIGKILL);
  CHECK(kind(store->claim("r1")) == "success");
}

TEST_CASE("files of dead owners are removed by the next owner") {
  const TempFolder folder;
  open_lmdb(folder.path());
  std::ofstream(folder.path() + "/owners/1-00000000000000aa");
  std::ofstream(folder.path() + "/owners/README");
  const auto store = open_lmdb(folder.path());
  REQUIRE(create(*store, new_run("r1")));
  CHECK(!fs::exists(folder.path() + "/owners/1-00000000000000aa"));
  CHECK(fs::exists(folder.path() + "/owners/README"));
}

TEST_CASE("a request wakes the run's owner in another process") {
  const TempFolder folder;
  const Gate ready;
  Child asker([&] {
    ready.pass();
    const auto store = open_lmdb(folder.path());
    const auto posted = store->post("r1", Request::kCancel);
    return posted && *posted ? 0 : 1;
  });
  const auto store = open_lmdb(folder.path());
  pollfd wake{store->wake_fd(), POLLIN, 0};
  const auto run = create(*store, new_run("r1"));
  REQUIRE(run);
  CHECK(::poll(&wake, 1, 0) == 0);
  ready.open();
  CHECK(::poll(&wake, 1, 60'000) == 1);
  CHECK(*store->take_requests(*run) == std::vector<Request>{Request::kCancel});
  CHECK(asker.wait() == 0);
}

TEST_CASE("what was asked of an owner that died is not asked of the next") {
  const TempFolder folder;
  const Gate ready;
  Child owner([&]() -> int {
    const auto store = open_lmdb(folder.path());
    static_cast<void>(create(*store, new_run("r1")));
    ready.open();
    sleep_forever();
  });
  ready.pass();
  const auto store = open_lmdb(folder.path());
  CHECK(*store->post("r1", Request::kCancel));
  owner.kill();
  owner.wait();
  const auto claimed = store->claim("r1");
  REQUIRE(claimed);
  CHECK(store->take_requests(claimed->number)->empty());
}

TEST_CASE("a store in use from another PID namespace is refused, and one that was is not") {
  const TempFolder folder;
  open_lmdb(folder.path());
  const std::string users = folder.path() + "/users";
  std::ofstream(users) << "another-boot 4026531836\n";
  {
    const int fd = ::open(users.c_str(), O_RDONLY | O_CLOEXEC);
    REQUIRE(::flock(fd, LOCK_SH) == 0);
    const auto refused = LmdbStore::open({folder.path()});
    ::close(fd);
    REQUIRE(!refused);
    CHECK(kind(refused) == "other namespace");
    CHECK(refused.error().message == "the store is in use from another PID namespace (another container?)");
  }
  CHECK(LmdbStore::open({folder.path()}));
}

TEST_CASE("a process in a real other PID namespace is refused") {
  const TempFolder folder;
  const Gate ready;
  Child user([&]() -> int {
    const auto store = open_lmdb(folder.path());
    ready.open();
    sleep_forever();
  });
  ready.pass();
  Child stranger([&] {
    if (::unshare(CLONE_NEWPID) != 0) return 77;
    Child inside([&] { return kind(LmdbStore::open({folder.path()})) == "other namespace" ? 0 : 1; });
    return inside.wait();
  });
  const int code = stranger.wait();
  if (code == 77) {
    MESSAGE("skipped: no right to make a PID namespace");
  } else {
    CHECK(code == 0);
  }
}

TEST_CASE("a full disk is told, keeps nothing of what did not fit, and is survived") {
  const SmallFolder disk;
  if (!disk.mounted()) return;
  const std::string folder = disk.path() + "/store";
  const std::string filler = disk.path() + "/filler";
  const auto store = open_lmdb(folder);
  const auto run = create(*store, new_run("r1"));
  REQUIRE(run);
  std::ofstream(filler) << std::string(1 << 20, 'x');
  const auto [rows, error] = append_until_refused(*store, *run);
  CHECK(kind_name(error.kind) == "full");
  CHECK(error.hint == "make room, then try again");
  CHECK(rows > 3);
  CHECK(rows_of(*store, "r1").size() == rows);
  fs::remove(filler);
  CHECK(append(*store, *run, rows, {big_row(50'000)}));
  CHECK(rows_of(*store, "r1").size() == rows + 1);
}

TEST_CASE("what does not fit takes nothing of its group with it") {
  const SmallFolder disk;
  if (!disk.mounted()) return;
  const auto store = open_lmdb(disk.path());
  const auto small = create(*store, new_run("small"));
  const auto large = create(*store, new_run("large"));
  REQUIRE(large);
  std::latch held(1);
  std::latch holding(1);
  std::latch done(2);
  std::string results[2];
  store->create(new_run("held"), [&](StoreResult<RunNumber>) {
    holding.count_down();
    held.wait();
  });
  holding.wait();
  store->append(*large, 1, {big_row(4 << 20)}, [&](StoreResult<void> result) {
    results[0] = kind(result);
    done.count_down();
  });
  store->append(*small, 1, {entered("a")}, [&](StoreResult<void> result) {
    results[1] = kind(result);
    done.count_down();
  });
  held.count_down();
  done.wait();
  CHECK(results[0] == "full");
  CHECK(results[1] == "success");
  CHECK(rows_of(*store, "large").size() == 1);
  CHECK(rows_of(*store, "small").size() == 2);
}

TEST_CASE("a call of limits whose group did not fit is made again, and counted once") {
  const SmallFolder disk;
  if (!disk.mounted()) return;
  const std::string filler = disk.path() + "/filler";
  std::ofstream(filler) << std::string(512 << 10, 'x');
  const auto store = open_lmdb(disk.path() + "/store");
  SharedState& shared = store->shared();
  const Moment now{kStart, SteadyTime{} + std::chrono::hours{1}};
  const LimitCost bucket{.key = "api", .rule = policy::Bucket{3, Millis{1'000}, 0}};
  const LimitCost window{.key = "plan", .rule = policy::Window{1, Millis{60'000}}};
  const auto large = create(*store, new_run("large"));
  REQUIRE(large);
  int taken = 0;
  Ticket ticket = 0;
  std::latch held(1);
  std::latch holding(1);
  std::latch done(3);
  store->create(new_run("held"), [&](StoreResult<RunNumber>) {
    holding.count_down();
    held.wait();
  });
  holding.wait();
  // The first of the group to be written alone, and so the first that is told.
  store->append(*large, 1, {big_row(4 << 20)}, [&](StoreResult<void> result) {
    CHECK(kind(result) == "full");
    fs::remove(filler);
    done.count_down();
  });
  for (int i = 0; i < 2; ++i) {
    shared.take_limits({.costs = {bucket, window}, .now = now}, [&](const StoreResult<LimitAnswer>& got) {
      const bool waits = got && std::holds_alternative<LimitWait>(*got);
      if (waits) ticket = *std::get<LimitWait>(*got).ticket;
      taken += got && !waits;
      done.count_down();
    });
  }
  held.count_down();
  done.wait();
  CHECK(taken == 1);
  CHECK(said(shared.limits()) == "api 1 missing, 1 waiting; plan 1 used, 1 waiting");
  leave(shared, {bucket, window}, ticket);
  CHECK(said(shared.limits()) == "api 1 missing, 0 waiting; plan 1 used, 0 waiting");
}

TEST_CASE("a limit on the size of files is a full store, not the end of the process") {
  const TempFolder folder;
  Child child([&] {
    const auto store = open_lmdb(folder.path());
    const auto run = create(*store, new_run("r1"));
    const rlimit limit{4 << 20, 4 << 20};
    if (!run || ::setrlimit(RLIMIT_FSIZE, &limit) != 0) return 1;
    const auto [some, cut_short] = append_until_refused(*store, *run);
    const auto [rows, at_the_limit] = append_until_refused(*store, *run, some, 1'000);
    const bool full = cut_short.kind == StoreErrorKind::kFull && at_the_limit.kind == StoreErrorKind::kFull;
    return full && some > 20 && rows_of(*store, "r1").size() == rows ? 0 : 2;
  });
  CHECK(child.wait() == 0);
}

TEST_CASE("a small address space gets a small map") {
  if (canorun::test::kSanitized) return;  // they need more of it themselves
  const TempFolder folder;
  for (const rlim_t limit : {rlim_t{512} << 20, rlim_t{4} << 30, rlim_t{1} << 41}) {
    Child child([&] {
      const rlimit space{limit, limit};
      if (::setrlimit(RLIMIT_AS, &space) != 0) return 1;
      const auto store = open_lmdb(folder.path());
      const auto run = create(*store, new_run("r" + std::to_string(limit)));
      return run && append(*store, *run, 1, {big_row(1'000'000)}) ? 0 : 2;
    });
    CHECK(child.wait() == 0);
  }
}

TEST_CASE("a reader that died is cleared when the store is opened") {
  const TempFolder folder;
  open_lmdb(folder.path());
  const Gate ready;
  Child user([&]() -> int {
    const auto store = open_lmdb(folder.path());
    ready.open();
    sleep_forever();
  });
  ready.pass();
  const auto die_reading = [&] {
    MDB_env* env = nullptr;
    MDB_txn* txn = nullptr;
    mdb_env_create(&env);
    mdb_env_set_maxreaders(env, 4096);
    if (mdb_env_open(env, folder.path().c_str(), MDB_NOTLS, 0600) != 0) return 1;
    if (mdb_txn_begin(env, nullptr, MDB_RDONLY, &txn) != 0) return 2;
    return ::raise(SIGKILL);
  };
  {
    Child reader(die_reading);
    CHECK(reader.wait() == -SIGKILL);
  }
  Child counter([&] { return dead_readers(folder.path()); });
  CHECK(counter.wait() == 1);
  {
    Child reader(die_reading);
    CHECK(reader.wait() == -SIGKILL);
  }
  open_lmdb(folder.path());
  Child counter_after([&] { return dead_readers(folder.path()); });
  CHECK(counter_after.wait() == 0);
}

TEST_CASE("what one process commits while another dies in the middle of writing is there") {
  const TempFolder folder;
  const auto write_on = [&](const std::string& id, const Gate& ready) {
    const auto store = open_lmdb(folder.path());
    const auto run = create(*store, new_run(id));
    ready.open();
    for (std::uint64_t next = 1; append(*store, *run, next, {big_row(30'000)}); ++next) continue;
    return 1;
  };
  for (int i = 0; i < 5; ++i) {
    const Gate ready;
    const std::string id = "r" + std::to_string(i);
    Child writer([&] { return write_on(id, ready); });
    ready.pass();
    Child other([&] {
      const auto store = open_lmdb(folder.path());
      const auto run = create(*store, new_run("other-" + id));
      for (std::uint64_t next = 1; next < 20; ++next) {
        if (!append(*store, *run, next, {entered("a")})) return 1;
        if (next == 5) writer.kill();
      }
      return 0;
    });
    CHECK(other.wait() == 0);
    CHECK(writer.wait() == -SIGKILL);
  }
  const auto store = open_lmdb(folder.path());
  for (int i = 0; i < 5; ++i) {
    CHECK(rows_of(*store, "other-r" + std::to_string(i)).size() == 20);
    const auto cut = store->load("r" + std::to_string(i));
    REQUIRE(cut);
    CHECK(cut->rows.size() == cut->summary.rows);
    CHECK(cut->summary.status == Status::kInterrupted);
  }
}
