#include "cli/view_list.h"

#include "cli/view_run.h"
#include "engine/base/duration.h"
#include "engine/run/run_state.h"

namespace canorun::cli {
namespace {

std::string took(const store::Summary& run, WallTime now) {
  if (!run.ended_at && run.status != store::Status::kRunning) return {};
  return human_duration(std::max(Millis{0}, run.ended_at.value_or(now) - run.started_at));
}

}  // namespace

std::string list_text(const std::vector<store::Summary>& runs, WallTime now, const Style& style) {
  Table table;
  std::vector<Table::Cell> head;
  for (const char* title : {"ID", "STATUS", "STATE", "STARTED", "TIME"}) head.push_back({title, style.dim(title)});
  head.back().right = true;
  // Only where there is something to say.
  head.emplace_back();
  table.row(std::move(head));
  for (const store::Summary& run : runs) {
    table.row({{run.id},
               {std::string(status_name(run.status)), painted(run.status, style)},
               {run.state},
               {format_time(run.started_at)},
               {took(run, now), {}, true},
               {run.waits_for ? waits_text(*run.waits_for) : std::string()}});
  }
  return table.text();
}

Json to_json(const store::Summary& run) {
  Json out{{"id", run.id},
           {"flow", run.flow},
           {"version", run.version},
           {"status", status_name(run.status)},
           {"state", run.state.empty() ? Json() : Json(run.state)},
           {"started_at", format_time(run.started_at)},
           {"ended_at", run.ended_at ? Json(format_time(*run.ended_at)) : Json()}};
  if (run.waits_for) out["waits_for"] = run::to_json(*run.waits_for);
  return out;
}

}  // namespace canorun::cli
