#include "cli/report.h"

#include <fmt/format.h>

#include "cli/secret_inputs.h"
#include "engine/base/duration.h"
#include "engine/model/error.h"

namespace canorun::cli {
namespace {

using store::Status;

// Whether a command of the state may have written something that is worth a look.
bool wrote_logs(const model::RunError& error) {
  return error.kind == model::kind::kExit || error.kind == model::kind::kSignal || error.kind == model::kind::kTimeout;
}

std::string headline(const run::RunState& run, Status status, const model::RunError& error, const Style& style) {
  if (status == Status::kCancelled) return style.warning("cancelled:") + " " + printable(error.message);
  if (run.exited) return style.error("error:") + fmt::format(" the run reached the failure exit '{}'", run.state);
  return style.error("error:") + " " + printable(error.message);
}

std::string place(const model::RunError& error, std::uint64_t visits) {
  std::string out = "state " + error.state;
  if (visits > 1) out += fmt::format(", visit {}", visits);
  if (error.attempts > 0) out += fmt::format(", attempt {}", error.attempts);
  if (error.exit_code) out += fmt::format(", exit code {}", *error.exit_code);
  return out;
}

std::string rolled_back(Status status) {
  return status == Status::kFailed || status == Status::kCancelled ? "  rolled back: nothing, as no state asks for it\n"
                                                                   : "";
}

}  // namespace

std::vector<NextCommand> next_commands(const run::RunState& run, Status status, const CommandText& command) {
  const auto error = model::RunError::from_json(run.error);
  std::vector<NextCommand> next;
  if (!command) return next;
  const std::string resume = "resume " + run.id + again_options(run.start);
  const auto add = [&](const std::string& words, std::string why) { next.push_back({command(words), std::move(why)}); };
  switch (status) {
    case Status::kFailed:
      if (!run.exited) add(resume, error.state.empty() ? "tries again" : "tries again from " + error.state);
      if (!error.run.empty()) {
        add("show " + error.run, "what the child run did");
      } else if (wrote_logs(error)) {
        add("logs " + run.id + " " + error.state, "all that it wrote");
      }
      if (run.exited) add("show " + run.id, "what led there");
      break;
    case Status::kSuspended:
    case Status::kInterrupted:
    case Status::kRollbackIncomplete: add(resume, run.current ? "goes on at " + run.current_state() : "goes on"); break;
    case Status::kWaiting:
      if (run.waits_for && !run.waits_for->signal.empty()) {
        const std::string& to = run.waits_for->run.empty() ? run.id : run.waits_for->run;
        add(fmt::format("signal {} {}", to, run.waits_for->signal), "what it waits for");
      }
      add("resume --due", "goes on with all runs whose time or signal has come");
      break;
    case Status::kRunning:
    case Status::kQueued:
      add("logs " + run.id + " --follow", "what it writes");
      add("cancel " + run.id, "ends it");
      break;
    case Status::kSucceeded:
    case Status::kRolledBack:
    case Status::kCancelled: break;
  }
  return next;
}

std::string tail_text(std::string_view kind, std::string_view tail, const Style& style) {
  if (tail.empty()) return {};
  std::string out = kind == model::kind::kHttpStatus ? "  the server said:\n" : "  the last it wrote to stderr:\n";
  while (tail.ends_with('\n')) tail.remove_suffix(1);
  for (bool more = true; more;) {
    const auto end = tail.find('\n');
    more = end != std::string_view::npos;
    out += "    " + style.dim("|") + " " + printable(tail.substr(0, end)) + "\n";
    if (more) tail.remove_prefix(end + 1);
  }
  return out;
}

std::string failure_report(const run::RunState& run, Status status, const CommandText& command, const Style& style) {
  std::string out;
  if (status == Status::kFailed || status == Status::kCancelled || status == Status::kRolledBack ||
      status == Status::kRollbackIncomplete) {
    const auto error = model::RunError::from_json(run.error);
    out += headline(run, status, error, style) + "\n";
    if (!error.state.empty()) {
      const run::StateRecord* record = run.find(error.state);
      out += "  where: " + place(error, record != nullptr ? record->visits : 0) + "\n";
      if (record != nullptr) out += tail_text(error.kind, record->stderr_tail, style);
    }
    out += rolled_back(status);
  }
  Table table;
  for (const NextCommand& next : next_commands(run, status, command)) {
    table.row({{next.command, style.bold(next.command)}, {"# " + next.why, style.dim("# " + next.why)}});
  }
  if (!table.empty()) out += "next:\n" + table.text("  ");
  return out;
}

std::string outcome(const run::RunState& run, Status status, WallTime now) {
  const WallTime end = run.ended_at.value_or(status == Status::kRunning ? now : run.last_row);
  const std::string took = human_duration(std::max(Millis{0}, end - run.started_at));
  return fmt::format("{} {} {}", status_name(status), run.ended_at ? "in" : "after", took);
}

}  // namespace canorun::cli
