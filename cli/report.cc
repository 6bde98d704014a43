#include "cli/report.h"

#include <fmt/format.h>

#include "cli/secret_inputs.h"
#include "engine/base/duration.h"
#include "engine/base/ids.h"
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
  if (status == Status::kRolledBack && error.kind == model::kind::kCancelled)
    return style.warning(printable(error.message));
  if (run.exited && run.rollback && !run.rollback->entered) {
    return style.warning("rolled back") + fmt::format(" after the failure exit '{}'", run.state);
  }
  if (run.exited) {
    const bool rolls_back = status == Status::kRolledBack || status == Status::kRollbackIncomplete;
    return style.error("error:") +
           (run.rollback && !error.message.empty()
                ? " " + printable(error.message)
                : fmt::format(" the run reached the {} exit '{}'", rolls_back ? "rollback" : "failure", run.state));
  }
  return style.error("error:") + " " + printable(error.message);
}

std::string place(const model::RunError& error, std::uint64_t visits) {
  std::string out = "state " + error.state + visit_note(visits);
  if (error.attempts > 0) out += fmt::format(", attempt {}", error.attempts);
  if (error.exit_code) out += fmt::format(", exit code {}", *error.exit_code);
  return out;
}

constexpr std::size_t kMostUndone = 20;
constexpr std::size_t kUndoneMessage = 200;

// `ship`, `ship, visit 2`, `fan/eu`.
std::string name_of(const run::RunState& run, const run::Owed& owed) {
  return printable(work_name(run.states[owed.record].name, owed.part) + visit_note(owed.visit));
}

// Those of what is owed for which `is_meant`, the last first, each as a line, behind a label.
std::string lines(const run::RunState& run, const auto& is_meant, const auto& line) {
  std::string out;
  std::size_t count = 0;
  for (auto it = run.owed.rbegin(); it != run.owed.rend(); ++it) {
    if (is_meant(*it) && ++count <= kMostUndone) out += "    " + line(*it) + "\n";
  }
  if (count > kMostUndone) out += fmt::format("    and {} more\n", count - kMostUndone);
  return out;
}

// Text of whole lines, below a line that is indented itself.
std::string indented(const std::string& text) {
  std::string out;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = text.find('\n', begin) + 1;
    out += "    " + text.substr(begin, end - begin);
    begin = end;
  }
  return out;
}

// What became of the rollback, one by one.
std::string rollback_text(const run::RunState& run, Status status, const Style& style) {
  if (!run.rollback) {
    if (run.still_owed() > 0 && status == Status::kFailed) {
      return fmt::format("  rolled back: nothing, as the flow does not ask for it; {} can be\n",
                         counted(run.still_owed(), "step"));
    }
    const bool ended = status == Status::kFailed || status == Status::kCancelled || status == Status::kRolledBack;
    const bool none = ended && run.start.flows.empty();  // runs below it may have been
    return none ? "  rolled back: nothing, as nothing was owed\n" : "";
  }
  const auto name = [&](const run::Owed& owed) { return name_of(run, owed); };
  const std::string done = lines(run, [](const run::Owed& owed) { return owed.undone; }, name);
  const auto why = [&](const run::Owed& owed) {
    const auto error = model::RunError::from_json(owed.error);
    std::string text = name(owed) + ": " + one_line(error.message, kUndoneMessage) + "\n";
    text += indented(tail_text(error.kind, owed.stderr_tail, style));
    text.pop_back();
    return text;
  };
  const std::string failed =
      lines(run, [](const run::Owed& owed) { return !owed.undone && !owed.error.is_null(); }, why);
  const std::string left = lines(run, [](const run::Owed& owed) { return !owed.undone && owed.error.is_null(); }, name);
  std::string out;
  if (!done.empty()) out += "  rolled back:\n" + done;
  if (!failed.empty()) out += "  NOT rolled back:\n" + failed;
  if (!left.empty()) out += "  still to be rolled back:\n" + left;
  if (status == Status::kRollbackIncomplete && run.still_owed() == 0) {
    out += "  NOT rolled back: what runs below it did; they are listed by 'show'\n";
  }
  return out;
}

}  // namespace

std::vector<NextCommand> next_commands(const run::RunState& run, Status status, const CommandText& command) {
  const auto error = model::RunError::from_json(run.error);
  std::vector<NextCommand> next;
  if (!command) return next;
  const std::string again = again_options(run.start);
  const std::string resume = "resume " + run.id + again;
  const std::string rollback = "rollback " + run.id + again;
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
      if (run.still_owed() > 0) add(rollback, "undoes what it did");
      break;
    case Status::kRollbackIncomplete:
      add(resume, "tries again what is not rolled back");
      if (!run.owed.empty()) add("logs " + run.id, "what the attempts wrote");
      if (run.still_owed() == 0) add("show " + run.id, "the runs below it");
      break;
    case Status::kRolledBack:
      if (wrote_logs(error)) add("logs " + run.id + " " + error.state, "all that it wrote");
      break;
    case Status::kSuspended:
    case Status::kInterrupted:
      if (run.rollback) {
        add(resume, "goes on rolling back");
      } else {
        add(resume, run.current ? "goes on at " + run.current_state() : "goes on");
        if (run.still_owed() > 0) add(rollback, "undoes what it did");
      }
      break;
    case Status::kWaiting:
      if (run.waits_for && !run.waits_for->signal.empty()) {
        const std::string& to = run.waits_for->run.empty() ? run.id : run.waits_for->run;
        add(fmt::format("signal {} {}", to, run.waits_for->signal), "what it waits for");
      }
      if (again.empty()) {
        add("resume --due", "goes on with all runs whose time or signal has come");
      } else {
        add(resume, "goes on with it, with the secrets that are not kept");
      }
      break;
    case Status::kRunning:
    case Status::kQueued:
      add("logs " + run.id + " --follow", "what it writes");
      add("cancel " + run.id, "ends it");
      break;
    case Status::kSucceeded:
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

std::string owed_text(const run::RunState& run) {
  return lines(
      run, [](const run::Owed& owed) { return !owed.undone; },
      [&](const run::Owed& owed) { return name_of(run, owed); });
}

std::string failure_report(const run::RunState& run, Status status, const CommandText& command, const Style& style) {
  std::string out;
  if (store::has_ended(status) && status != Status::kSucceeded) {
    const auto error = model::RunError::from_json(run.error);
    out += headline(run, status, error, style) + "\n";
    if (!error.state.empty()) {
      const run::StateRecord* record = run.find(error.state);
      out += "  where: " + place(error, record != nullptr ? record->visits : 0) + "\n";
      out += tail_text(error.kind, record != nullptr ? record->stderr_tail : run.stderr_tail, style);
    }
  }
  if (run.ended_at || run.rollback) out += rollback_text(run, status, style);
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
