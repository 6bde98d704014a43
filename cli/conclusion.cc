#include "cli/conclusion.h"

#include <fmt/format.h>

#include "cli/report.h"
#include "cli/run_document.h"
#include "cli/secret_inputs.h"

namespace canorun::cli {

OrRefusal<void> check_finished(const Wiring& wiring, const run::Finished& finished, std::string_view verb) {
  const run::RunState& run = finished.run;
  if (finished.refused) return refuse(RefusalKind::kInvalidInputs, finished.refused->message, finished.refused->hint);
  if (!finished.store_error) return {};
  Refusal lost = refusal(*finished.store_error);
  if (run.rows > 0) {
    lost.message = fmt::format("run '{}' is interrupted, as its store failed: {}", run.id, lost.message);
    const char* when = lost.kind == RefusalKind::kStoreFull ? "make room, then: " : "when the store works again: ";
    lost.hint = when + wiring.command(fmt::format("{} {}{}", verb, run.id, again_options(run.start)));
  }
  return std::unexpected(std::move(lost));
}

OrRefusal<Conclusion> conclude(Wiring& wiring, const store::CheckpointStore& store, const run::Finished& finished,
                               bool kept) {
  if (auto fine = check_finished(wiring, finished, "resume"); !fine) return std::unexpected(std::move(fine.error()));
  const run::RunState& run = finished.run;
  if (finished.skipped) {
    if (!wiring.options().json && !wiring.options().quiet) {
      wiring.out().write(fmt::format("{} skipped: {}\n", run.id, *finished.skipped));
    }
    return Conclusion{ExitCode::kSuccess, Json{{"id", run.id}, {"skipped", *finished.skipped}}};
  }
  if (!wiring.options().json && !wiring.options().quiet) {
    std::string answer = fmt::format("{} {}\n", run.id, outcome(run, run.status, wiring.clock().now()));
    const std::string output = run.output.is_null() ? std::string() : to_text(run.output) + "\n";
    answer += wiring.out().is_terminal() ? printable(output) : output;
    wiring.out().write(answer);
  }
  CommandText command;
  if (kept) command = [&](std::string_view words) { return wiring.command(words); };
  wiring.err().write(failure_report(run, run.status, command, wiring.err_style()));
  if (!wiring.options().json) return Conclusion{exit_code(run.status), {}};
  auto document = run_document(store, run, run.status);
  if (!document) return std::unexpected(std::move(document.error()));
  return Conclusion{exit_code(run.status), std::move(*document)};
}

}  // namespace canorun::cli
