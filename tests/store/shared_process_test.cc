// Breakers, limits and groups between processes: those that die, and many at once against real time.
#include <poll.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <future>
#include <limits>

#include "shared_calls.h"
#include "support/shared_memory.h"

using namespace canorun;
using namespace canorun::store;
using namespace canorun::store::test;
using canorun::test::Shared;
using policy::CallOutcome;

namespace {

constexpr int kProcesses = 8;

const Moment kNow{kStart, SteadyTime{} + std::chrono::hours{1}};
const LimitCost kApi{.key = "api", .rule = policy::Bucket{.tokens = 1, .per = Millis{1'000}, .burst = 0}};

LimitCost failing(LimitCost cost) {
  cost.fails = true;
  return cost;
}

std::string ask_at_once(SharedState& shared, std::vector<LimitCost> costs, std::optional<Ticket> ticket = {}) {
  return said(take(shared, {.costs = std::move(costs), .now = kNow, .ticket = ticket}));
}

// Does something in a process of its own, then waits to be killed.
std::unique_ptr<Child> one_that_dies(const std::string& folder, const std::function<void(LmdbStore&)>& work) {
  const Gate ready;
  auto child = std::make_unique<Child>([&]() -> int {
    const auto store = open_lmdb(folder);
    work(*store);
    ready.open();
    sleep_forever();
  });
  ready.pass();
  return child;
}

void end(Child& child) {
  child.kill();
  CHECK(child.wait() == -SIGKILL);
}

// Whether a store is woken; what woke it is read.
bool is_woken(int fd) {
  pollfd wake{fd, POLLIN, 0};
  if (::poll(&wake, 1, 60'000) != 1) return false;
  char drained[4096];
  while (::read(fd, drained, sizeof drained) > 0) continue;
  return true;
}

// Who reads it inside of a transaction stays there until it is killed.
class StuckClock final : public Clock {
 public:
  explicit StuckClock(const Gate& inside) : inside_(inside) {}
  WallTime now() const override {
    inside_.open();
    sleep_forever();
  }
  SteadyTime steady() const override { return {}; }

 private:
  const Gate& inside_;
};

// So many processes, each with the store open, begin `work` at once.
void all_at_once(const std::string& folder, const std::function<void(SharedState&)>& work, int processes = kProcesses) {
  open_lmdb(folder);
  const Gate gate;
  std::vector<std::unique_ptr<Child>> children;
  for (int i = 0; i < processes; ++i) {
    children.push_back(std::make_unique<Child>([&] {
      const auto store = open_lmdb(folder);
      gate.pass();
      work(store->shared());
      return 0;
    }));
  }
  gate.open();
  for (const auto& child : children) CHECK(child->wait() == 0);
}

// What several processes write down, each line once.
template <class T, std::size_t kMost>
struct Log {
  std::atomic<std::size_t> count{0};
  T lines[kMost];

  void add(const T& line) { lines[count++] = line; }
  std::vector<T> all() const { return {lines, lines + count}; }
};

std::int64_t steady_nanos() {
  return std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// The most calls that came in any time beyond what comes back in it: (j - i + 1) - tokens / per * (t_j - t_i). Exact.
std::int64_t most_at_once(std::vector<std::int64_t> nanos, const policy::Bucket& rule) {
  std::ranges::sort(nanos);
  const std::int64_t per = std::chrono::nanoseconds(rule.per).count();
  std::int64_t least = std::numeric_limits<std::int64_t>::max();
  std::int64_t most = 0;
  for (std::size_t i = 0; i < nanos.size(); ++i) {
    const std::int64_t worth = static_cast<std::int64_t>(i) * per - rule.tokens * (nanos[i] - nanos[0]);
    least = std::min(least, worth);
    most = std::max(most, worth - least + per);
  }
  return (most + per - 1) / per;
}

}  // namespace

TEST_CASE("nobody waits behind one whose process died") {
  const TempFolder folder;
  const auto child = one_that_dies(folder.path(), [](LmdbStore& store) {
    REQUIRE(ask_at_once(store.shared(), {kApi}) == "taken");
    REQUIRE(ask_at_once(store.shared(), {kApi}) == "ticket 1: 1000 for api");
    REQUIRE(ask_at_once(store.shared(), {kApi}) == "ticket 2: 2000 for api, behind others");
  });
  const auto store = open_lmdb(folder.path());
  SharedState& shared = store->shared();
  CHECK(ask_at_once(shared, {kApi}) == "ticket 3: 2000 for api, behind others");
  CHECK(ask_at_once(shared, {failing(kApi)}) == "refused: 4000 for api, behind others");
  CHECK(said(shared.limits()) == "api 1 missing, 3 waiting");
  end(*child);
  CHECK(said(shared.limits()) == "api 1 missing, 1 waiting");
  CHECK(ask_at_once(shared, {kApi}, 3) == "ticket 3: 1000 for api");
  CHECK(ask_at_once(shared, {failing(kApi)}) == "refused: 2000 for api, behind others");
}

TEST_CASE("who looks at limits does not wait for one who takes of them") {
  const TempFolder folder;
  CHECK(ask_at_once(open_lmdb(folder.path())->shared(), {kApi}) == "taken");
  const Gate inside;
  Child child([&] {
    const StuckClock clock(inside);
    take(open_lmdb(folder.path())->shared(), {.costs = {kApi}, .now = kNow, .clock = &clock});
    return 1;
  });
  inside.pass();
  const auto store = open_lmdb(folder.path());
  auto seen = std::async(std::launch::async, [&] { return store->shared().limits(); });
  const bool at_once = seen.wait_for(std::chrono::seconds(10)) == std::future_status::ready;
  end(child);
  CHECK(at_once);
  CHECK(said(seen.get()) == "api 1 missing, 0 waiting");
}

TEST_CASE("who is refused, as its buckets cannot be kept, has taken nothing of a window") {
  const TempFolder folder;
  Child child([&] {
    const auto store = open_lmdb(folder.path());
    const LimitCost plan{.key = "plan", .rule = policy::Window{.limit = 5, .window = Millis{60'000}}};
    LimitRequest request{.costs = {plan}, .now = kNow};
    for (int i = 0; i < 2'000; ++i) {
      request.costs.push_back({.key = "bucket" + std::to_string(i), .rule = policy::Bucket{5, Millis{1'000}, 0}});
    }
    take(store->shared(), request);
    // The store has room below it for a window, but the other environment none for so many buckets.
    const rlimit limit{100 << 10, 100 << 10};
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return 1;
    try {
      take(store->shared(), request);
      return 2;
    } catch (const std::runtime_error&) {
    }
    const auto limits = store->shared().limits();
    if (!limits) return 3;
    const auto found = std::ranges::find(*limits, "plan", &LimitRecord::key);
    return found != limits->end() && std::get<policy::WindowState>(found->state).used == 1 ? 0 : 4;
  });
  CHECK(child.wait() == 0);
}

TEST_CASE("who stands next in a queue is woken when the one before it goes, and when something is given back") {
  const TempFolder folder;
  const LimitCost plan{.key = "plan", .rule = policy::Window{1, Millis{60'000}}};
  for (const LimitCost& cost : {kApi, plan}) {
    const Gate stands;
    const Gate goes;
    const Gate gives;
    Child other([&] {
      const auto store = open_lmdb(folder.path());
      const auto taken = take(store->shared(), {.costs = {cost}, .now = kNow});
      const Ticket ticket = ticket_of(take(store->shared(), {.costs = {cost}, .now = kNow}));
      stands.open();
      goes.pass();
      leave(store->shared(), {cost}, ticket);
      gives.pass();
      give_back(store->shared(), {cost}, std::get<LimitTaken>(taken).at);
      return 0;
    });
    const auto store = open_lmdb(folder.path());
    const int fd = store->wake_fd();
    stands.pass();
    const Ticket ticket = ticket_of(take(store->shared(), {.costs = {cost}, .now = kNow}));
    goes.open();
    CHECK(is_woken(fd));
    CHECK(std::get<LimitWait>(take(store->shared(), {.costs = {cost}, .now = kNow, .ticket = ticket})).is_first);
    gives.open();
    CHECK(is_woken(fd));
    CHECK(ask_at_once(store->shared(), {cost}, ticket) == "taken");
    CHECK(other.wait() == 0);
  }
}

TEST_CASE("the trial of a process that died is given back when somebody asks for one") {
  const TempFolder folder;
  const policy::BreakerRule rule{1, Millis{30'000}, 1};
  const auto child = one_that_dies(folder.path(), [&](LmdbStore& store) {
    const auto permit = *ask(store.shared(), {"b", rule, kStart});
    REQUIRE(tell(store.shared(), {"b", rule, kStart}, permit, CallOutcome::kFailure) == Millis{30'000});
    REQUIRE(said(ask(store.shared(), {"b", rule, after_start(30)})) == "trial 0");
  });
  const auto store = open_lmdb(folder.path());
  CHECK(said(ask(store->shared(), {"b", rule, after_start(99)})) == "refused for 0");
  end(*child);
  CHECK(said(ask(store->shared(), {"b", rule, after_start(99)})) == "trial 1");
  CHECK(said(ask(store->shared(), {"b", rule, after_start(99)})) == "refused for 0");
  CHECK(said(store->shared().breakers()) == "b half-open 2: 0 failures, 0 successes, trials 1");
}

TEST_CASE("a run holds its group until its process is gone, and has no place when it is resumed") {
  const TempFolder folder;
  const auto in_group = [](std::string id, bool queues) {
    NewRun run = new_run(std::move(id));
    run.group = "g";
    run.queues = queues;
    return run;
  };
  const auto child = one_that_dies(folder.path(), [&](LmdbStore& store) {
    REQUIRE(create(store, in_group("r1", false)));
    REQUIRE(create(store, in_group("r2", true)));
  });
  const auto store = open_lmdb(folder.path());
  CHECK(create(*store, in_group("r3", false)).error().message == "the run 'r1' has the concurrency group 'g'");
  const auto third = create(*store, in_group("r3", true));
  REQUIRE(third);
  CHECK(store->before_in_group(*third) == std::vector<std::string>{"r1", "r2"});
  end(*child);
  CHECK(store->before_in_group(*third) == std::vector<std::string>{});
  CHECK(create(*store, in_group("r4", false)).error().message == "the run 'r3' has the concurrency group 'g'");
  const auto first = store->claim("r1");
  REQUIRE(first);
  CHECK(store->before_in_group(first->number) == std::vector<std::string>{});
  REQUIRE(store->release(*third));
  CHECK(kind(create(*store, in_group("r5", false))) == "success");
}

TEST_CASE("who is next in a group is woken, whatever its holder goes with") {
  const TempFolder folder;
  const std::vector<std::function<void(LmdbStore&, RunNumber)>> ends{
      [](LmdbStore& store, RunNumber run) { REQUIRE(append(store, run, 1, {run_ended(Status::kFailed)})); },
      [](LmdbStore& store, RunNumber run) { REQUIRE(store.release(run)); },
  };
  for (std::size_t i = 0; i < ends.size(); ++i) {
    CAPTURE(i);
    const Gate holds;
    const Gate goes;
    const std::string group = "g" + std::to_string(i);
    Child other([&] {
      const auto store = open_lmdb(folder.path());
      NewRun run = new_run("holder" + group);
      run.group = group;
      const auto number = create(*store, std::move(run));
      holds.open();
      goes.pass();
      ends[i](*store, *number);
      return 0;
    });
    const auto store = open_lmdb(folder.path());
    const int fd = store->wake_fd();
    holds.pass();
    NewRun run = new_run("next" + group);
    run.group = group;
    run.queues = true;
    const auto number = create(*store, std::move(run));
    REQUIRE(number);
    CHECK(store->before_in_group(*number)->size() == 1);
    goes.open();
    CHECK(is_woken(fd));
    CHECK(store->before_in_group(*number)->empty());
    CHECK(other.wait() == 0);
  }
}

TEST_CASE("many processes never get more out of a bucket than it holds and gets back") {
  constexpr int kCalls = 10'000;
  const TempFolder folder;
  const policy::Bucket rule{.tokens = 1'000, .per = Millis{50}, .burst = 200};
  const LimitCost cost{.key = "api", .rule = rule, .cost = 1, .fails = true};
  const Shared<Log<std::int64_t, kProcesses * kCalls>> admitted;
  all_at_once(folder.path(), [&](SharedState& shared) {
    const SystemClock clock;
    for (int i = 0; i < kCalls; ++i) {
      const auto answer = take(shared, {.costs = {cost}, .now = {clock.now(), clock.steady()}});
      if (std::holds_alternative<LimitTaken>(answer)) admitted->add(steady_nanos());
    }
  });
  const auto nanos = admitted->all();
  CAPTURE(nanos.size());
  CHECK(nanos.size() > static_cast<std::size_t>(rule.capacity()));
  // Of each process one call may have been let through before a time begins, and written down in it.
  CHECK(most_at_once(nanos, rule) <= rule.capacity() + kProcesses);
}

TEST_CASE("many processes never get more out of windows than their limit") {
  constexpr std::size_t kMost = 1'000;
  struct Admitted {
    WallTime before;
    WallTime after;
  };
  const TempFolder folder;
  const policy::Window rule{.limit = 3, .window = Millis{50}};
  const LimitCost cost{.key = "plan", .rule = rule, .cost = 1, .fails = true};
  const Shared<Log<Admitted, kMost>> admitted;
  all_at_once(folder.path(), [&](SharedState& shared) {
    const SystemClock clock;
    const SteadyTime end = clock.steady() + Millis{1'200};
    while (clock.steady() < end) {
      const WallTime before = clock.now();
      const auto answer = take(shared, {.costs = {cost}, .now = {before, clock.steady()}});
      if (std::holds_alternative<LimitTaken>(answer)) admitted->add({before, clock.now()});
    }
  });
  auto calls = admitted->all();
  std::ranges::sort(calls, {}, &Admitted::after);
  // The first window began after this, each lasts its length, and the next begins no earlier: so many ended before.
  const WallTime begin = std::ranges::min(calls, {}, &Admitted::before).before;
  std::int64_t most_beyond = 0;
  for (std::size_t i = 0; i < calls.size(); ++i) {
    const std::int64_t windows = (calls[i].after - begin) / rule.window + 1;
    most_beyond = std::max(most_beyond, static_cast<std::int64_t>(i) + 1 - windows * rule.limit);
  }
  CAPTURE(calls.size());
  CHECK(calls.size() > static_cast<std::size_t>(rule.limit));
  CHECK(most_beyond == 0);
}

TEST_CASE("many processes are served in the order of their tickets") {
  constexpr int kCalls = 40;
  struct Served {
    Ticket ticket;
    std::int64_t before;  ///< the last ask
    std::int64_t after;
  };
  const TempFolder folder;
  const LimitCost cost{.key = "api", .rule = policy::Bucket{.tokens = 1, .per = Millis{1}, .burst = 0}};
  const Shared<Log<Served, kProcesses * kCalls>> served;
  all_at_once(folder.path(), [&](SharedState& shared) {
    const SystemClock clock;
    for (int i = 0; i < kCalls; ++i) {
      LimitRequest request{.costs = {cost}, .now = {}};
      for (;;) {
        const std::int64_t before = steady_nanos();
        request.now = {clock.now(), clock.steady()};
        const auto answer = take(shared, request);
        if (const auto* wait = std::get_if<LimitWait>(&answer)) {
          request.ticket = wait->ticket;
          ::sched_yield();
          continue;
        }
        if (request.ticket) served->add({*request.ticket, before, steady_nanos()});
        break;
      }
    }
  });
  auto calls = served->all();
  CHECK(calls.size() > kProcesses);
  std::ranges::sort(calls, {}, &Served::ticket);
  std::int64_t last_ask = std::numeric_limits<std::int64_t>::min();
  int overtaken = 0;
  for (const Served& call : calls) {
    overtaken += call.after < last_ask;
    last_ask = std::max(last_ask, call.before);
  }
  CHECK(overtaken == 0);
}

TEST_CASE(
    "a breaker that many processes hammer opens once for each streak, and nobody is let through while it is open") {
  constexpr std::uint64_t kRounds = 15;
  constexpr std::uint64_t kEpochs = 3 * kRounds;  // closed, open, half-open
  constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
  struct Epoch {
    std::atomic<int> let_through{0};
    std::atomic<std::int64_t> first_ask{kNever};  ///< in it, ms
    std::atomic<std::int64_t> opened{kNever};     ///< the first that was told that it ended in an open one, ms
  };
  struct Seen {
    Epoch epochs[kEpochs + 1];
    std::atomic<bool> over{false};
  };
  const auto lower = [](std::atomic<std::int64_t>& least, WallTime time) {
    const std::int64_t millis = time.time_since_epoch().count();
    for (std::int64_t was = least; millis < was && !least.compare_exchange_weak(was, millis);) continue;
  };
  const TempFolder folder;
  const policy::BreakerRule rule{.failure_threshold = 5, .reset_timeout = Millis{20}, .half_open_max_calls = 1};
  const Shared<Seen> seen;
  all_at_once(folder.path(), [&](SharedState& shared) {
    const SystemClock clock;
    while (!seen->over) {
      const WallTime asked = clock.now();
      const auto permit = ask(shared, {"b", rule, asked});
      if (!permit) {
        ::sched_yield();
        continue;
      }
      if (permit->epoch >= kEpochs) {
        seen->over = true;
        break;
      }
      Epoch& epoch = seen->epochs[permit->epoch];
      ++epoch.let_through;
      lower(epoch.first_ask, asked);
      const WallTime ended = clock.now();
      const Millis shut =
          tell(shared, {"b", rule, ended}, *permit, permit->trial ? CallOutcome::kSuccess : CallOutcome::kFailure);
      if (!permit->trial && shut > Millis{0}) lower(epoch.opened, ended);
    }
  });
  for (std::uint64_t epoch = 0; epoch < kEpochs; epoch += 3) {
    CAPTURE(epoch);
    const Epoch* const at = &seen->epochs[epoch];
    // So many failures open it; what else was let through was under way by then, one call of each of the others.
    CHECK(at[0].let_through >= static_cast<int>(rule.failure_threshold));
    CHECK(at[0].let_through < static_cast<int>(rule.failure_threshold) + kProcesses);
    CHECK(at[1].let_through == 0);
    CHECK(at[2].let_through == 1);
    CHECK(at[2].first_ask - at[0].opened >= rule.reset_timeout.count());
  }
}
