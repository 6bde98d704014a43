#include "support.h"

#include <lmdb.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <iostream>
#include <stdexcept>

#include "engine/store/row_effects.h"

namespace canorun::store::test {

WallTime after_start(std::int64_t seconds) { return kStart + std::chrono::seconds(seconds); }

Row started(std::string flow, std::string digest) {
  return {kStart, RunStarted{.flow = std::move(flow),
                             .version = 2,
                             .digest = std::move(digest),
                             .file = "/home/a/order.yaml",
                             .folder = "/home/a",
                             .nonce = "0b7a",
                             .inputs = {{"id", "A1"}},
                             .vars = {{"n", 0}}}};
}

Row entered(std::string state, std::uint64_t visit) {
  return {after_start(1), StateEntered{.state = std::move(state), .visit = visit}};
}

Row state_ended(std::string state, Json output) {
  return {after_start(2), StateEnded{.state = std::move(state), .attempts = 1, .output = std::move(output)}};
}

Row window_ended(std::uint64_t window, std::uint64_t replaces, std::uint64_t visit) {
  return {after_start(3), WindowEnded{.state = "s",
                                      .visit = visit,
                                      .window = window,
                                      .attempts = 1,
                                      .items = window + 1,
                                      .cursor = window,
                                      .replaces = replaces}};
}
Row suspended() { return {after_start(3), RunSuspended{"SIGTERM"}}; }

Row resumed(std::optional<std::string> digest) {
  return {after_start(4), RunResumed{.state = "", .digest = std::move(digest)}};
}

Row run_ended(Status status, WallTime at) { return {at, RunEnded{.status = status, .state = "done", .entered = true}}; }

NewRun new_run(std::string id, std::vector<Row> rows) {
  NewRun run{std::move(id), std::move(rows)};
  for (const Row& row : run.rows) {
    for (const std::string_view digest : texts_of(row)) run.texts.emplace(digest, "name: order\n");
  }
  return run;
}

StoreResult<RunNumber> create(CheckpointStore& store, NewRun run) {
  std::promise<StoreResult<RunNumber>> done;
  store.create(std::move(run), [&](StoreResult<RunNumber> result) { done.set_value(std::move(result)); });
  return done.get_future().get();
}

StoreResult<void> append(CheckpointStore& store, RunNumber run, std::uint64_t first, std::vector<Row> rows) {
  std::promise<StoreResult<void>> done;
  auto result = done.get_future();
  store.append(run, first, std::move(rows),
               [done = std::move(done)](StoreResult<void> got) mutable { done.set_value(std::move(got)); });
  return result.get();
}

std::vector<Row> rows_of(const CheckpointStore& store, std::string_view id) {
  auto record = store.load(id);
  REQUIRE(record);
  return std::move(record->rows);
}

std::vector<std::string> ids(const StoreResult<std::vector<Summary>>& list) {
  std::vector<std::string> result;
  REQUIRE(list);
  for (const Summary& summary : *list) result.push_back(summary.id);
  return result;
}

std::string kind_name(StoreErrorKind kind) {
  constexpr std::array kNames{"no such run",     "run exists", "owned",         "not owner",
                              "row exists",      "not found",  "full",          "permission",
                              "not a store",     "corrupt",    "newer version", "not local",
                              "other namespace", "io",         "group taken",   "in use"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::unique_ptr<LmdbStore> open_lmdb(const std::string& folder) {
  auto store = LmdbStore::open({folder});
  if (!store) throw std::runtime_error(store.error().message);
  return std::move(*store);
}

void tamper(const std::string& folder, const char* table, std::string key, std::optional<std::string> value) {
  MDB_env* env = nullptr;
  MDB_txn* txn = nullptr;
  MDB_dbi dbi = 0;
  MDB_val at{key.size(), key.data()};
  MDB_val data{value ? value->size() : 0, value ? value->data() : nullptr};
  REQUIRE(mdb_env_create(&env) == 0);
  mdb_env_set_maxdbs(env, 8);
  REQUIRE(mdb_env_open(env, folder.c_str(), 0, 0600) == 0);
  REQUIRE(mdb_txn_begin(env, nullptr, 0, &txn) == 0);
  REQUIRE(mdb_dbi_open(txn, table, MDB_CREATE, &dbi) == 0);
  REQUIRE((value ? mdb_put(txn, dbi, &at, &data, 0) : mdb_del(txn, dbi, &at, nullptr)) == 0);
  REQUIRE(mdb_txn_commit(txn) == 0);
  mdb_env_close(env);
}

Child::Child(const std::function<int()>& body) {
  std::cout.flush();  // what is buffered must not be printed twice
  pid_ = ::fork();
  if (pid_ != 0) return;
  ::alarm(300);  // no test hangs for a child that does
  int code = 120;
  try {
    code = body();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "in a child: %s\n", error.what());
  } catch (...) {  // what a REQUIRE throws; it has said why
  }
  ::_exit(code);
}

Child::~Child() {
  if (pid_ > 0) {
    kill();
    wait();
  }
}

void Child::kill() { ::kill(pid_, SIGKILL); }

int Child::wait() {
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) continue;
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

Gate::Gate() {
  if (::pipe(ends_) != 0) throw std::runtime_error("no pipe");
}

Gate::~Gate() {
  ::close(ends_[0]);
  ::close(ends_[1]);
}

void Gate::open() const {
  if (::write(ends_[1], "o", 1) != 1) throw std::runtime_error("a gate does not open");
}

void Gate::pass() const {
  // Seen, not read: whoever comes later passes, too.
  pollfd end{ends_[0], POLLIN, 0};
  if (::poll(&end, 1, 60'000) != 1) throw std::runtime_error("nobody opened a gate");
}

void sleep_forever() {
  while (true) ::pause();
}

}  // namespace canorun::store::test
