// canorun cancel: ends a run, whoever works on it.
#include <fmt/format.h>

#include "cli/command_line.h"
#include "cli/conclusion.h"
#include "cli/ending.h"
#include "cli/follow.h"
#include "cli/input_values.h"
#include "cli/run_document.h"
#include "cli/secret_inputs.h"
#include "cli/verb.h"

namespace canorun::cli {
namespace {

// What the run's process may need to end its work: commands have 5 s between TERM and KILL.
constexpr std::chrono::seconds kLongestWait{60};

class Cancel final : public Verb {
 public:
  void declare(CommandLine& line) override {
    line.required(id_, "ID", "the run");
    line.repeated(inputs_, "-i,--input", "NAME=VALUE",
                  "a secret input, again, where the end of the run needs it: its value, @env:NAME or @file:PATH");
  }

  OrRefusal<ExitCode> run(Wiring& wiring) override {
    auto texts = split_inputs(inputs_);
    if (!texts) return std::unexpected(texts.error());
    texts_ = std::move(*texts);
    auto store = wiring.open_store(Wiring::Access::kWork);
    if (!store) return std::unexpected(store.error());
    const auto until = std::chrono::steady_clock::now() + kLongestWait;
    bool asked = false;
    while (std::chrono::steady_clock::now() < until) {
      const auto summary = (*store)->find(id_);
      if (!summary) return std::unexpected(refusal(summary.error()));
      if (asked && store::has_ended(summary->status)) return tell_of_other(wiring, **store);
      if (!asked || !goes_on(summary->status)) {
        const auto posted = (*store)->post(id_, store::Request::kCancel);
        if (!posted) return std::unexpected(refusal(posted.error()));
        if (!*posted) {
          const auto claimed = (*store)->claim(id_);
          if (claimed) return here(wiring, **store, std::move(*claimed));
          // Another process took the run up in this moment; it can be asked.
          if (claimed.error().kind != store::StoreErrorKind::kOwned) return std::unexpected(refusal(claimed.error()));
          continue;
        }
        if (!asked) wiring.note(fmt::format("asked the process that works on {} to cancel it\n", id_));
        asked = true;
      }
      wait_a_little();
    }
    return refuse(RefusalKind::kOwned,
                  fmt::format("run '{}' was asked to end, and has not done so within {} s", id_, kLongestWait.count()),
                  "watch it with: " + wiring.command("events " + id_ + " --follow"));
  }

 private:
  // Nobody works on the run: its rows are all there is to do.
  OrRefusal<ExitCode> here(Wiring& wiring, store::CheckpointStore& store, store::RunRecord claimed) const {
    Claim claim(store, std::move(claimed));
    const run::RunState run = run::replay(id_, claim.record().rows);
    if (run.ended_at) {
      return refuse(RefusalKind::kRunOver, fmt::format("run '{}' is over: {}", id_, status_name(run.status)));
    }
    const auto finished = end_run(
        wiring, store, claim, run,
        {.how = run::Ending::kCancel, .verb = "cancel", .reason = "cancelled by 'canorun cancel'", .texts = texts_});
    if (!finished) return std::unexpected(finished.error());
    return tell(wiring, store, finished->run, true);
  }

  // Who works on the run has ended it.
  OrRefusal<ExitCode> tell_of_other(Wiring& wiring, const store::CheckpointStore& store) const {
    const auto record = store.load(id_);
    if (!record) return std::unexpected(refusal(record.error()));
    return tell(wiring, store, run::replay(id_, record->rows), false);
  }

  // `here`: this process has ended it.
  OrRefusal<ExitCode> tell(Wiring& wiring, const store::CheckpointStore& store, const run::RunState& run,
                           bool here) const {
    const store::Status status = run.status;
    const std::string id = id_ + again_options(run.start);
    if (status == store::Status::kSuspended) {
      wiring.note(fmt::format("run '{}' is suspended; go on with: {}\n", id_, wiring.command("cancel " + id)));
      return ExitCode::kResumeLater;
    }
    const bool undone = here && status == store::Status::kRolledBack;  // it was being rolled back already
    if (!undone && status != store::Status::kCancelled && status != store::Status::kRollbackIncomplete) {
      return refuse(RefusalKind::kRunOver,
                    fmt::format("run '{}' ended before it could be cancelled: {}", id_, status_name(status)));
    }
    if (wiring.options().json) {
      auto document = run_document(store, run, status);
      if (!document) return std::unexpected(std::move(document.error()));
      wiring.document(*document);
    } else if (!wiring.options().quiet) {
      wiring.out().write(fmt::format("{} {}\n", id_, status_name(status)));
    }
    if (undone || status == store::Status::kCancelled) return ExitCode::kSuccess;
    wiring.note(fmt::format("what is left of it is tried again with: {}\n", wiring.command("resume " + id)));
    return exit_code(status);
  }

  std::string id_;
  std::vector<std::string> inputs_;
  Texts texts_;
};

}  // namespace

std::unique_ptr<Verb> make_cancel() { return std::make_unique<Cancel>(); }

}  // namespace canorun::cli
