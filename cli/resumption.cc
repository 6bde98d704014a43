#include "cli/resumption.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "cli/ending.h"
#include "cli/flow_source.h"
#include "cli/migration.h"
#include "cli/run_document.h"
#include "engine/base/suggest.h"
#include "engine/run/children.h"

namespace canorun::cli {
namespace {

using FlowPtr = std::shared_ptr<const model::Flow>;

std::vector<std::string_view> state_names(const model::Flow& flow) {
  std::vector<std::string_view> names;
  for (const model::State& state : flow.states) names.push_back(state.name);
  return names;
}

OrRefusal<std::optional<model::StateId>> entry_state(const model::Flow& flow, const std::optional<std::string>& from) {
  if (!from) return std::nullopt;
  if (const auto state = flow.find(*from)) return state;
  return refuse(RefusalKind::kUnknownState, fmt::format("flow '{}' has no state '{}'", flow.name, to_utf8(*from)),
                suggestion(*from, state_names(flow)));
}

// What a person said is taken with the row that takes the run up, and there is none before it has its group.
void tell_lost(Wiring& wiring, const Resumption& what, const run::RunState& before, const run::Finished& finished) {
  const bool nothing_taken = finished.run.status == store::Status::kSuspended && finished.run.resumes == before.resumes;
  if (!nothing_taken || finished.refused || finished.store_error || !(what.file || what.from)) return;
  const char* words = what.file && what.from ? "--file and --from were" : what.file ? "--file was" : "--from was";
  wiring.err().write(
      fmt::format("{} still waited for its group: {} not taken, and {} to be given again when it is resumed\n",
                  before.id, words, what.file && what.from ? "have" : "has"));
}

// Whether the flow can take the run over where it stands.
OrRefusal<void> check_fit(const model::Flow& flow, const run::RunState& run, const Resumption& what) {
  if (flow.name != run.start.flow) {
    return refuse(RefusalKind::kUsage,
                  fmt::format("run '{}' is of flow '{}', not of '{}'", run.id, run.start.flow, flow.name));
  }
  if (flow.version != run.start.version && !what.migrate) {
    return refuse(RefusalKind::kVersionMismatch,
                  fmt::format("run '{}' is of version {} of '{}', and this is version {}", run.id, run.start.version,
                              flow.name, flow.version),
                  "leave --file away to go on with the version that the run has, or add --migrate");
  }
  if (what.from || !run.current || run.rollback) return {};
  const std::string& due = run.current_state();
  const auto state = flow.find(due);
  if (state && model::is_work(flow.states[*state])) return {};
  return refuse(RefusalKind::kUnknownState,
                fmt::format("state '{}' is due, and {}", due,
                            state ? "does no work in this flow" : "this flow has none of that name"),
                "choose where to go on with --from STATE");
}

// The same for the children that it would go on with, and those below them.
OrRefusal<void> check_children(const store::CheckpointStore& store, const model::Flow& flow,
                               const run::RunState& parent) {
  const auto children = store.list({.parent = parent.id});
  if (!children) return std::unexpected(refusal(children.error()));
  std::set<std::string_view> seen;
  for (const store::Summary& child : *children) {  // the newest for a piece of work is the one that goes on
    if (!seen.insert(child.work).second || store::is_over(child.status)) continue;
    // One that failed goes on only with the state that failed by it.
    const bool failed_by_it = parent.status == store::Status::kFailed && parent.current && child.ended_at &&
                              *child.ended_at >= parent.current->entered_at;
    if (child.status == store::Status::kFailed && !failed_by_it) continue;
    const auto record = store.load(child.id);
    if (!record) return std::unexpected(refusal(record.error()));
    const run::RunState run = run::replay(child.id, record->rows);
    if (run.is_over()) continue;
    const auto below = std::ranges::find(flow.descendants, run.start.file, &model::Flow::file);
    if (below == flow.descendants.end()) {
      return refuse(RefusalKind::kVersionMismatch,
                    fmt::format("run '{}' cannot go on: the new definition does not run its flow {}", child.id,
                                to_utf8(run.start.file)),
                    "put the definitions where the run began with them, or choose where to go on with --from STATE");
    }
    if (auto can = check_compensations(**below, run); !can) return can;
    if (auto has = check_values(**below, run); !has) return has;
    if (const std::string why = run::misfit(**below, run); !why.empty()) {
      return refuse(
          RefusalKind::kVersionMismatch, fmt::format("run '{}' cannot go on: {}", child.id, why),
          "leave --file away to go on with what the run was started with, or choose where to go on with --from "
          "STATE");
    }
    if (auto fits = check_children(store, **below, run); !fits) return fits;
  }
  return {};
}

// Another definition than the run's: whether it can go on with it. What changes is told with `--migrate`, also where it
// cannot.
OrRefusal<std::optional<Migration>> check_definition(Wiring& wiring, const store::CheckpointStore& store,
                                                     const model::Flow& flow, const run::RunState& run,
                                                     const Resumption& what) {
  std::optional<Migration> migration;
  if (what.migrate && flow.name == run.start.flow) {
    const auto before = store.text(run.start.digest);
    if (!before) return std::unexpected(refusal(before.error()));
    migration = migration_to(flow, run, *before);
    wiring.note(migration_text(*migration, run));
  }
  if (const auto fits = check_fit(flow, run, what); !fits) return std::unexpected(fits.error());
  if (const auto can = check_compensations(flow, run); !can) return std::unexpected(can.error());
  if (const auto known = check_values(flow, run); !known) return std::unexpected(known.error());
  if (!what.from) {
    if (const auto fit = check_children(store, flow, run); !fit) return std::unexpected(fit.error());
  }
  return migration;
}

OrRefusal<Conclusion> already(Wiring& wiring, const store::CheckpointStore& store, const run::RunState& run) {
  if (!wiring.options().json && !wiring.options().quiet) {
    wiring.out().write(fmt::format("{} has {} already\n", run.id, status_name(run.status)));
  }
  auto document = run_document(store, run, run.status);
  if (!document) return std::unexpected(std::move(document.error()));
  return Conclusion{ExitCode::kSuccess, std::move(*document)};
}

}  // namespace

OrRefusal<std::string> root_of(const store::CheckpointStore& store, std::string id) {
  for (;;) {
    auto run = store.find(id);
    if (!run) return std::unexpected(refusal(run.error()));
    if (run->parent.empty()) return id;
    id = std::move(run->parent);
  }
}

OrRefusal<Conclusion> resume_run(Wiring& wiring, store::CheckpointStore& store, Session& session,
                                 const Resumption& what) {
  auto claimed = store.claim(what.id);
  if (!claimed) return std::unexpected(refusal(std::move(claimed.error())));
  Claim claim(store, std::move(*claimed));
  const run::RunState run = run::replay(what.id, claim.record().rows);
  if (what.success_is_fine && run.status == store::Status::kSucceeded) return already(wiring, store, run);
  if (!run.start.parent.empty()) {
    return refuse(RefusalKind::kUsage,
                  fmt::format("run '{}' is a child of '{}', and goes on with it", run.id, run.start.parent),
                  wiring.command("resume " + run.start.parent));
  }
  if (run.is_over()) return refuse_over(wiring, run.id, fmt::format("is over: {}", status_name(run.status)));
  if (what.from && run.rollback) {
    return refuse(RefusalKind::kRunOver, fmt::format("run '{}' is being rolled back, and goes forward no more", run.id),
                  "go on rolling it back with: " + wiring.command("resume " + run.id + again_options(run.start)));
  }
  const bool stands = run.outcome && (run.exited || store::is_over(run.outcome->status));
  if (what.from && stands) return refuse_before_the_end(wiring, run);
  const OrRefusal<FlowPtr> flow = what.file ? flow_from_file(wiring, *what.file) : flow_of_run(wiring, store, run);
  if (!flow) return std::unexpected(flow.error());
  const auto from = entry_state(**flow, what.from);
  if (!from) return std::unexpected(from.error());
  std::optional<Migration> migration;
  if (what.file) {
    auto checked = check_definition(wiring, store, **flow, run, what);
    if (!checked) return std::unexpected(checked.error());
    migration = std::move(*checked);
  }

  auto secrets = secrets_again(wiring, run, {.verb = "resume", .texts = what.secrets, .known = what.known});
  if (!secrets) return std::unexpected(secrets.error());

  store::RunRecord record = claim.hand_on();
  const auto finished = session.work_on(run.id, [&](run::Runtime& runtime, run::Interrupt& interrupt) {
    return run::resume(runtime, *flow, std::move(record), *from, interrupt, std::move(*secrets));
  });
  tell_lost(wiring, what, run, finished);
  auto concluded = conclude(wiring, store, finished, true);
  if (concluded && migration && concluded->json.is_object()) concluded->json["migration"] = to_json(*migration);
  return concluded;
}

}  // namespace canorun::cli
