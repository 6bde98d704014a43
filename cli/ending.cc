#include "cli/ending.h"

#include <fmt/format.h>

#include "cli/conclusion.h"
#include "cli/flow_source.h"
#include "cli/session.h"

namespace canorun::cli {
namespace {

using FlowPtr = std::shared_ptr<const model::Flow>;

bool has_children(const store::CheckpointStore& store, const run::RunState& run) {
  const auto children = store.list({.parent = run.id, .limit = 1});
  return children && !children->empty();
}

// Null where nothing of it is needed. That it cannot be read is no reason to keep a run that owes nothing.
OrRefusal<FlowPtr> flow_for_the_end(Wiring& wiring, const store::CheckpointStore& store, const run::RunState& run) {
  auto flow = flow_of_run(wiring, store, run);
  const bool needed = !run.outcome && (run.still_owed() > 0 || run.rollback);
  if (flow) return needed || runs_at_the_end(**flow) || has_children(store, run) ? *flow : nullptr;
  if (needed) {
    flow.error().hint = fmt::format("what run '{}' did can only be undone with it", run.id);
    return flow;
  }
  wiring.note(fmt::format(
      "the flow of run '{}' cannot be read; what it may have under 'on_end' and 'services' is not done: {}\n", run.id,
      flow.error().message));
  return nullptr;
}

}  // namespace

std::unexpected<Refusal> refuse_over(const Wiring& wiring, const std::string& id, const std::string& how) {
  return refuse(RefusalKind::kRunOver, fmt::format("run '{}' {}", id, how),
                "see what it did with: " + wiring.command("show " + id));
}

std::unexpected<Refusal> refuse_before_the_end(const Wiring& wiring, const run::RunState& run) {
  return refuse(
      RefusalKind::kRunOver,
      fmt::format("run '{}' is over: {}, but for what comes at its end", run.id, status_name(run.outcome->status)),
      "that is done by: " + wiring.command("resume " + run.id + again_options(run.start)));
}

OrRefusal<run::Finished> end_run(Wiring& wiring, store::CheckpointStore& store, Claim& claim, const run::RunState& run,
                                 const HowToEnd& what) {
  const auto flow = flow_for_the_end(wiring, store, run);
  if (!flow) return std::unexpected(flow.error());
  auto secrets = secrets_again(wiring, run, {.verb = what.verb, .texts = what.texts, .needed = *flow != nullptr});
  if (!secrets) return std::unexpected(secrets.error());
  store::RunRecord record = claim.hand_on();
  Session session(wiring, store, {});
  auto finished = session.work_on(run.id, [&](run::Runtime& runtime, run::Interrupt& interrupt) {
    interrupt.raise(run::Reason::kCancel, what.reason);
    return run::end(what.how, runtime, *flow, std::move(record), interrupt, std::move(*secrets));
  });
  if (auto fine = check_finished(wiring, finished, what.verb); !fine) return std::unexpected(std::move(fine.error()));
  return finished;
}

}  // namespace canorun::cli
