// What only the store on disk does: its files, its thread, and what it says to files that are wrong.
#include "engine/store/lmdb_store.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <latch>
#include <set>
#include <thread>

#include "support.h"

using namespace canorun;
using namespace canorun::store;
using namespace canorun::store::test;

namespace fs = std::filesystem;

namespace {

// A store with a few runs and rows, closed again.
void fill(const std::string& folder) {
  const auto store = open_lmdb(folder);
  for (int i = 0; i < 8; ++i) {
    const auto run = create(*store, new_run("r" + std::to_string(i)));
    REQUIRE(append(*store, *run, 1, {entered("a"), state_ended("a", std::string(20'000, 'x')), entered("b")}));
  }
}

void write_file(const std::string& path, std::string_view text) { std::ofstream(path, std::ios::binary) << text; }

std::string open_kind(const std::string& folder) { return kind(LmdbStore::open({folder})); }

std::set<std::string> names_in(const std::string& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.insert(entry.path().filename().string());
  return names;
}

std::size_t threads() { return names_in("/proc/self/task").size(); }

// Holds up the store's thread: what is asked meanwhile waits, and is then written together.
class Held {
 public:
  explicit Held(LmdbStore& store) {
    store.create(new_run("held"), [this](StoreResult<RunNumber>) {
      in_.count_down();
      out_.wait();
    });
    in_.wait();
  }
  void let_go() { out_.count_down(); }

 private:
  std::latch in_{1};
  std::latch out_{1};
};

}  // namespace

TEST_CASE("what is committed is there after the store was closed and opened again") {
  const TempFolder folder;
  fill(folder.path());
  const auto store = open_lmdb(folder.path());
  const auto record = store->load("r3");
  REQUIRE(record);
  CHECK(record->summary.status == Status::kInterrupted);
  CHECK(record->rows ==
        std::vector<Row>{started(), entered("a"), state_ended("a", std::string(20'000, 'x')), entered("b")});
  CHECK(ids(store->list({})).size() == 8);
}

TEST_CASE("a store makes its folders 0700 and its files 0600, whatever the umask") {
  for (const mode_t mask : {0, 022, 0177, 0777}) {
    const TempFolder folder;
    const std::string top = folder.path() + "/a/b/store";
    const mode_t before = ::umask(mask);
    {
      const auto store = open_lmdb(top);
      CHECK(create(*store, new_run("r1")));
      ::umask(before);
      CHECK(names_in(top) == std::set<std::string>{"data.mdb", "lock.mdb", "logs", "owners", "users"});
      for (const auto& entry : fs::recursive_directory_iterator(folder.path())) {
        const auto mode = static_cast<unsigned>(entry.status().permissions());
        CHECK_MESSAGE(mode == (entry.is_directory() ? 0700 : 0600), entry.path().string());
      }
    }
    CHECK(names_in(top + "/owners").empty());
  }
}

TEST_CASE("a folder that was there keeps its mode") {
  const TempFolder folder;
  fs::permissions(folder.path(), fs::perms(0755));
  fill(folder.path());
  CHECK(static_cast<unsigned>(fs::status(folder.path()).permissions()) == 0755);
}

TEST_CASE("a folder that cannot be made says which option chooses another") {
  const TempFolder folder;
  write_file(folder.path() + "/file", "x");
  const auto under_a_file = LmdbStore::open({folder.path() + "/file/store"});
  REQUIRE(!under_a_file);
  CHECK(under_a_file.error().message == "the folder '" + folder.path() + "/file' of the store: Not a directory");
  CHECK(under_a_file.error().hint == "choose another folder with --store DIR or CANORUN_STORE");
  CHECK(open_kind(folder.path() + "/file") == "io");
  CHECK(open_kind("") == "io");
  CHECK(open_kind("/sys/canorun") == "permission");
}

TEST_CASE("no descriptor of a store reaches another program") {
  const TempFolder folder;
  const auto before = names_in("/proc/self/fd");
  const auto store = open_lmdb(folder.path());
  REQUIRE(create(*store, new_run("r1")));
  REQUIRE(store->wake_fd() >= 0);
  std::size_t more = 0;
  for (const std::string& name : names_in("/proc/self/fd")) {
    const int flags = ::fcntl(std::stoi(name), F_GETFD);
    if (before.contains(name) || flags < 0) continue;
    ++more;
    CHECK((flags & FD_CLOEXEC) != 0);
  }
  CHECK(more >= 5);
}

TEST_CASE("reading starts no thread") {
  const TempFolder folder;
  fill(folder.path());
  const std::size_t before = threads();
  const auto store = open_lmdb(folder.path());
  CHECK(store->load("r0"));
  CHECK(ids(store->list({})).size() == 8);
  CHECK(store->take_requests(1)->empty());
  CHECK(threads() == before);
}

TEST_CASE("a store that this process has open is not opened twice") {
  const TempFolder folder;
  const auto store = open_lmdb(folder.path());
  const auto again = LmdbStore::open({folder.path() + "/."});
  REQUIRE(!again);
  CHECK(again.error().message == "this process has the store '" + folder.path() + "/.' open");
}

TEST_CASE("a truncated data file is refused, or whole") {
  const TempFolder folder;
  fill(folder.path());
  const std::string file = folder.path() + "/data.mdb";
  const auto whole = fs::file_size(file);
  std::size_t refused = 0;
  std::size_t opened = 0;
  for (auto size = whole; size > 0;) {
    size -= std::min<std::uintmax_t>(size, size <= 65'536 ? 1'024 : 16'384);
    fs::resize_file(file, size);
    const auto store = LmdbStore::open({folder.path()});
    if (store) {
      ++opened;
      for (int i = 0; i < 8; ++i) CHECK(rows_of(**store, "r" + std::to_string(i)).size() == 4);
    } else {
      ++refused;
      CHECK(kind(store) == "corrupt");
    }
  }
  CHECK(refused > 64);
  CHECK(opened > 16);
}

TEST_CASE("the hole at the end is always there") {
  const TempFolder folder;
  const auto store = open_lmdb(folder.path());
  const auto run = create(*store, new_run("r1"));
  for (std::uint64_t i = 1; i < 40; ++i) {
    REQUIRE(append(*store, *run, i, {state_ended("a", std::string(100'000 * (i % 5), 'x'))}));
    struct stat file{};
    REQUIRE(::stat((folder.path() + "/data.mdb").c_str(), &file) == 0);
    CHECK(file.st_size - file.st_blocks * 512 >= 512 * 1024);
  }
}

TEST_CASE("a file that is no store is refused, and left as it is") {
  const TempFolder folder;
  const std::string file = folder.path() + "/data.mdb";
  for (const std::string& garbage : {std::string("hello\n"), std::string(100'000, '\xA5'), std::string(8'192, '\0')}) {
    write_file(file, garbage);
    CHECK(open_kind(folder.path()) == "not a store");
    std::ifstream read(file, std::ios::binary);
    CHECK(std::string(std::istreambuf_iterator<char>(read), {}) == garbage);
  }
  fs::remove(file);
  fs::create_directory(file);
  CHECK(open_kind(folder.path()) == "io");
}

TEST_CASE("another program's LMDB files are refused") {
  const TempFolder folder;
  tamper(folder.path(), nullptr, "some", "thing");
  CHECK(open_kind(folder.path()) == "not a store");
  const TempFolder with_tables;
  tamper(with_tables.path(), "meta", "some", "thing");
  CHECK(open_kind(with_tables.path()) == "not a store");
}

TEST_CASE("a store of a later version is refused") {
  const TempFolder folder;
  fill(folder.path());
  tamper(folder.path(), "meta", "version", std::string("\0\0\0\0\0\0\0\2", 8));
  const auto store = LmdbStore::open({folder.path()});
  REQUIRE(!store);
  CHECK(kind(store) == "newer version");
  CHECK(store.error().message == "the store has version 2, and this canorun reads up to 1");
}

TEST_CASE("a row of a later version is refused by name, and takes nothing else with it") {
  const TempFolder folder;
  fill(folder.path());
  const std::string second_of_first("\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\1", 16);
  tamper(folder.path(), "rows", second_of_first, std::string("\x84\x18\x63\1\0\xA0", 6));
  const auto store = open_lmdb(folder.path());
  const auto refused = store->load("r0");
  REQUIRE(!refused);
  CHECK(kind(refused) == "newer version");
  CHECK(refused.error().message == "row 1: a row of unknown type 99");
  CHECK(kind(store->claim("r0")) == "newer version");
  CHECK(store->find("r0")->status == Status::kInterrupted);
  CHECK(store->load("r1"));
  CHECK(ids(store->list({})).size() == 8);
}

TEST_CASE("a row that is damaged, missing or too many is found") {
  const TempFolder folder;
  fill(folder.path());
  const auto row = [](char run, char sequence) {
    return std::string{0, 0, 0, 0, 0, 0, 0, run, 0, 0, 0, 0, 0, 0, 0, sequence};
  };
  tamper(folder.path(), "rows", row(1, 1), "\x01");
  tamper(folder.path(), "rows", row(2, 1), {});
  tamper(folder.path(), "rows", row(3, 3), {});
  const auto store = open_lmdb(folder.path());
  CHECK(store->load("r0").error().message == "row 1: a row in the store cannot be read");
  CHECK(store->load("r1").error().message == "row 1 of 4 is missing in the store");
  CHECK(store->load("r2").error().message == "row 3 of 4 is missing in the store");
  CHECK(kind(store->claim("r2")) == "corrupt");
  CHECK(store->find("r2")->status == Status::kInterrupted);
}

TEST_CASE("what waits is committed together") {
  const TempFolder folder;
  const auto store = open_lmdb(folder.path());
  std::vector<RunNumber> runs;
  for (int i = 0; i < 64; ++i) runs.push_back(*create(*store, new_run("r" + std::to_string(i))));
  Held held(*store);
  const std::uint64_t before = store->transactions();
  std::latch done(64);
  std::atomic<int> good = 0;
  {
    std::vector<std::jthread> callers;
    for (const RunNumber run : runs) {
      callers.emplace_back([&, run] {
        store->append(run, 1, {entered("a"), state_ended("a")}, [&](StoreResult<void> result) {
          if (result) ++good;
          done.count_down();
        });
      });
    }
  }
  held.let_go();
  done.wait();
  CHECK(good == 64);
  CHECK(store->transactions() == before + 1);
}

TEST_CASE("a refused row takes no other run's rows with it") {
  const TempFolder folder;
  const auto store = open_lmdb(folder.path());
  std::vector<RunNumber> runs;
  for (int i = 0; i < 3; ++i) runs.push_back(*create(*store, new_run("r" + std::to_string(i))));
  Held held(*store);
  std::vector<std::string> results(5);
  std::latch done(5);
  const auto put = [&](std::size_t place, RunNumber run, std::uint64_t first) {
    store->append(run, first, {entered("a")}, [&results, &done, place](StoreResult<void> result) {
      results[place] = kind(result);
      done.count_down();
    });
  };
  put(0, runs[0], 1);
  put(1, runs[1], 0);
  put(2, runs[2], 1);
  put(3, 999, 1);
  put(4, runs[2], 2);
  held.let_go();
  done.wait();
  CHECK(results == std::vector<std::string>{"success", "row exists", "success", "no such run", "success"});
  CHECK(rows_of(*store, "r0").size() == 2);
  CHECK(rows_of(*store, "r1").size() == 1);
  CHECK(rows_of(*store, "r2").size() == 3);
}

TEST_CASE("closing waits for what was asked") {
  const TempFolder folder;
  int completed = 0;
  {
    const auto store = open_lmdb(folder.path());
    for (int i = 0; i < 50; ++i) {
      store->create(new_run("r" + std::to_string(i)),
                    [&](StoreResult<RunNumber> result) { completed += result ? 1 : 0; });
    }
  }
  CHECK(completed == 50);
  CHECK(ids(open_lmdb(folder.path())->list({})).size() == 50);
}

TEST_CASE("runs that are deleted take their logs with them") {
  const TempFolder folder;
  const auto store = open_lmdb(folder.path());
  CHECK(store->log_folder("r1") == folder.path() + "/logs/r1");
  for (const char* id : {"r1", "r2"}) {
    REQUIRE(create(*store, new_run(id, {started(id), run_ended(Status::kSucceeded)})));
    fs::create_directories(store->log_folder(id));
    write_file(store->log_folder(id) + "/1.log", "hello");
  }
  CHECK(*store->delete_ended("r1", after_start(100), 9) == std::vector<std::string>{"r1"});
  CHECK(names_in(folder.path() + "/logs") == std::set<std::string>{".deleted", "r2"});
  CHECK(names_in(folder.path() + "/logs/.deleted").empty());
}

TEST_CASE("logs that a process left while it deleted their run go with the next deletion") {
  const TempFolder folder;
  const auto store = open_lmdb(folder.path());
  fs::create_directories(folder.path() + "/logs/.deleted/17");
  write_file(folder.path() + "/logs/.deleted/17/1.log", "hello");
  REQUIRE(create(*store, new_run("r1", {started("r1"), run_ended(Status::kSucceeded)})));
  CHECK(store->delete_ended("r1", after_start(100), 9)->size() == 1);
  CHECK(names_in(folder.path() + "/logs/.deleted").empty());
}

TEST_CASE("many runs are deleted in few transactions") {
  const TempFolder folder;
  const auto store = open_lmdb(folder.path());
  std::vector<Row> rows(3'000, entered("a"));
  rows.front() = started();
  rows.back() = run_ended(Status::kSucceeded);
  for (int i = 0; i < 10; ++i) REQUIRE(create(*store, new_run("r" + std::to_string(i), rows)));
  const std::uint64_t before = store->transactions();
  CHECK(store->delete_ended("order", after_start(100), 100)->size() == 10);
  CHECK(store->transactions() == before + 4);  // three runs of 3,000 rows fit into 10,000
  CHECK(ids(store->list({})).empty());
  for (int i = 0; i < 2'500; ++i) {
    store->create(new_run("s" + std::to_string(i), {started(), run_ended(Status::kSucceeded)}),
                  [](const StoreResult<RunNumber>&) {});
  }
  REQUIRE(create(*store, new_run("last")));
  const std::uint64_t between = store->transactions();
  CHECK(store->delete_old({})->size() == 2'500);
  CHECK(store->transactions() == between + 3);
}

TEST_CASE("rows of children count, too, for what one transaction deletes") {
  const TempFolder folder;
  const auto store = open_lmdb(folder.path());
  std::vector<Row> rows(6'000, entered("a"));
  rows.back() = run_ended(Status::kSucceeded);
  for (const std::string id : {"a", "b"}) {
    REQUIRE(create(*store, new_run(id, {started(), run_ended(Status::kSucceeded)})));
    rows.front() = started();
    std::get<RunStarted>(rows.front().body).parent = id;
    REQUIRE(create(*store, new_run(id + ".1", rows)));
  }
  const std::uint64_t before = store->transactions();
  CHECK(store->delete_old({})->size() == 2);
  CHECK(store->transactions() == before + 2);
}

TEST_CASE("a store that is compacted keeps what runs refer to, and nothing else") {
  const TempFolder folder;
  fill(folder.path());
  {
    auto store = open_lmdb(folder.path());
    REQUIRE(store->put_text("d9", "nobody's\n"));
    REQUIRE(create(*store, new_run("old", {started(), run_ended(Status::kSucceeded)})));
  }
  write_file(folder.path() + "/data.mdb.new", std::string(2 << 20, 'x'));
  auto store = LmdbStore::open({.folder = folder.path(), .alone = true});
  REQUIRE(store);
  CHECK((*store)->delete_old({})->size() == 1);
  const auto compacted = LmdbStore::compact(std::move(*store));
  REQUIRE(compacted);
  CHECK(compacted->after < compacted->before);
  CHECK(names_in(folder.path()) == std::set<std::string>{"data.mdb", "lock.mdb", "logs", "owners", "users"});
  const auto opened = open_lmdb(folder.path());
  CHECK(kind(opened->text("d9")) == "not found");
  CHECK(*opened->text("d1") == "name: order\n");
  for (int i = 0; i < 8; ++i) CHECK(rows_of(*opened, "r" + std::to_string(i)).size() == 4);
  CHECK(*create(*opened, new_run("next")) == 10);
}

TEST_CASE("file systems over a network are told apart") {
  CHECK(is_local(0xEF53, "ext4"));
  CHECK(is_local(0x01021994, "tmpfs"));
  CHECK(is_local(0x65735546, "fuseblk"));
  CHECK(!is_local(0x65735546, "fuse.sshfs"));
  CHECK(!is_local(0x65735546, "virtiofs"));
  for (const std::uint64_t type :
       {0x6969ULL, 0xFF534D42ULL, 0xFE534D42ULL, 0x01021997ULL, 0x00C36400ULL, 0x5346414FULL}) {
    CHECK(!is_local(type, "whatever"));
  }
}
