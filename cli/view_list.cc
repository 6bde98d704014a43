#include "cli/view_list.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/view_run.h"
#include "engine/base/duration.h"
#include "engine/run/run_state.h"

namespace canorun::cli {
namespace {

std::string took(const store::Summary& run, WallTime now) {
  if (!run.ended_at && run.status != store::Status::kRunning) return {};
  return human_duration(std::max(Millis{0}, run.ended_at.value_or(now) - run.started_at));
}

class Family {
 public:
  Family(const store::CheckpointStore& store, std::size_t most) : store_(store), most_(most) {}

  store::StoreResult<void> add(const store::Summary& run, std::size_t depth) {
    listed_.push_back({run, depth});
    auto children = store_.list({.parent = run.id});
    if (!children) return std::unexpected(std::move(children.error()));
    std::ranges::reverse(*children);
    std::size_t shown = children->size();
    if (most_ > 0 && shown > most_) {
      std::ranges::stable_partition(
          *children, [](const store::Summary& child) { return child.status != store::Status::kSucceeded; });
      shown = most_;
    }
    for (std::size_t i = 0; i < shown; ++i) {
      if (auto added = add((*children)[i], depth + 1); !added) return added;
    }
    if (shown < children->size()) listed_.push_back({{}, depth + 1, children->size() - shown});
    return {};
  }

  std::vector<Listed> take() { return std::move(listed_); }

 private:
  const store::CheckpointStore& store_;
  std::size_t most_;
  std::vector<Listed> listed_;
};

}  // namespace

store::StoreResult<std::vector<Listed>> with_children(const store::CheckpointStore& store,
                                                      const std::vector<store::Summary>& runs, std::size_t most) {
  Family family(store, most);
  for (const store::Summary& run : runs) {
    if (auto added = family.add(run, 0); !added) return std::unexpected(std::move(added.error()));
  }
  return family.take();
}

std::string list_text(const std::vector<Listed>& runs, WallTime now, const Style& style) {
  Table table;
  std::vector<Table::Cell> head;
  for (const char* title : {"ID", "STATUS", "STATE", "STARTED", "TIME"}) head.push_back({title, style.dim(title)});
  head.back().right = true;
  // Only where there is something to say.
  head.emplace_back();
  table.row(std::move(head));
  for (const auto& [run, depth, more] : runs) {
    const std::string under(2 * depth, ' ');
    if (more > 0) {
      const std::string text = fmt::format("{}({} more)", under, more);
      table.row({{text, style.dim(text)}});
      continue;
    }
    table.row({{under + run.id},
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
           {"parent", run.parent.empty() ? Json() : Json(run.parent)},
           {"status", status_name(run.status)},
           {"state", run.state.empty() ? Json() : Json(run.state)},
           {"started_at", format_time(run.started_at)},
           {"ended_at", run.ended_at ? Json(format_time(*run.ended_at)) : Json()}};
  if (run.waits_for) out["waits_for"] = run::to_json(*run.waits_for);
  return out;
}

}  // namespace canorun::cli
