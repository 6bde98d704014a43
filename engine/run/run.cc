#include "engine/run/run.h"

#include <fmt/format.h>

#include "engine/base/ids.h"
#include "engine/run/end_orphans.h"
#include "engine/run/loop.h"
#include "engine/run/run_context.h"

namespace canorun::run {
namespace {

namespace asio = boost::asio;

constexpr std::size_t kMostDeleted = 100;

// Initial variables: each may use the inputs and the environment.
model::Outcome initial_vars(RunContext& context) {
  const model::Scope scope = context.scope();
  Json vars = Json::object();
  for (const model::Var& var : context.flow().vars) {
    auto value = var.initial.evaluate(scope);
    const std::string where = fmt::format("vars.{}", var.name);
    if (!value) return model::Failure{expression_error(where, value.error().message, value.error().hint)};
    vars[var.name] = std::move(*value);
  }
  return model::Success{std::move(vars)};
}

// Works on the run under its budget, listening to what other processes ask of it.
asio::awaitable<store::StoreResult<void>> work_on(RunContext& context, Journal& journal) {
  Runtime& runtime = context.runtime();
  Alarm budget(runtime.executor, context.interrupt());
  if (context.flow().timeout) {
    budget.arm(std::max(Millis{0}, *context.flow().timeout - context.run().worked), Reason::kRunTimeout);
  }
  const auto ring = [&context] {
    context.signals().ring();
    context.rest().ring();
  };
  const RequestWatch::Listener listener(context.requests(), *journal.number(), context.interrupt(), ring);
  if (context.interrupt().reason() != Reason::kNone) co_await calm();  // asked before anybody listened
  auto result = co_await loop(context, journal);
  budget.disarm();
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

// Each secret input, and where it can be read again.
Sources sources_of(const Secrets& secrets, const Sources& known) {
  Sources sources;
  for (const auto& [name, value] : secrets.values().items()) {
    const auto source = known.find(name);
    sources[name] = source != known.end() ? source->second : std::string();
  }
  return sources;
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
  auto prepared = context.prepare();
  if (std::holds_alternative<model::Success>(prepared)) prepared = initial_vars(context);
  context.mask(prepared);
  if (std::holds_alternative<model::Failure>(prepared)) {
    finished.refused = refusal(prepared);
    co_return;
  }
  run.start.vars = run.vars = std::get<model::Success>(std::move(prepared)).output;

  Journal journal(runtime, run, interrupt, std::nullopt, context.masker());
  Step first = enter(context, flow->start);
  first.rows.insert(first.rows.begin(), store::Row{run.started_at, run.start});
  journal.add(std::move(first.rows));
  // A child's are in the store since its parent began.
  store::Texts texts;
  if (!is_child) texts = texts_of(*flow);
  auto result = co_await journal.create(std::move(texts));
  if (!journal.number()) run.rows = 0;  // the store refused it: nothing was begun
  if (result) {
    context.tell(model::RunBegan{flow->name, false, {}});
    result = co_await work_on(context, journal);
    // After the work: what is old can wait, and the run cannot.
    if (flow->keep && !is_child)
      (void)runtime.store.delete_ended(flow->name, runtime.clock.now() - *flow->keep, kMostDeleted);
  }
  if (!result) finished.store_error = std::move(result.error());
}

asio::awaitable<void> resume_under(const Under& under, Finished& finished, Runtime& runtime,
                                   std::shared_ptr<const model::Flow> flow, store::RunRecord claimed,
                                   std::optional<model::StateId> from, Interrupt& interrupt, const Json& given) {
  RunState& run = finished.run;
  run = replay(claimed.summary.id, claimed.rows);
  auto secrets = Secrets::find_in(given, run.start, under);
  if (!secrets) {
    finished.refused = std::move(secrets.error());
    if (auto released = runtime.store.release(claimed.number); !released) finished.store_error = released.error();
    co_return;
  }
  const std::string token = token_of(run);
  // A run that was let go of, with nothing to do but wait, has left nothing behind.
  bool leaves = !token.empty() && run.status != store::Status::kWaiting;
  if (leaves && under.parent != nullptr) leaves = under.parent->leftovers().has(token);
  if (leaves) co_await end_orphans(runtime, under, run.id, run.state, token);
  store::RunResumed resumed;
  resumed.by_hand = from.has_value();
  if (from) {
    resumed.state = flow->states[*from].name;
  } else if (run.current) {
    resumed.state = run.current_state();
  }
  store::Flows flows = flows_below(*flow);
  if (flow->digest != run.start.digest || flows != run.start.flows) {
    resumed.digest = flow->digest;
    resumed.file = flow->file;
    resumed.folder = flow->folder;
    resumed.flows = std::move(flows);
    for (const auto& [digest, text] : texts_of(*flow)) {
      if (auto kept = runtime.store.put_text(digest, text); !kept) {
        finished.store_error = std::move(kept.error());
        co_return;
      }
    }
  }
  // One commit: a person's word is not half done when the process dies.
  Journal journal(runtime, run, interrupt, claimed.number, secrets->masker());
  journal.add(resumed);
  RunContext context(runtime, flow, run, interrupt, under, std::move(*secrets));
  auto prepared = context.prepare();
  if (auto* failed = std::get_if<model::Failure>(&prepared)) {
    journal.add(end_early(run, failed->error, store::Status::kFailed, runtime.clock.now()));
  } else if (from || !run.current) {
    journal.add(enter(context, from.value_or(flow->start)).rows);
  }
  auto result = co_await journal.commit();
  if (result && (from || run.ended_at)) result = co_await end_open_children(context);
  if (result && run.status == store::Status::kRunning) {
    context.tell(model::RunBegan{flow->name, true, run.state});
    result = co_await work_on(context, journal);
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

asio::awaitable<Finished> cancel(Runtime& runtime, store::RunRecord claimed, Interrupt& interrupt) {
  Leftovers leftovers;
  Finished finished;
  auto work = cancel_under(leftovers, finished, runtime, std::move(claimed), interrupt);
  co_await std::move(work);
  co_return finished;
}

asio::awaitable<void> cancel_under(Leftovers& leftovers, Finished& finished, Runtime& runtime, store::RunRecord claimed,
                                   Interrupt& interrupt) {
  RunState& run = finished.run;
  run = replay(claimed.summary.id, claimed.rows);
  if (run.ended_at) {  // somebody was faster
    if (auto released = runtime.store.release(claimed.number); !released) finished.store_error = released.error();
    co_return;
  }
  const std::string token = token_of(run);
  if (!token.empty() && leftovers.has(token)) co_await end_orphans(runtime, kNobody, run.id, run.state, token);
  remove_scratch_folder(run.start.nonce);
  auto below = co_await cancel_children(runtime, run.id, interrupt.detail(), leftovers);
  if (!below) {
    finished.store_error = std::move(below.error());
    co_return;
  }
  Journal journal(runtime, run, interrupt, claimed.number);
  const model::RunError error{.kind = std::string(model::kind::kCancelled), .message = interrupt.detail()};
  journal.add(end_early(run, error, store::Status::kCancelled, runtime.clock.now()));
  auto result = co_await journal.commit();
  if (!result) finished.store_error = std::move(result.error());
}

}  // namespace canorun::run
