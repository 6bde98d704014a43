#include "engine/run/run.h"

#include <fmt/format.h>

#include "engine/base/ids.h"
#include "engine/run/arrival.h"
#include "engine/run/aside.h"
#include "engine/run/end_orphans.h"
#include "engine/run/group.h"
#include "engine/run/loop.h"
#include "engine/run/run_context.h"
#include "engine/run/saga.h"

namespace canorun::run {
namespace {

namespace asio = boost::asio;

constexpr std::size_t kMostDeleted = 100;

// What comes after the outcome; then the run has ended.
asio::awaitable<store::StoreResult<void>> finish(RunContext& context, Journal& journal, Services& services) {
  // What was asked of the run before has had its effect: what is asked from now on is of what it does now.
  context.interrupt().forget(Reason::kCancel);
  context.interrupt().forget(Reason::kRunTimeout);
  const bool done = co_await do_on_end(context);
  co_await services.tear_down();
  if (context.lost()) co_return std::unexpected(*context.lost());
  if (done && !services.are_up()) {
    journal.end();
  } else {
    journal.add(store::RunSuspended{.reason = context.interrupt().detail(), .services_up = services.are_up()});
  }
  auto ended = co_await journal.commit();
  co_return ended;
}

// The states, between the services' setup and their end.
asio::awaitable<store::StoreResult<void>> work_through(RunContext& context, Journal& journal, Services& services) {
  auto failed = co_await services.set_up();
  if (!failed) {
    auto worked = co_await loop(context, journal, services);
    co_return worked;
  }
  auto rows = end_early(context.run(), *failed, store::Status::kFailed, context.runtime().clock.now());
  auto& end = std::get<store::RunEnded>(rows.back().body);
  end.error = failed->to_json();  // where it happened is in no state
  end.stderr_tail = failed->stderr_tail;
  journal.add(std::move(rows));
  auto ended = co_await journal.commit();
  co_return ended;
}

// The rows that make a run one that is worked on, and whether that ends what children an earlier process left.
struct Beginning {
  std::function<void()> add_rows;
  bool ends_children = false;
};

// Waits until the run has its group; or ends it, where it is stopped before. An outcome that was reached stands.
asio::awaitable<store::StoreResult<void>> leave_queue(RunContext& context, Journal& journal, const Services& services,
                                                      const Beginning& beginning) {
  auto has = co_await wait_for_group(context, *journal.number());
  if (!has) co_return std::unexpected(std::move(has.error()));
  const bool suspends = context.interrupt().reason() == Reason::kSuspend;
  if (!*has && !suspends) {
    auto below = co_await end_children(context, journal);
    if (!below) co_return below;
  }
  if (*has) {
    beginning.add_rows();
  } else if (suspends || !(context.run().outcome || context.run().rollback)) {
    journal.add(stop(context, services));
  } else if (context.run().rollback) {
    beginning.add_rows();  // it goes on, as it is the way that a cancelled run goes
  }
  auto committed = co_await journal.commit();
  co_return committed;
}

// Whether its rollback is to go on.
bool is_undone(const RunState& run) { return run.rollback && !run.outcome && run.status == store::Status::kRunning; }

// What undoes the run's work may need its services. What was asked before has had its effect: it is rolled back.
asio::awaitable<void> set_up_again(RunContext& context, Services& services) {
  context.interrupt().forget(Reason::kCancel);
  context.interrupt().forget(Reason::kRunTimeout);
  auto failed = co_await services.set_up();  // then what needs it will fail, too
  failed.reset();
}

// Works on the run under its budget, listening to what other processes ask of it. One that waits for its group begins
// when it has it. `left_up`: services of an earlier process may be up.
asio::awaitable<store::StoreResult<void>> work_on(RunContext& context, Journal& journal, const Beginning& beginning,
                                                  bool left_up) {
  Runtime& runtime = context.runtime();
  RunState& run = context.run();
  const auto ring = [&context] {
    context.signals().ring();
    context.rest().ring();
  };
  const RequestWatch::Listener listener(context.requests(), *journal.number(), context.interrupt(), ring);
  if (context.interrupt().reason() != Reason::kNone) co_await calm();  // asked before anybody listened
  Services services(context);
  if (left_up) services.assume_up();
  store::StoreResult<void> result;
  if (run.queued) result = co_await leave_queue(context, journal, services, beginning);
  if (result && beginning.ends_children && run.status == store::Status::kRunning) {
    result = co_await end_open_children(context);
  }
  if (result && is_undone(run)) co_await set_up_again(context, services);
  if (result && run.status == store::Status::kRunning && !run.outcome && !run.rollback) {
    Alarm budget(runtime.executor, context.interrupt());
    if (context.flow().timeout) {
      budget.arm(std::max(Millis{0}, *context.flow().timeout - run.worked), Reason::kRunTimeout);
    }
    result = co_await work_through(context, journal, services);
    budget.disarm();
  }
  if (result && is_undone(run)) result = co_await roll_back(context, journal, services);
  if (result && run.outcome && run.status == store::Status::kRunning)
    result = co_await finish(context, journal, services);
  if (!result) co_await services.tear_down();
  co_return result;
}

// The processes that the interrupted attempt may have left behind carry this token.
std::string token_of(const RunState& run) {
  if (!run.current) return {};
  return work_key(run, run.current_state(), run.current->visit);
}

store::Flows flows_below(const model::Flow& flow) {
  store::Flows flows;
  for (const model::Flow* below : flow.descendants) flows.emplace(below->file, below->digest);
  return flows;
}

store::Texts texts_of(const model::Flow& flow) {
  store::Texts texts{{flow.digest, flow.text}};
  for (const model::Flow* below : flow.descendants) texts.emplace(below->digest, below->text);
  return texts;
}

// What a definition declares that the run was not begun with: the defaults. Null: nothing.
Json inputs_it_has_not(const model::Flow& flow, const store::RunStarted& start) {
  Json inputs;
  for (const model::Input& input : flow.inputs) {
    if (input.fallback && !start.inputs.contains(input.name)) inputs[input.name] = *input.fallback;
  }
  return inputs;
}

// Each secret input, and where it can be read again.
Sources sources_of(const Secrets& secrets, const Sources& known) {
  Sources sources;
  for (const auto& [name, value] : secrets.values().items()) {
    const auto source = known.find(name);
    sources[name] = source != known.end() ? source->second : std::string();
  }
  return sources;
}

// A place in the run's group; with the row that says that it waits, where it is not the first. kGroupTaken.
asio::awaitable<store::StoreResult<void>> join_group(RunContext& context, Journal& journal, Finished& finished) {
  Runtime& runtime = context.runtime();
  const auto group = group_of(context);
  if (!group) finished.refused = Error{group.error().message};
  if (!group || group->empty()) co_return store::StoreResult<void>{};
  const auto ask = [&](auto done) {
    runtime.store.join_group(*journal.number(), *group, queues(context.flow()), std::move(done));
  };
  auto joined = co_await answer_of<void>(runtime.executor, context.interrupt(), ask);
  if (!joined) co_return joined;
  const auto before = runtime.store.before_in_group(*journal.number());
  if (!before) co_return std::unexpected(before.error());
  if (!before->empty()) journal.add(store::RunQueued{*group});
  co_return store::StoreResult<void>{};
}

// A run that does not get into its group.
void turn_away(Finished& finished, const model::Flow& flow) {
  finished.run.rows = 0;
  if (flow.concurrency->on_conflict != model::OnConflict::kSkip) return;
  finished.skipped = finished.store_error->message;
  finished.store_error.reset();
}

// A claimed run of which nothing is done.
void let_go(Finished& finished, Runtime& runtime, store::RunNumber run, std::optional<Error> refused) {
  finished.refused = std::move(refused);
  if (auto released = runtime.store.release(run); !released) finished.store_error = std::move(released.error());
}

Error refusal(const model::Outcome& outcome) { return {std::get<model::Failure>(outcome).error.message}; }

}  // namespace

asio::awaitable<void> start_under(const Under& under, Finished& finished, Runtime& runtime,
                                  std::shared_ptr<const model::Flow> flow, std::string id, Json inputs,
                                  Interrupt& interrupt, const Sources& sources) {
  RunState& run = finished.run;
  Secrets secrets = Secrets::take_from(inputs, *flow, under);
  run.id = std::move(id);
  run.started_at = runtime.clock.now();
  run.start = {.flow = flow->name,
               .version = flow->version,
               .digest = flow->digest,
               .file = flow->file,
               .folder = flow->folder,
               .nonce = make_nonce(runtime.random),
               .inputs = std::move(inputs),
               .flows = flows_below(*flow),
               .secrets = sources_of(secrets, sources)};
  const bool is_child = under.parent != nullptr;
  if (is_child) {
    run.start.parent = under.parent->run().id;
    run.start.work = under.work;
  }
  RunContext context(runtime, flow, run, interrupt, under, std::move(secrets));
  auto prepared = context.prepare(false);
  if (std::holds_alternative<model::Success>(prepared)) prepared = evaluate_vars(*flow, context.scope());
  context.mask(prepared);
  if (std::holds_alternative<model::Failure>(prepared)) {
    finished.refused = refusal(prepared);
    co_return;
  }
  run.start.vars = run.vars = std::get<model::Success>(std::move(prepared)).output;
  const auto group = group_of(context);
  if (!group) {
    finished.refused = Error{group.error().message};
    co_return;
  }

  Journal journal(runtime, run, interrupt, std::nullopt, context.masker());
  if (does_more(*flow)) journal.hold_end();
  const Beginning beginning{[&] { journal.add(enter(context, flow->start).rows); }};
  const auto texts = [&] { return is_child ? store::Texts() : texts_of(*flow); };  // a child's are in the store
  std::optional<RunState> before;
  if (queues(*flow)) before = run;
  journal.add(std::vector<store::Row>{{run.started_at, run.start}});
  beginning.add_rows();
  auto result = co_await journal.create(texts(), *group);
  if (before && !result && result.error().kind == store::StoreErrorKind::kGroupTaken) {
    run = std::move(*before);
    journal.add(std::vector<store::Row>{{run.started_at, run.start}, {run.started_at, store::RunQueued{*group}}});
    result = co_await journal.create(texts(), *group, true);
  }
  if (!journal.number()) run.rows = 0;  // the store refused it: nothing was begun
  if (result) {
    context.tell(model::RunBegan{flow->name, false, {}});
    result = co_await work_on(context, journal, beginning, false);
    // After the work: what is old can wait, and the run cannot.
    if (flow->keep && !is_child)
      (void)runtime.store.delete_ended(flow->name, runtime.clock.now() - *flow->keep, kMostDeleted);
  }
  if (result) co_return;
  finished.store_error = std::move(result.error());
  if (finished.store_error->kind == store::StoreErrorKind::kGroupTaken) turn_away(finished, *flow);
}

asio::awaitable<void> resume_under(const Under& under, Finished& finished, Runtime& runtime,
                                   std::shared_ptr<const model::Flow> flow, store::RunRecord claimed,
                                   std::optional<model::StateId> from, Interrupt& interrupt, const Json& given) {
  RunState& run = finished.run;
  run = replay(claimed.summary.id, claimed.rows);
  auto secrets = Secrets::find_in(given, run.start, under);
  if (!secrets) {
    co_return let_go(finished, runtime, claimed.number, std::move(secrets.error()));
  }
  const std::string token = token_of(run);
  // A run that was let go of, with nothing to do but wait, has left nothing behind.
  bool leaves = !token.empty() && run.status != store::Status::kWaiting;
  if (leaves && under.parent != nullptr) leaves = under.parent->leftovers().has(token);
  if (leaves) co_await end_orphans(runtime, under, run.id, run.state, token);
  const bool left_up = run.services_up;
  store::RunResumed resumed;
  resumed.by_hand = from.has_value();
  if (from) {
    resumed.state = flow->states[*from].name;
  } else if (run.outcome) {
    resumed.state = run.state;
  } else if (run.current) {
    resumed.state = run.current_state();
  }
  store::Flows flows = flows_below(*flow);
  if (flow->digest != run.start.digest || flows != run.start.flows) {
    resumed.digest = flow->digest;
    resumed.file = flow->file;
    resumed.folder = flow->folder;
    resumed.flows = std::move(flows);
    if (flow->version != run.start.version) resumed.version = flow->version;
    resumed.inputs = inputs_it_has_not(*flow, run.start);
    if (!resumed.inputs.is_null()) run.start.inputs.update(resumed.inputs);  // the environment may ask for them
    for (const auto& [digest, text] : texts_of(*flow)) {
      if (auto kept = runtime.store.put_text(digest, text); !kept) {
        finished.store_error = std::move(kept.error());
        co_return;
      }
    }
  }
  Journal journal(runtime, run, interrupt, claimed.number, secrets->masker());
  if (does_more(*flow)) journal.hold_end();
  RunContext context(runtime, flow, run, interrupt, under, std::move(*secrets));
  auto prepared = context.prepare(true);
  const bool usable = std::holds_alternative<model::Success>(prepared);
  // It would fail, and nothing of what it did could be undone either.
  if (!usable && !run.outcome && (run.rollback || run.still_owed() > 0)) {
    co_return let_go(finished, runtime, claimed.number, refusal(prepared));
  }
  if (usable && resumed.digest) {
    auto vars = evaluate_vars(*flow, context.scope(), run.vars);
    context.mask(vars);
    if (std::holds_alternative<model::Failure>(vars)) {
      co_return let_go(finished, runtime, claimed.number, refusal(vars));
    }
    Json& values = std::get<model::Success>(vars).output;
    if (!values.empty()) resumed.vars = std::move(values);
  }
  // One commit: a person's word is not half done when the process dies.
  const auto add_rows = [&] {
    journal.add(resumed);
    if (run.rollback) return;
    if (!usable && !run.outcome) {
      auto& error = std::get<model::Failure>(prepared).error;
      journal.add(end_early(run, error, store::Status::kFailed, runtime.clock.now()));
    } else if (usable && (from || (!run.current && !run.outcome))) {
      journal.add(enter(context, from.value_or(flow->start)).rows);
    }
  };
  const Beginning beginning{add_rows, from.has_value()};
  store::StoreResult<void> result;
  if (usable) result = co_await join_group(context, journal, finished);
  const bool taken = !result && result.error().kind == store::StoreErrorKind::kGroupTaken;
  if (!result) finished.store_error = std::move(result.error());
  if (taken) turn_away(finished, *flow);
  if (finished.refused || taken) co_return let_go(finished, runtime, claimed.number, std::move(finished.refused));
  if (finished.store_error) co_return;
  if (!run.queued) beginning.add_rows();
  result = co_await journal.commit();
  if (result && run.ended_at) result = co_await end_open_children(context);
  if (result && run.status == store::Status::kRunning) {
    context.tell(model::RunBegan{flow->name, true, run.state});
    result = co_await work_on(context, journal, beginning, left_up);
  }
  if (!result) finished.store_error = std::move(result.error());
}

asio::awaitable<Finished> start(Runtime& runtime, std::shared_ptr<const model::Flow> flow, std::string id, Json inputs,
                                Interrupt& interrupt, Sources sources) {
  Finished finished;
  auto work =
      start_under(kNobody, finished, runtime, std::move(flow), std::move(id), std::move(inputs), interrupt, sources);
  co_await std::move(work);
  co_return finished;
}

asio::awaitable<Finished> resume(Runtime& runtime, std::shared_ptr<const model::Flow> flow, store::RunRecord claimed,
                                 std::optional<model::StateId> from, Interrupt& interrupt, Json given) {
  Finished finished;
  auto work = resume_under(kNobody, finished, runtime, std::move(flow), std::move(claimed), from, interrupt, given);
  co_await std::move(work);
  co_return finished;
}

asio::awaitable<Finished> end(Ending how, Runtime& runtime, std::shared_ptr<const model::Flow> flow,
                              store::RunRecord claimed, Interrupt& interrupt, Json given) {
  Leftovers leftovers;
  Finished finished;
  auto work = end_under(how, leftovers, finished, runtime, std::move(flow), std::move(claimed), interrupt, given);
  co_await std::move(work);
  co_return finished;
}

namespace {

// What is over stays so; but what failed can still be undone, at a person's word.
bool may_be_ended(Ending how, const RunState& run) {
  return !run.ended_at || (how == Ending::kRollBack && run.is_undoable());
}

// The rows that say how the run ends from now on.
void begin_end(Ending how, const RunState& run, const Interrupt& interrupt, Journal& journal, WallTime now) {
  const store::Status status = how == Ending::kCancel ? store::Status::kCancelled : store::Status::kRolledBack;
  if (run.outcome) return;  // it stands
  if (run.rollback) return journal.add(store::RunResumed{.state = run.state});
  if (run.ended_at) {
    return journal.add(store::RunEnded{.status = status, .state = run.state, .output = run.output, .error = run.error});
  }
  const model::RunError error{.kind = std::string(model::kind::kCancelled), .message = interrupt.detail()};
  journal.add(end_early(run, error, status, now));
}

// What comes after those rows: with the flow, if it is at hand.
asio::awaitable<store::StoreResult<void>> end_with(RunContext& context, Journal& journal, bool left_up) {
  Services services(context);
  if (left_up) services.assume_up();
  store::StoreResult<void> result;
  if (is_undone(context.run())) {
    co_await set_up_again(context, services);
    result = co_await roll_back(context, journal, services);
  }
  if (result && context.run().outcome) result = co_await finish(context, journal, services);
  if (!result) co_await services.tear_down();
  co_return result;
}

asio::awaitable<store::StoreResult<void>> end_without(RunState& run, Journal& journal) {
  if (is_undone(run)) {
    store::RunEnded ended = *run.rollback;
    ended.status = store::Status::kRollbackIncomplete;
    journal.add(std::move(ended));
  } else if (run.outcome) {
    journal.end();
  } else {
    co_return store::StoreResult<void>{};
  }
  auto result = co_await journal.commit();
  co_return result;
}

}  // namespace

asio::awaitable<void> end_under(Ending how, Leftovers& leftovers, Finished& finished, Runtime& runtime,
                                std::shared_ptr<const model::Flow> flow, store::RunRecord claimed, Interrupt& interrupt,
                                const Json& given) {
  RunState& run = finished.run;
  run = replay(claimed.summary.id, claimed.rows);
  if (!may_be_ended(how, run)) co_return let_go(finished, runtime, claimed.number, std::nullopt);  // another was faster
  const bool is_child = !run.start.parent.empty();
  auto secrets = flow ? Secrets::find_in(given, run.start, kNobody) : Result<Secrets>(Secrets());
  std::optional<Error> refused;
  if (!secrets) {
    refused = std::move(secrets.error());
    secrets = Secrets();
  }
  Journal journal(runtime, run, interrupt, claimed.number, secrets->masker());
  std::optional<RunContext> context;
  if (flow && !refused) {
    context.emplace(runtime, flow, run, interrupt, kNobody, std::move(*secrets));
    const auto prepared = context->prepare(true);
    if (std::holds_alternative<model::Failure>(prepared)) refused = refusal(prepared);
  }
  // A child that cannot do what it has to do at its end ends all the same, with its parent.
  if (refused && !is_child) co_return let_go(finished, runtime, claimed.number, std::move(refused));
  const bool whole = flow && !refused;
  if (whole) journal.hold_end();
  const std::string token = token_of(run);
  if (!token.empty() && leftovers.has(token)) co_await end_orphans(runtime, kNobody, run.id, run.state, token);
  remove_scratch_folder(run.start.nonce);
  auto below = co_await cancel_children(runtime, run.id, flow, interrupt.detail(), leftovers);
  if (!below) {
    finished.store_error = std::move(below.error());
    co_return;
  }
  Children children(runtime.store, run);
  children.expect_earlier();
  const auto incomplete = children.incomplete();
  if (incomplete && !incomplete->empty()) journal.roll_back();
  const bool left_up = run.services_up;
  begin_end(how, run, interrupt, journal, runtime.clock.now());
  auto result = co_await journal.commit();
  if (result) {
    auto rest = whole ? end_with(*context, journal, left_up) : end_without(run, journal);
    result = co_await std::move(rest);
  }
  if (!result) finished.store_error = std::move(result.error());
}

}  // namespace canorun::run
