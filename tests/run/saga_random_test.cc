// Flows that a seed makes up, run once as they are, and again by processes that die or are stopped at any commit.
//
// One seed again: CANORUN_SAGA_SEEDS=17. To look for longer: CANORUN_SAGA_SEEDS=100000+50000.
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdlib>

#include "engine/base/ids.h"
#include "harness.h"
#include "mortal_store.h"
#include "support/saga_flow.h"

using namespace canorun;
using namespace canorun::test;
using namespace std::chrono_literals;

namespace {

using Strings = std::vector<std::string>;
using store::Status;

bool is_in(const Strings& texts, const std::string& text) { return std::ranges::find(texts, text) != texts.end(); }

std::string name_of(const std::string& state, std::uint64_t visit, const std::string& part) {
  return fmt::format("{} {} {}", state, visit, part);
}

// What is durable of a run, as its rows came.
struct Recorded {
  std::map<std::string, Json> ended;  ///< with its output, where it ended well
  Strings owed;
  Strings undone;
  bool rolls_back = false;

  void take(const store::Row& row) {
    if (const auto* entered = std::get_if<store::StateEntered>(&row.body)) {
      if (entered->owed) owe(name_of(entered->state, entered->visit, ""));
    } else if (const auto* state = std::get_if<store::StateEnded>(&row.body)) {
      if (state->attempts > 0) end(*state, name_of(state->state, state->visit, ""));
    } else if (const auto* began = std::get_if<store::PartBegan>(&row.body)) {
      owe(name_of(began->state, began->visit, began->part));
    } else if (const auto* branch = std::get_if<store::BranchEnded>(&row.body)) {
      end(*branch, name_of(branch->state, branch->visit, branch->part));
    } else if (const auto* item = std::get_if<store::ItemEnded>(&row.body)) {
      end(*item, name_of(item->state, item->visit, item->part));
    } else if (std::holds_alternative<store::RollbackStarted>(row.body)) {
      rolls_back = true;
    } else if (const auto* back = std::get_if<store::CompensationEnded>(&row.body)) {
      if (back->error.is_null()) undone.push_back(name_of(back->state, back->visit, back->part));
    }
  }

 private:
  void owe(const std::string& name) {
    if (!is_in(owed, name)) owed.push_back(name);
  }
  void end(const auto& row, const std::string& name) {
    ended[name] = row.output;
    if (row.owed) owe(name);
  }
};

// What happened to the world outside.
struct Effects {
  std::map<std::string, std::string> keys;  ///< key -> name
  std::set<std::string> done;               ///< names
  std::set<std::string> undone;             ///< names
  Strings trail;                            ///< `STATE VISIT`, in its order, each once in a row

  void visit(const std::string& state, std::uint64_t visit) {
    std::string place = fmt::format("{} {}", state, visit);
    if (trail.empty() || trail.back() != place) trail.push_back(std::move(place));
  }
};

// How processes are stopped.
enum class Stops : std::uint8_t { kNever, kDie, kCancel };

std::string made_up(const std::string& name) { return "made by " + name; }

class Trial {
 public:
  Trial(std::uint64_t seed, const SagaFlow& saga, std::shared_ptr<const model::Flow> flow)
      : saga_(saga), flow_(std::move(flow)), random_(seed) {
    Harness::acts.clear();
    for (const SagaAction& action : saga.actions) Harness::acts[action.state] = act();
  }

  // To an end, through those of as many processes as it takes. `commits`: of the run that was left alone.
  const run::RunState& run(Stops stops, std::size_t commits = 0) {
    for (;;) {
      MortalStore mortal(store_);
      mortal.on_row = [&](const std::string&, const store::Row& row) { recorded_.take(row); };
      Harness process(mortal);
      stop(stops, commits, mortal, process);
      if (!store_.find("r1")) {
        process.start(flow_);
      } else if (stops == Stops::kCancel && random_.bits() % 4 == 0) {
        process.cancel("r1", "by a person", flow_);
      } else {
        process.resume(flow_);
      }
      process.until([&] {
        if (!process.finished && !mortal.is_dead()) process.clock.advance(1ms);
        return process.finished || mortal.is_dead();
      });
      commits_ += mortal.commits();
      if (mortal.is_dead()) {
        mortal.bury();
        ++processes_;
        const auto left = store_.load("r1");
        if (left) run_ = run::replay("r1", left->rows);
        if (left && run_.ended_at) return run_;
        continue;
      }
      if (process.finished->store_error) FAIL(process.finished->store_error->message);
      run_ = process.finished->run;
      if (run_.status == Status::kSuspended) {
        ++processes_;
        continue;
      }
      return run_;
    }
  }

  void heal() { heals_ = true; }
  const run::RunState& again() {
    heals_ = true;
    return run(Stops::kNever);
  }

  const Effects& effects() const { return effects_; }
  const Recorded& recorded() const { return recorded_; }
  std::size_t commits() const { return commits_; }
  std::size_t processes() const { return processes_; }

 private:
  // Dies, or is suspended or cancelled, at some commit; the last process is let be.
  void stop(Stops stops, std::size_t commits, MortalStore& mortal, Harness& process) {
    constexpr std::size_t kMostProcesses = 8;
    if (stops == Stops::kNever || processes_ > kMostProcesses) return;
    const std::size_t at = 1 + random_.bits() % (commits / 2 + 1);
    const auto how = random_.bits() % (stops == Stops::kCancel ? 4 : 3);
    if (how < 2) return mortal.die_at(at, how == 0 ? MortalStore::At::kBefore : MortalStore::At::kAfter);
    mortal.on_commit = [&process, at, how](std::size_t commit) {
      if (commit != at) return;
      process.interrupt.raise(how == 2 ? run::Reason::kSuspend : run::Reason::kCancel, "by a test");
    };
  }

  Act act() {
    return [this](model::TaskContext& context, Json params) -> boost::asio::awaitable<model::Outcome> {
      for (std::uint64_t left = random_.bits() % 3; left > 0; --left)
        co_await boost::asio::post(boost::asio::use_awaitable);
      if (!context.compensates().empty()) co_return undo(context, params);
      auto outcome = work(context);
      co_return outcome;
    };
  }

  model::Outcome work(const model::TaskContext& context) {
    const std::string name = name_of(context.state(), context.visit(), context.part());
    const SagaAction& action = saga_.action(context.state(), context.part());
    CHECK_MESSAGE(!recorded_.ended.contains(name), name);
    CHECK_MESSAGE(!recorded_.rolls_back, name);
    if (action.from_start) CHECK_MESSAGE(is_in(recorded_.owed, name), name);
    effects_.visit(context.state(), context.visit());
    const std::string& known = effects_.keys.try_emplace(context.idempotency_key(), name).first->second;
    CHECK(known == name);
    const bool fails = action.does_fail(context.part(), context.visit(), context.attempt());
    // What is undone only after its success does nothing when it fails.
    if (action.compensated && (!fails || action.from_start)) effects_.done.insert(name);
    if (fails) return model::failure("exit", "exit code 1");
    return model::Success{made_up(name)};
  }

  model::Outcome undo(const model::TaskContext& context, const Json& params) {
    const auto key = effects_.keys.find(context.compensates());
    const std::string part = context.part().starts_with("compensate:") ? context.part().substr(11) : "";
    const std::string name = name_of(context.state(), context.visit(), part);
    const SagaAction& action = saga_.action(context.state(), part);
    // What is owed from the start may not have begun.
    if (key != effects_.keys.end()) CHECK(key->second == name);
    if (key == effects_.keys.end()) CHECK_MESSAGE(action.from_start, name);
    CHECK_MESSAGE(recorded_.rolls_back, name);
    CHECK_MESSAGE(is_in(recorded_.owed, name), name);
    CHECK_MESSAGE(!is_in(recorded_.undone, name), name);
    const auto ended = recorded_.ended.find(name);
    CHECK(params["value"] == Json{context.compensates(), ended != recorded_.ended.end() ? ended->second : Json()});
    if (action.undo == SagaAction::Undo::kFails && !heals_) return model::failure("exit", "exit code 9");
    if (action.undo == SagaAction::Undo::kStumbles && context.attempt() == 1)
      return model::failure("exit", "exit code 8");
    effects_.undone.insert(name);
    return model::Success{nullptr};
  }

  const SagaFlow& saga_;
  const std::shared_ptr<const model::Flow> flow_;
  CountingRandom random_;
  store::MemoryStore store_;
  Recorded recorded_;
  Effects effects_;
  run::RunState run_;
  std::size_t commits_ = 0;
  std::size_t processes_ = 1;
  bool heals_ = false;
};

// Nothing is left of it, or nothing was undone.
void check_ledger(const run::RunState& run, const Trial& trial, bool may_be_cut_off) {
  const Effects& effects = trial.effects();
  const Recorded& recorded = trial.recorded();
  if (run.status == Status::kSucceeded || run.status == Status::kFailed) {
    CHECK(effects.undone.empty());
    CHECK(!run.rollback);
    return;
  }
  for (const std::string& name : effects.done) {
    // What was cut off amid it is owed only from its start.
    if (may_be_cut_off && !is_in(recorded.owed, name)) {
      CHECK_MESSAGE(!recorded.ended.contains(name), name);
      continue;
    }
    if (run.status != Status::kRollbackIncomplete) CHECK_MESSAGE(effects.undone.contains(name), name);
  }
  if (run.status == Status::kRollbackIncomplete) return;
  CHECK(run.still_owed() == 0);
  CHECK(recorded.undone.size() == recorded.owed.size());
}

// The last first; what had failed, later.
void check_order(const SagaFlow& saga, const Recorded& recorded) {
  const auto works = [&](const std::string& name) {
    const std::size_t space = name.find(' ');
    const SagaAction& action = saga.action(name.substr(0, space), name.substr(name.rfind(' ') + 1));
    return action.undo != SagaAction::Undo::kFails;
  };
  Strings owed;
  Strings undone;
  std::ranges::copy_if(recorded.owed, std::back_inserter(owed), works);
  std::ranges::copy_if(recorded.undone, std::back_inserter(undone), works);
  std::ranges::reverse(undone);
  CHECK(owed == undone);
}

// What is the same whenever the flow runs, in whichever order its parts end.
Json end_of(const SagaFlow& saga, const run::RunState& run) {
  Json end{{"status", status_name(run.status)}, {"state", run.state}, {"output", run.output}, {"vars", run.vars}};
  if (run.error.is_object()) end["error"] = {run.error["kind"], run.error["state"]};
  // A part that lost its join may have been owed, or not have begun.
  if (saga.races && !run.exited && run.status == Status::kFailed) end["status"] = status_name(Status::kRolledBack);
  return end;
}

void finish_rollback(const SagaFlow& saga, Trial& trial, const run::RunState& run) {
  if (run.status == Status::kRollbackIncomplete) {
    const run::RunState& healed = trial.again();
    CHECK(healed.still_owed() == 0);
    check_ledger(healed, trial, true);
  }
  if (trial.recorded().rolls_back) check_order(saga, trial.recorded());
}

// How many processes it took.
std::size_t try_seed(std::uint64_t seed) {
  const std::string value = "task: act, with: {value: \"${{ [action.idempotency_key, output] }}\"}";
  const SagaFlow saga = make_saga(seed, {.does = [](const SagaAction&) { return "task: act"; },
                                         .undoes = [&](const SagaAction&) { return value; }});
  INFO(fmt::format("repeat it with CANORUN_SAGA_SEEDS={}\n{}", seed, saga.yaml));
  const auto flow = flow_of(saga.yaml);

  Trial alone(seed, saga, flow);
  const run::RunState whole = alone.run(Stops::kNever);
  check_ledger(whole, alone, false);
  finish_rollback(saga, alone, whole);

  Trial dying(seed + 1, saga, flow);
  const run::RunState end = dying.run(Stops::kDie, alone.commits());
  CHECK(end_of(saga, end) == end_of(saga, whole));
  CHECK(dying.effects().trail == alone.effects().trail);
  check_ledger(end, dying, false);
  finish_rollback(saga, dying, end);

  Trial cancelled(seed + 2, saga, flow);
  const run::RunState stopped = cancelled.run(Stops::kCancel, alone.commits());
  CHECK((stopped.status == Status::kCancelled || stopped.status == Status::kRollbackIncomplete ||
         end_of(saga, stopped) == end_of(saga, whole)));
  check_ledger(stopped, cancelled, true);
  finish_rollback(saga, cancelled, stopped);
  return dying.processes() + cancelled.processes();
}

}  // namespace

TEST_CASE("whatever a saga does, and whenever its processes end, it is undone whole or not at all") {
  Harness::feed = {};
  std::uint64_t from = 1;
  std::uint64_t count = 2'000;
  if (const char* seeds = std::getenv("CANORUN_SAGA_SEEDS")) {
    char* more = nullptr;
    from = std::strtoull(seeds, &more, 10);
    count = *more == '+' ? std::strtoull(more + 1, nullptr, 10) : 1;
  }
  std::size_t processes = 0;
  for (std::uint64_t seed = from; seed < from + count; ++seed) processes += try_seed(seed);
  CHECK(processes > 2 * count);
}
