#include "cli/view_run.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "engine/base/duration.h"
#include "engine/model/error.h"

namespace canorun::cli {
namespace {

using store::Status;

constexpr std::size_t kValue = 100;
constexpr std::size_t kResult = 80;
constexpr std::size_t kMostVisits = 50;

// One state as the run passed through it.
struct Visit {
  std::string state;
  std::uint64_t number = 0;  ///< 0: a route or an exit, which does no work
  std::string kind = {};     ///< of those
  WallTime entered_at{};
  std::optional<WallTime> deadline = {};
  const store::StateEnded* ended = nullptr;
};

// What says that the run arrived at its end: others may repeat it, without the way there.
const store::RunEnded* end_in(const store::Row& row) {
  if (const auto* outcome = std::get_if<store::OutcomeReached>(&row.body)) return outcome;
  if (const auto* rollback = std::get_if<store::RollbackStarted>(&row.body)) return rollback;
  return std::get_if<store::RunEnded>(&row.body);
}

std::vector<Visit> visits(const std::vector<store::Row>& rows) {
  std::vector<Visit> out;
  const auto pass = [&](const std::vector<std::string>& via) {
    for (const std::string& state : via) out.push_back({.state = state, .kind = "route"});
  };
  for (const store::Row& row : rows) {
    if (const auto* entered = std::get_if<store::StateEntered>(&row.body)) {
      pass(entered->via);
      out.push_back(
          {.state = entered->state, .number = entered->visit, .entered_at = row.at, .deadline = entered->deadline});
    } else if (const auto* ended = std::get_if<store::StateEnded>(&row.body)) {
      if (!out.empty()) out.back().ended = ended;
    } else if (const store::RunEnded* end = end_in(row)) {
      pass(end->via);
      if (end->entered) out.push_back({.state = end->state, .kind = "exit"});
    }
  }
  return out;
}

// What became of a visit: painted, and as plain as it is wide.
Table::Cell result_cell(const Visit& visit, Status status, bool is_last, const Style& style) {
  if (visit.number == 0) return {visit.kind, style.dim(visit.kind)};
  if (visit.ended != nullptr && visit.ended->error.is_null()) return {"ok", style.good("ok")};
  if (visit.ended != nullptr) return {"failed", style.bad("failed")};
  if (!is_last) return {"left", style.dim("left")};  // resumed elsewhere, by hand
  return {std::string(status_name(status)), painted(status, style)};
}

std::string detail(const Visit& visit, Status status, WallTime now) {
  if (visit.ended == nullptr) {
    const bool waits = visit.number > 0 && visit.deadline && (status == Status::kRunning || status == Status::kWaiting);
    return waits && *visit.deadline > now ? fmt::format("until {}", format_time(*visit.deadline)) : std::string();
  }
  if (visit.ended->error.is_null()) return output_summary(visit.ended->output, kResult);
  return one_line(model::RunError::from_json(visit.ended->error).message, kResult);
}

std::string duration_of(const Visit& visit, Status status, WallTime now) {
  if (visit.ended != nullptr) return human_duration(visit.ended->duration);
  if (visit.number == 0 || status != Status::kRunning) return {};
  return human_duration(std::max(Millis{0}, now - visit.entered_at));
}

std::string path_text(const std::vector<Visit>& all, Status status, WallTime now, const Style& style) {
  const std::size_t skipped = all.size() > kMostVisits ? all.size() - kMostVisits : 0;
  Table table;
  const auto head = [&](std::string text, bool right = false) {
    std::string painted_text = style.dim(text);
    return Table::Cell{std::move(text), std::move(painted_text), right};
  };
  table.row({head("STATE"), head("VISIT", true), head("ATTEMPTS", true), head("TIME", true), head("RESULT"), {}});
  for (std::size_t i = skipped; i < all.size(); ++i) {
    const Visit& visit = all[i];
    const bool worked = visit.ended != nullptr && visit.ended->attempts > 0;
    table.row({{visit.state},
               {visit.number > 0 ? std::to_string(visit.number) : "", {}, true},
               {worked ? std::to_string(visit.ended->attempts) : "", {}, true},
               {duration_of(visit, status, now), {}, true},
               result_cell(visit, status, i + 1 == all.size(), style),
               {detail(visit, status, now)}});
  }
  std::string out = "\n" + table.text("  ");
  if (skipped > 0) out += fmt::format("  ({} came before: see its events)\n", skipped);
  return out;
}

std::string queue_text(const InQueue& queued) {
  constexpr std::size_t kShown = 5;
  const std::string group = "for the group " + one_line(queued.group, kValue);
  if (queued.before.empty()) return group;
  return fmt::format("{}, behind {}", group, listed({queued.before.begin(), queued.before.end()}, kShown));
}

std::string header_text(const store::RunRecord& record, const run::RunState& run, WallTime now,
                        const std::optional<InQueue>& queued) {
  const Status status = record.summary.status;
  Table table;
  const auto values = [&](const std::string& label, const Json& all) {
    bool first = true;
    for (const auto& [name, value] : all.items()) {
      table.row({{first ? label : ""}, {name + " = " + brief(value, kValue)}});
      first = false;
    }
  };
  const std::string file = run.start.file.empty() ? std::string() : fmt::format(", {}", printable(run.start.file));
  table.row({{"flow"}, {fmt::format("{} version {}{}", run.start.flow, run.start.version, file)}});
  if (!run.start.parent.empty()) table.row({{"child of"}, {run.start.parent}});
  table.row({{"started"}, {format_time(run.started_at)}});
  if (run.ended_at)
    table.row({{"ended"}, {fmt::format("{}, {}", format_time(*run.ended_at), outcome(run, status, now))}});
  if (run.waits_for) table.row({{"waits"}, {waits_text(*run.waits_for).substr(std::string_view("waits ").size())}});
  if (queued) table.row({{"queued"}, {queue_text(*queued)}});
  if (run.resumes > 0) table.row({{"resumed"}, {counted(run.resumes, "time")}});
  values("inputs", run::shown_inputs(run.start));
  values("vars", run.vars);
  if (!run.output.is_null()) table.row({{"output"}, {brief(run.output, 4 * kValue)}});
  return table.text("  ");
}

}  // namespace

std::string waits_text(const store::WaitsFor& waits) {
  std::string text = "waits";
  if (!waits.signal.empty()) text += " for signal " + printable(waits.signal);
  if (!waits.run.empty()) text += " to " + waits.run;
  if (waits.until) text += (waits.signal.empty() ? " until " : ", at most until ") + format_time(*waits.until);
  return text;
}

std::string painted(Status status, const Style& style) {
  const auto name = status_name(status);
  switch (status) {
    case Status::kSucceeded: return style.good(name);
    case Status::kFailed:
    case Status::kRollbackIncomplete: return style.bad(name);
    case Status::kRolledBack:
    case Status::kCancelled:
    case Status::kSuspended:
    case Status::kInterrupted: return style.pending(name);
    case Status::kQueued:
    case Status::kRunning:
    case Status::kWaiting: return style.bold(name);
  }
  return std::string(name);
}

std::string output_summary(const Json& output, std::size_t most) {
  if (output.is_null() || output.empty()) return {};
  if (!output.is_object()) return brief(output, most);
  for (const char* field : {"json", "lines", "values", "stdout", "body", "value"}) {
    const auto found = output.find(field);
    if (found == output.end() || found->is_null() ||
        (found->is_string() && found->get_ref<const std::string&>().empty()) ||
        (found->is_structured() && found->empty())) {
      continue;
    }
    return found->is_string() ? one_line(found->get_ref<const std::string&>(), most) : brief(*found, most);
  }
  const bool is_command = output.contains("exit_code") && output.contains("stdout");
  return is_command ? std::string() : brief(output, most);
}

std::string run_text(const store::RunRecord& record, WallTime now, const CommandText& command, const Style& style,
                     const std::vector<Listed>& children, const std::optional<InQueue>& queued) {
  const run::RunState run = run::replay(record.summary.id, record.rows);
  const Status status = record.summary.status;
  std::string out = fmt::format("{}  {}\n", style.bold(run.id), painted(status, style));
  out += header_text(record, run, now, queued);
  if (const auto all = visits(record.rows); !all.empty()) out += path_text(all, status, now, style);
  if (!children.empty()) out += "\n" + list_text(children, now, style);
  if (const std::string report = failure_report(run, status, command, style); !report.empty()) out += "\n" + report;
  return out;
}

}  // namespace canorun::cli
