// canorun run: validates a flow, then runs it to the end.
#include <fmt/format.h>

#include "cli/command_line.h"
#include "cli/flow_source.h"
#include "cli/input_options.h"
#include "cli/resumption.h"
#include "cli/verb.h"
#include "cli/view_plan.h"
#include "engine/base/ids.h"

namespace canorun::cli {
namespace {

using FlowPtr = std::shared_ptr<const model::Flow>;

class Run final : public Verb {
 public:
  void declare(CommandLine& line) override {
    line.required(file_, "FLOW", "the flow file");
    inputs_.declare(line);
    line.option(id_, "--id", "ID", "the run's id; default: FLOW-DATE-TIME-xxxx");
    line.flag(or_resume_, "--or-resume", "with --id: resume a run that exists; one that succeeded is success");
    line.flag(suspend_, "--suspend", "end when there is nothing to do but wait; 'resume --due' goes on");
    line.flag(dry_run_, "--dry-run", "say what would run, and run nothing");
    line.flag(no_store_, "--no-store", "keep nothing: such a run cannot be resumed or looked at");
  }

  OrRefusal<ExitCode> run(Wiring& wiring) override {
    if (auto usable = check(); !usable) return std::unexpected(usable.error());
    const auto flow = flow_from_file(wiring, file_);
    if (!flow) return std::unexpected(flow.error());
    auto inputs = inputs_.bind(**flow);
    if (!inputs) return std::unexpected(inputs.error());
    if (no_store_ && (*flow)->concurrency) {
      return refuse(RefusalKind::kUsage,
                    "a flow with 'concurrency' cannot run with --no-store: its group is kept there",
                    "run it with a store");
    }
    if (dry_run_) return plan(wiring, **flow, inputs->values);

    auto store = no_store_ ? wiring.nothing_kept() : wiring.open_store(Wiring::Access::kStart);
    if (!store) return std::unexpected(store.error());
    Session session(wiring, **store, {.suspends = suspend_});
    const auto ended = work(wiring, **store, session, *flow, std::move(*inputs));
    if (!ended) return std::unexpected(ended.error());
    if (wiring.options().json) wiring.document(ended->json);
    return ended->code;
  }

 private:
  OrRefusal<void> check() const {
    if (id_ && !is_run_id(*id_)) {
      return refuse(RefusalKind::kUsage, fmt::format("'{}' cannot be a run's id", to_utf8(*id_)),
                    "letters, digits, '.', '_' and '-', at most 128, the first one a letter or a digit");
    }
    if (or_resume_ && !id_) return refuse(RefusalKind::kUsage, "--or-resume needs --id");
    if (suspend_ && no_store_) return refuse(RefusalKind::kUsage, "--suspend and --no-store exclude each other");
    if (or_resume_ && no_store_) return refuse(RefusalKind::kUsage, "--or-resume and --no-store exclude each other");
    return {};
  }

  static OrRefusal<ExitCode> plan(Wiring& wiring, const model::Flow& flow, const Json& inputs) {
    if (wiring.options().json) {
      wiring.document(plan_json(flow, inputs));
    } else {
      wiring.out().write(plan_text(flow, inputs, wiring.out_style()));
    }
    return ExitCode::kSuccess;
  }

  OrRefusal<Conclusion> work(Wiring& wiring, store::CheckpointStore& store, Session& session, const FlowPtr& flow,
                             InputOptions::Bound inputs) const {
    Json known = or_resume_ ? inputs.values : Json::object();
    const std::string id = id_ ? *id_ : make_run_id(flow->name, wiring.clock().now(), wiring.random());
    const auto finished = session.work_on(id, [&](run::Runtime& runtime, run::Interrupt& interrupt) {
      return run::start(runtime, flow, id, std::move(inputs.values), interrupt, std::move(inputs.sources));
    });
    const bool exists = finished.store_error && finished.store_error->kind == store::StoreErrorKind::kRunExists;
    if (exists && or_resume_) {
      return resume_run(wiring, store, session, {.id = id, .success_is_fine = true, .known = std::move(known)});
    }
    auto ended = conclude(wiring, store, finished, !no_store_);
    if (!ended && exists)
      ended.error().hint = "choose another --id, or go on with it: " + wiring.command("resume " + id);
    return ended;
  }

  std::string file_;
  InputOptions inputs_;
  std::optional<std::string> id_;
  bool or_resume_ = false;
  bool suspend_ = false;
  bool dry_run_ = false;
  bool no_store_ = false;
};

}  // namespace

std::unique_ptr<Verb> make_run() { return std::make_unique<Run>(); }

}  // namespace canorun::cli
