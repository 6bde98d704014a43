// What runs share, asked by one process and by eight at once, beside the raw limits of LMDB.
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <lmdb.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/store/lmdb_store.h"
#include "support/shared_memory.h"
#include "support/temp_folder.h"

using namespace canorun;

namespace {

constexpr int kCalls = 20'000;  // of each process
constexpr int kMostProcesses = 8;

using Call = std::function<void()>;

// When each process began and ended, once all were ready.
struct Round {
  std::atomic<int> ready{0};
  std::array<std::chrono::steady_clock::time_point, kMostProcesses> begin;
  std::array<std::chrono::steady_clock::time_point, kMostProcesses> end;
};

// Seconds from the first call to the last, of so many processes that make their calls at once; `open` is done by each.
double hammer(int processes, const std::function<Call()>& open) {
  const test::Shared<Round> round;
  std::vector<pid_t> children;
  for (int i = 0; i < processes; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      const Call call = open();
      call();
      ++round->ready;
      while (round->ready < processes) ::sched_yield();
      round->begin[static_cast<std::size_t>(i)] = std::chrono::steady_clock::now();
      for (int n = 0; n < kCalls; ++n) call();
      round->end[static_cast<std::size_t>(i)] = std::chrono::steady_clock::now();
      ::_exit(0);
    }
    children.push_back(child);
  }
  bool good = true;
  for (const pid_t child : children) {
    int status = -1;
    good = child > 0 && ::waitpid(child, &status, 0) == child && status == 0 && good;
  }
  if (!good) std::abort();
  const auto count = static_cast<std::size_t>(processes);
  const auto begin = *std::min_element(round->begin.begin(), round->begin.begin() + count);
  const auto end = *std::max_element(round->end.begin(), round->end.begin() + count);
  return std::chrono::duration<double>(end - begin).count();
}

// Seconds for each call, by what was called and by how many processes.
std::map<std::pair<std::string, int>, double>& figures() {
  static std::map<std::pair<std::string, int>, double> all;
  return all;
}

// Tells what a call costs, all processes' calls being counted, and how often as much that is as one process's, and as
// the raw limit's.
void measure(benchmark::State& state, const std::string& name, const std::string& raw,
             const std::function<Call()>& open) {
  const auto processes = static_cast<int>(state.range(0));
  double seconds = 0;
  for (auto _ : state) {
    const double took = hammer(processes, open);
    state.SetIterationTime(took);
    seconds += took;
  }
  const double each = seconds / static_cast<double>(state.iterations()) / kCalls / processes;
  figures()[{name, processes}] = each;
  state.counters["per_call"] = each;
  const auto tell = [&](const char* counter, const std::string& of, int so_many) {
    const auto other = figures().find({of, so_many});
    if (other != figures().end()) state.counters[counter] = each / other->second;
  };
  tell("x_one", name, 1);
  if (!raw.empty()) tell("x_raw", raw, processes);
}

// One table with an entry of a breaker's size.
struct Raw {
  MDB_env* env = nullptr;
  MDB_dbi table = 0;
  std::array<char, 16> name{"payments"};
  std::array<char, 88> bytes{};

  Raw(const std::string& folder, unsigned flags) {
    MDB_txn* transaction = nullptr;
    mdb_env_create(&env);
    mdb_env_set_mapsize(env, 1ULL << 32);
    mdb_env_set_maxdbs(env, 1);
    mdb_env_set_maxreaders(env, 4096);
    if (mdb_env_open(env, folder.c_str(), MDB_NOTLS | flags, 0600) != 0) std::abort();
    mdb_txn_begin(env, nullptr, 0, &transaction);
    mdb_dbi_open(transaction, "table", MDB_CREATE, &table);
    put(transaction);
    mdb_txn_commit(transaction);
  }

  void put(MDB_txn* transaction) {
    MDB_val key{name.size(), name.data()};
    MDB_val value{bytes.size(), bytes.data()};
    mdb_put(transaction, table, &key, &value, 0);
  }
  void read() {
    MDB_txn* transaction = nullptr;
    MDB_val key{name.size(), name.data()};
    MDB_val value{};
    mdb_txn_begin(env, nullptr, MDB_RDONLY, &transaction);
    if (mdb_get(transaction, table, &key, &value) != 0) std::abort();
    benchmark::DoNotOptimize(value);
    mdb_txn_abort(transaction);
  }
  void write() {
    MDB_txn* transaction = nullptr;
    mdb_txn_begin(env, nullptr, 0, &transaction);
    ++bytes[0];
    put(transaction);
    if (mdb_txn_commit(transaction) != 0) std::abort();
  }
};

void raw_read(benchmark::State& state) {
  const test::TempFolder folder;
  measure(state, "raw_read", "",
          [&]() -> Call { return [raw = std::make_shared<Raw>(folder.path(), 0)] { raw->read(); }; });
}

void raw_unsynced_write(benchmark::State& state) {
  const test::TempFolder folder;
  measure(state, "raw_unsynced_write", "",
          [&]() -> Call { return [raw = std::make_shared<Raw>(folder.path(), MDB_NOSYNC)] { raw->write(); }; });
}

std::shared_ptr<store::LmdbStore> opened(const std::string& folder) {
  auto store = store::LmdbStore::open({folder});
  if (!store) std::abort();
  return std::move(*store);
}

const SystemClock kClock;
const policy::BreakerRule kRule;

void tell(store::SharedState& shared, policy::CallOutcome outcome) {
  shared.tell_breaker({"payments", kRule, kClock.now()}, {}, outcome, [](const store::StoreResult<Millis>& shut) {
    if (!shut) std::abort();
  });
}

void ask(store::SharedState& shared) {
  shared.ask_breaker({"payments", kRule, kClock.now()}, [](const store::StoreResult<store::Admission>& got) {
    if (!got || !*got) std::abort();
  });
}

// Of a closed one that has failed once.
void measure_breaker(benchmark::State& state, const std::string& name, void (*call)(store::SharedState& shared)) {
  const test::TempFolder folder;
  hammer(1, [&]() -> Call {
    const auto store = opened(folder.path());
    tell(store->shared(), policy::CallOutcome::kFailure);
    tell(store->shared(), policy::CallOutcome::kSuccess);
    return [] {};
  });
  measure(state, name, "raw_read",
          [&]() -> Call { return [store = opened(folder.path()), call] { call(store->shared()); }; });
}

void acquire_closed_breaker(benchmark::State& state) { measure_breaker(state, "acquire_closed_breaker", ask); }

void record_success(benchmark::State& state) {
  measure_breaker(state, "record_success",
                  [](store::SharedState& shared) { tell(shared, policy::CallOutcome::kSuccess); });
}

// One that never runs dry: each call is let through, and written.
void take_of_bucket(benchmark::State& state) {
  const test::TempFolder folder;
  const policy::Bucket rule{.tokens = policy::kMostCalls, .per = Millis{1'000}, .burst = policy::kMostCalls};
  const store::LimitCost cost{.key = "api", .rule = rule, .cost = 1, .fails = true};
  measure(state, "take_of_bucket", "raw_unsynced_write", [&]() -> Call {
    return [store = opened(folder.path()), cost] {
      const store::LimitRequest request{.costs = {cost}, .now = {kClock.now(), kClock.steady()}};
      store->shared().take_limits(request, [](const store::StoreResult<store::LimitAnswer>& got) {
        if (!got || !std::holds_alternative<store::LimitTaken>(*got)) std::abort();
      });
    };
  });
}

// The raw limits come first: the others are measured against them.
BENCHMARK(raw_read)->Arg(1)->Arg(kMostProcesses)->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK(acquire_closed_breaker)->Arg(1)->Arg(kMostProcesses)->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK(record_success)->Arg(1)->Arg(kMostProcesses)->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK(raw_unsynced_write)->Arg(1)->Arg(kMostProcesses)->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK(take_of_bucket)->Arg(1)->Arg(kMostProcesses)->UseManualTime()->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
