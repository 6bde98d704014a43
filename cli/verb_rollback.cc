// canorun rollback: undoes what a run did that has not ended well, at a person's word.
#include <fmt/format.h>
#include <unistd.h>

#include <iostream>

#include "cli/command_line.h"
#include "cli/conclusion.h"
#include "cli/ending.h"
#include "cli/input_values.h"
#include "cli/report.h"
#include "cli/verb.h"

namespace canorun::cli {
namespace {

class Rollback final : public Verb {
 public:
  void declare(CommandLine& line) override {
    line.required(id_, "ID", "the run");
    line.flag(yes_, "-y,--yes", "do not ask");
    line.repeated(inputs_, "-i,--input", "NAME=VALUE", "a secret input, again: its value, @env:NAME or @file:PATH");
  }

  OrRefusal<ExitCode> run(Wiring& wiring) override {
    auto texts = split_inputs(inputs_);
    if (!texts) return std::unexpected(texts.error());
    auto store = wiring.open_store(Wiring::Access::kWork);
    if (!store) return std::unexpected(store.error());
    auto claimed = (*store)->claim(id_);
    if (!claimed) return std::unexpected(of_claim(wiring, std::move(claimed.error())));
    Claim claim(**store, std::move(*claimed));
    const run::RunState run = run::replay(id_, claim.record().rows);
    if (auto may = check(wiring, run, claim.record().summary.status); !may) return std::unexpected(may.error());
    if (auto agreed = ask(wiring, run); !agreed) return std::unexpected(agreed.error());
    const auto finished = end_run(wiring, **store, claim, run,
                                  {.how = run::Ending::kRollBack,
                                   .verb = "rollback",
                                   .reason = "rolled back by 'canorun rollback'",
                                   .texts = *texts});
    if (!finished) return std::unexpected(finished.error());
    const auto concluded = conclude(wiring, **store, *finished, true);
    if (!concluded) return std::unexpected(concluded.error());
    if (wiring.options().json) wiring.document(concluded->json);
    const store::Status status = finished->run.status;
    const bool whole = status == store::Status::kRolledBack || status == store::Status::kCancelled;
    return whole ? ExitCode::kSuccess : concluded->code;
  }

 private:
  Refusal of_claim(const Wiring& wiring, store::StoreError error) const {
    const bool owned = error.kind == store::StoreErrorKind::kOwned;
    Refusal refused = refusal(std::move(error));
    if (owned) refused.hint = "to end and roll back a run that is worked on: " + wiring.command("cancel " + id_);
    return refused;
  }

  static OrRefusal<void> check(const Wiring& wiring, const run::RunState& run, store::Status status) {
    if (!run.start.parent.empty()) {
      return refuse(RefusalKind::kUsage,
                    fmt::format("run '{}' is a child of '{}', and is undone with it", run.id, run.start.parent),
                    wiring.command("rollback " + run.start.parent));
    }
    if (run.outcome) return refuse_before_the_end(wiring, run);
    if (run.ended_at && !run.is_undoable()) {
      return refuse_over(wiring, run.id, fmt::format("is over: {}", status_name(status)));
    }
    if (run.status == store::Status::kFailed && run.still_owed() == 0) {
      return refuse_over(wiring, run.id,
                         "has failed, and there is nothing to roll back: nothing that it did has a 'compensate'");
    }
    return {};
  }

  // Shows what will be undone, and waits for a word on it.
  OrRefusal<void> ask(Wiring& wiring, const run::RunState& run) const {
    if (yes_) return {};
    if (::isatty(STDIN_FILENO) == 0 || ::isatty(STDERR_FILENO) == 0) {
      return refuse(RefusalKind::kUsage,
                    fmt::format("nobody can be asked whether run '{}' is to be rolled back", run.id),
                    "say so with: " + wiring.command("rollback " + run.id + again_options(run.start) + " --yes"));
    }
    const std::string owed = owed_text(run);
    wiring.err().write(fmt::format("run {} of flow {}{}roll it back? [y/N] ", run.id, run.start.flow,
                                   owed.empty() ? " did nothing that can be undone; it would end as rolled back\n"
                                                : ": to be undone, in this order:\n" + owed));
    std::string answer;
    std::getline(std::cin, answer);
    if (answer == "y" || answer == "Y" || answer == "yes") return {};
    return refuse(RefusalKind::kCancelled, "nothing was changed");
  }

  std::string id_;
  bool yes_ = false;
  std::vector<std::string> inputs_;
};

}  // namespace

std::unique_ptr<Verb> make_rollback() { return std::make_unique<Rollback>(); }

}  // namespace canorun::cli
