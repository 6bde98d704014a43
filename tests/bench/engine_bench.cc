// What is inside one process: transitions, reading a flow, and the raw limits they are measured against.
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <lmdb.h>
#include <sys/resource.h>

#include <boost/asio.hpp>

#include "engine/run/run.h"
#include "engine/store/lmdb_store.h"
#include "engine/store/memory_store.h"
#include "support/temp_folder.h"
#include "tasks/catalog.h"
#include "workflows/load.h"
#include "workflows/proof.h"

using namespace canorun;
namespace asio = boost::asio;

namespace {

std::string chain(std::size_t states) {
  std::string text = "name: chain\nstates:\n";
  for (std::size_t i = 0; i < states; ++i) {
    text += fmt::format("  s{}: {{task: pass, next: {}}}\n", i,
                        i + 1 == states ? std::string("done") : fmt::format("s{}", i + 1));
  }
  return text + "  done: {exit: success}\n";
}

std::shared_ptr<const model::Flow> load(const std::string& text) {
  return workflows::load_text("chain.yaml", text, "/chain.yaml", "/", tasks::catalog()).flow;
}

struct Silent final : model::Observer {
  void on_event(const model::Event&) override {}
};

// Runs a flow in `store` from start to exit.
void run_once(const std::shared_ptr<const model::Flow>& flow, store::CheckpointStore& store, std::string id) {
  asio::io_context io(1);
  SystemClock clock;
  SystemRandom random;
  Silent observer;
  run::Runtime runtime{io.get_executor(), store, clock, random, observer};
  run::Interrupt interrupt;
  bool good = false;
  asio::co_spawn(io, run::start(runtime, flow, std::move(id), Json::object(), interrupt),
                 asio::bind_cancellation_slot(interrupt.slot(), [&](std::exception_ptr, run::Finished finished) {
                   good = finished.run.status == store::Status::kSucceeded;
                 }));
  io.run();
  if (!good) std::abort();
}

struct Called {
  virtual ~Called() = default;
  virtual asio::awaitable<int> call(int x) = 0;
};
struct AddOne final : Called {
  asio::awaitable<int> call(int x) override { co_return x + 1; }
};

// Raw limit: one awaited virtual call.
void awaited_virtual_call(benchmark::State& state) {
  asio::io_context io(1);
  const std::unique_ptr<Called> called = std::make_unique<AddOne>();
  asio::co_spawn(
      io,
      [&]() -> asio::awaitable<void> {
        int x = 0;
        for (auto _ : state) x = co_await called->call(x);
        benchmark::DoNotOptimize(x);
      },
      asio::detached);
  io.run();
}
BENCHMARK(awaited_virtual_call);

void transition_without_store(benchmark::State& state) {
  const auto states = static_cast<std::size_t>(state.range(0));
  const auto flow = load(chain(states));
  for (auto _ : state) {
    store::MemoryStore store(store::MemoryStore::Keeps::kSummaries);
    run_once(flow, store, "r");
  }
  state.counters["per_transition"] = benchmark::Counter(
      static_cast<double>(states), benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}
BENCHMARK(transition_without_store)->Arg(100)->Arg(1'000)->Arg(10'000)->Unit(benchmark::kMillisecond);

// A split of so many `pass` branches, joined with `all`.
void split_without_store(benchmark::State& state) {
  std::string list = "[0";
  for (std::int64_t i = 1; i < state.range(0); ++i) list += fmt::format(", {}", i);
  const auto flow =
      load(fmt::format("name: fork\nvars: {{list: {}]}}\nstates:\n  s: {{split: {{for_each: vars.list, do: {{task: "
                       "pass}}}}, next: done}}\n"
                       "  done: {{exit: success}}\n",
                       list));
  for (auto _ : state) {
    store::MemoryStore store(store::MemoryStore::Keeps::kSummaries);
    run_once(flow, store, "r");
  }
  state.counters["per_branch"] = benchmark::Counter(
      static_cast<double>(state.range(0)), benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}
BENCHMARK(split_without_store)->Arg(10)->Arg(100)->Arg(1'000)->Arg(10'000)->Unit(benchmark::kMillisecond);

void read_and_check(benchmark::State& state) {
  const std::string text = chain(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(load(text));
}
BENCHMARK(read_and_check)->Arg(1)->Arg(100)->Arg(1'000)->Arg(10'000)->Unit(benchmark::kMillisecond);

// Each state reads the one before it, and has a rule.
std::string knit(std::size_t states) {
  std::string text = "name: knit\nstates:\n";
  for (std::size_t i = 0; i < states; ++i) {
    const std::string value = i == 0 ? "1" : fmt::format("\"${{{{ states.s{}.output.value }}}}\"", i - 1);
    const std::string next = i + 1 == states ? "done" : fmt::format("s{}", i + 1);
    text += fmt::format(
        "  s{}: {{task: pass, with: {{value: {}}}, next: [{{when: output.value == 7, to: done}}, {{to: {}}}]}}\n", i,
        value, next);
  }
  return text + "  done: {exit: success}\n";
}

void read_and_check_expressions(benchmark::State& state) {
  const std::string text = knit(static_cast<std::size_t>(state.range(0)));
  if (load(text) == nullptr) return state.SkipWithError("the flow is not valid");
  for (auto _ : state) benchmark::DoNotOptimize(load(text));
}
BENCHMARK(read_and_check_expressions)->Arg(100)->Arg(1'000)->Arg(10'000)->Unit(benchmark::kMillisecond);

// A chain in which each state reads the error of the one behind it, which leads back to it when it fails.
std::string ladder(std::size_t states) {
  std::string text = "name: ladder\nstates:\n";
  for (std::size_t i = 0; i < states; ++i) {
    const bool last = i + 1 == states;
    const std::string value = last ? "1" : fmt::format("\"${{{{ states.s{}.error }}}}\"", i + 1);
    const std::string on_error = i == 0 ? "" : fmt::format(", on_error: s{}", i - 1);
    text += fmt::format("  s{}: {{task: pass, with: {{value: {}}}, next: {}{}}}\n", i, value,
                        last ? std::string("done") : fmt::format("s{}", i + 1), on_error);
  }
  return text + "  done: {exit: success}\n";
}

void read_and_check_loops(benchmark::State& state) {
  const std::string text = ladder(static_cast<std::size_t>(state.range(0)));
  if (load(text) == nullptr) return state.SkipWithError("the flow is not valid");
  for (auto _ : state) benchmark::DoNotOptimize(load(text));
}
BENCHMARK(read_and_check_loops)->Arg(100)->Arg(1'000)->Arg(10'000)->Unit(benchmark::kMillisecond);

void prove_flow(benchmark::State& state) {
  const auto flow = load(knit(static_cast<std::size_t>(state.range(0))));
  for (auto _ : state) benchmark::DoNotOptimize(workflows::prove(*flow));
}
BENCHMARK(prove_flow)->Arg(10'000)->Unit(benchmark::kMillisecond);

constexpr std::size_t kDurableStates = 500;

void durable_transition(benchmark::State& state) {
  const test::TempFolder folder;
  auto store = store::LmdbStore::open({.folder = folder.path() + "/store"});
  if (!store) return state.SkipWithError(store.error().message.c_str());
  const auto flow = load(chain(kDurableStates));
  std::size_t run = 0;
  for (auto _ : state) run_once(flow, **store, fmt::format("r{}", run++));
  state.counters["per_commit"] =
      benchmark::Counter(static_cast<double>(kDurableStates + 1),
                         benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}
BENCHMARK(durable_transition)->Unit(benchmark::kMillisecond)->UseRealTime();

// Raw limit: an LMDB commit of as many bytes as a transition has: two rows, and the run's record in a
// table of its own.
void raw_lmdb_commit(benchmark::State& state) {
  const test::TempFolder folder;
  MDB_env* env = nullptr;
  MDB_dbi rows = 0;
  MDB_dbi runs = 0;
  MDB_txn* transaction = nullptr;
  mdb_env_create(&env);
  mdb_env_set_mapsize(env, 1ULL << 32);
  mdb_env_set_maxdbs(env, 2);
  if (mdb_env_open(env, folder.path().c_str(), MDB_NOTLS, 0600) != 0) return state.SkipWithError("cannot open");
  mdb_txn_begin(env, nullptr, 0, &transaction);
  mdb_dbi_open(transaction, "rows", MDB_CREATE, &rows);
  mdb_dbi_open(transaction, "runs", MDB_CREATE, &runs);
  mdb_txn_commit(transaction);
  std::array<char, 64> bytes{};
  std::uint64_t key = 0;
  for (auto _ : state) {
    mdb_txn_begin(env, nullptr, 0, &transaction);
    for (int row = 0; row < 2; ++row) {
      const std::uint64_t big_endian = __builtin_bswap64(key++);
      MDB_val k{sizeof big_endian, const_cast<std::uint64_t*>(&big_endian)};
      MDB_val v{bytes.size(), bytes.data()};
      mdb_put(transaction, rows, &k, &v, MDB_APPEND);
    }
    MDB_val k{sizeof(std::uint64_t), bytes.data()};
    MDB_val v{bytes.size(), bytes.data()};
    mdb_put(transaction, runs, &k, &v, 0);
    mdb_txn_commit(transaction);
  }
  mdb_env_close(env);
}
BENCHMARK(raw_lmdb_commit)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace

BENCHMARK_MAIN();
