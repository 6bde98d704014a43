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

// Of a piece of work in its run.
std::string name_of(const std::string& state, std::uint64_t visit, const std::string& part) {
  return fmt::format("{} {} {}", state, visit, part);
}

// What is durable of a run, as its rows came.
struct Recorded {
  std::map<std::string, Json> ended;  ///< with its output, where it ended well
  Strings failed;
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
    } else if (std::holds_alternative<store::RunResumed>(row.body)) {
      for (const std::string& name : failed) ended.erase(name);  // a child that failed goes on where it failed
      failed.clear();
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
    if (!row.error.is_null()) failed.push_back(name);
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

// A flow, and the one that it may run.
struct Sagas {
  SagaFlow parent;
  SagaFlow child;
  std::shared_ptr<const model::Flow> flow;

  explicit Sagas(std::uint64_t seed) {
    SagaWords words{
        .does = [](const SagaAction&) { return "task: act"; },
        .undoes =
            [](const SagaAction&) { return "task: act, with: {value: \"${{ [action.idempotency_key, output] }}\"}"; },
        .name = "child"};
    child = make_saga(seed + 7, words);
    words.name = "saga";
    if (seed % 2 == 0) words.runs_flow = "task: flow\n    with: {file: child.yaml}";
    parent = make_saga(seed, words);
    flow = flow_of(parent.yaml, {{"child.yaml", child.yaml}});
  }

  bool runs_child() const { return parent.yaml.find("child.yaml") != std::string::npos; }
  const SagaFlow& of(const std::string& run) const { return run == "r1" ? parent : child; }
};

class Trial {
 public:
  Trial(std::uint64_t seed, const Sagas& sagas) : sagas_(sagas), random_(seed) {
    Harness::acts.clear();
    for (const SagaFlow* saga : {&sagas.parent, &sagas.child}) {
      for (const SagaAction& action : saga->actions) Harness::acts[action.state] = act();
    }
  }

  // To an end, through those of as many processes as it takes. `commits`: of the run that was left alone.
  const run::RunState& run(Stops stops, std::size_t commits = 0) {
    for (;;) {
      MortalStore mortal(store_);
      mortal.on_row = [&](const std::string& run, const store::Row& row) { recorded_[run].take(row); };
      Harness process(mortal);
      stop(stops, commits, mortal);
      if (!store_.find("r1")) {
        process.start(sagas_.flow);
      } else if (stops == Stops::kCancel && random_.bits() % 4 == 0) {
        process.cancel("r1", "by a person", sagas_.flow);
      } else {
        process.resume(sagas_.flow);
      }
      process.until([&] {
        if (raises_ != run::Reason::kNone) process.raise(std::exchange(raises_, run::Reason::kNone), "by a test");
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

  const std::map<std::string, Effects>& effects() const { return effects_; }
  /// By run.
  const std::map<std::string, Recorded>& recorded() const { return recorded_; }
  run::RunState state_of(const std::string& run) const { return run::replay(run, store_.load(run)->rows); }
  std::size_t commits() const { return commits_; }
  std::size_t processes() const { return processes_; }

 private:
  // Dies, or is suspended or cancelled, at some commit; the last process is let be.
  void stop(Stops stops, std::size_t commits, MortalStore& mortal) {
    raises_ = run::Reason::kNone;
    constexpr std::size_t kMostProcesses = 8;
    if (stops == Stops::kNever || processes_ > kMostProcesses) return;
    const std::size_t at = 1 + random_.bits() % (commits / 2 + 1);
    const auto how = random_.bits() % (stops == Stops::kCancel ? 4 : 3);
    if (how < 2) return mortal.die_at(at, how == 0 ? MortalStore::At::kBefore : MortalStore::At::kAfter);
    mortal.on_commit = [this, at, how](std::size_t commit) {
      if (commit == at) raises_ = how == 2 ? run::Reason::kSuspend : run::Reason::kCancel;
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
    const SagaAction& action = sagas_.of(context.run_id()).action(context.state(), context.part());
    const Recorded& recorded = recorded_[context.run_id()];
    Effects& effects = effects_[context.run_id()];
    CHECK_MESSAGE(!recorded.ended.contains(name), name);
    CHECK_MESSAGE(!recorded.rolls_back, name);
    CHECK_MESSAGE(!recorded_["r1"].rolls_back, name);
    if (action.from_start) CHECK_MESSAGE(is_in(recorded.owed, name), name);
    effects.visit(context.state(), context.visit());
    const std::string& known = effects.keys.try_emplace(context.idempotency_key(), name).first->second;
    CHECK(known == name);
    const bool fails = action.does_fail(context.part(), context.visit(), context.attempt());
    // What is undone only after its success does nothing when it fails.
    if (action.compensated && (!fails || action.from_start)) effects.done.insert(name);
    if (fails) return model::failure("exit", "exit code 1");
    return model::Success{made_up(name)};
  }

  model::Outcome undo(const model::TaskContext& context, const Json& params) {
    const Recorded& recorded = recorded_[context.run_id()];
    Effects& effects = effects_[context.run_id()];
    const auto key = effects.keys.find(context.compensates());
    const std::string part = context.part().starts_with("compensate:") ? context.part().substr(11) : "";
    const std::string name = name_of(context.state(), context.visit(), part);
    const SagaAction& action = sagas_.of(context.run_id()).action(context.state(), part);
    // What is owed from the start may not have begun.
    if (key != effects.keys.end()) CHECK(key->second == name);
    if (key == effects.keys.end()) CHECK_MESSAGE((action.from_start || action.runs_flow), name);
    CHECK_MESSAGE(recorded.rolls_back, name);
    CHECK_MESSAGE(is_in(recorded.owed, name), name);
    CHECK_MESSAGE(!is_in(recorded.undone, name), name);
    const auto ended = recorded.ended.find(name);
    CHECK(params["value"] == Json{context.compensates(), ended != recorded.ended.end() ? ended->second : Json()});
    if (action.undo == SagaAction::Undo::kFails && !heals_) return model::failure("exit", "exit code 9");
    if (action.undo == SagaAction::Undo::kStumbles && context.attempt() == 1)
      return model::failure("exit", "exit code 8");
    effects.undone.insert(name);
    return model::Success{nullptr};
  }

  const Sagas& sagas_;
  CountingRandom random_;
  store::MemoryStore store_;
  std::map<std::string, Recorded> recorded_;
  std::map<std::string, Effects> effects_;
  run::RunState run_;
  std::size_t commits_ = 0;
  std::size_t processes_ = 1;
  run::Reason raises_ = run::Reason::kNone;  ///< as soon as what runs now waits
  bool heals_ = false;
};

// Nothing is left of it, or nothing was undone.
void check_ledger(const run::RunState& run, const Effects& effects, const Recorded& recorded, bool may_be_cut_off) {
  INFO(run.id);
  if (run.status == Status::kSucceeded || run.status == Status::kFailed) {
    CHECK(effects.undone.empty());
    CHECK(!run.rollback);
    return;
  }
  for (const std::string& name : effects.done) {
    // What was cut off amid it is owed only from its start.
    if (may_be_cut_off && !is_in(recorded.owed, name)) {
      CHECK_MESSAGE(!recorded.ended.contains(name), name);
    } else if (run.status != Status::kRollbackIncomplete) {
      CHECK_MESSAGE(effects.undone.contains(name), name);
    }
  }
  if (run.status == Status::kRollbackIncomplete) return;
  CHECK(run.ended_at);
  CHECK(run.still_owed() == 0);
  CHECK(recorded.undone.size() == recorded.owed.size());
}

// Of the run, and of those below it.
void check_ledgers(const Trial& trial, bool may_be_cut_off) {
  const Effects none;
  for (const auto& [id, recorded] : trial.recorded()) {
    const auto effects = trial.effects().find(id);
    check_ledger(trial.state_of(id), effects != trial.effects().end() ? effects->second : none, recorded,
                 may_be_cut_off);
  }
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

void finish_rollback(const Sagas& sagas, Trial& trial, const run::RunState& run) {
  if (run.status == Status::kRollbackIncomplete) {
    const run::RunState& healed = trial.again();
    CHECK((healed.status == Status::kRolledBack || healed.status == Status::kCancelled));
    check_ledgers(trial, true);
  }
  for (const auto& [id, recorded] : trial.recorded()) {
    if (recorded.rolls_back) check_order(sagas.of(id), recorded);
  }
}

std::vector<Strings> trails(const Trial& trial) {
  std::vector<Strings> all;
  for (const auto& [id, effects] : trial.effects()) all.push_back(effects.trail);
  return all;
}

// How many processes it took.
std::size_t try_seed(std::uint64_t seed) {
  const Sagas sagas(seed);
  const SagaFlow& saga = sagas.parent;
  INFO(fmt::format("repeat it with CANORUN_SAGA_SEEDS={}\n{}\n{}", seed, saga.yaml, sagas.child.yaml));

  Trial alone(seed, sagas);
  const run::RunState whole = alone.run(Stops::kNever);
  check_ledgers(alone, false);
  finish_rollback(sagas, alone, whole);

  Trial dying(seed + 1, sagas);
  const run::RunState end = dying.run(Stops::kDie, alone.commits());
  CHECK(end_of(saga, end) == end_of(saga, whole));
  CHECK(trails(dying) == trails(alone));
  check_ledgers(dying, false);
  finish_rollback(sagas, dying, end);

  Trial cancelled(seed + 2, sagas);
  const run::RunState stopped = cancelled.run(Stops::kCancel, alone.commits());
  // A child may have been cancelled by a process that died before its parent was: then its parent fails.
  const bool fails = stopped.status == Status::kCancelled || stopped.status == Status::kRollbackIncomplete;
  CHECK((fails || sagas.runs_child() || end_of(saga, stopped) == end_of(saga, whole)));
  check_ledgers(cancelled, true);
  finish_rollback(sagas, cancelled, stopped);
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
