// The JSON shapes of a run and of its rows (cli.md).
#include <charconv>

#include "engine/base/masker.h"
#include "engine/run/run_state.h"

namespace canorun::run {
namespace {

Json time_or_null(const std::optional<WallTime>& time) { return time ? Json(format_time(*time)) : Json(); }

Json index_of(const std::string& part) {
  std::uint64_t index = 0;
  const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), index);
  return error == std::errc{} && end == part.data() + part.size() ? Json(index) : Json(part);
}

// One overload per kind of row, as in `apply`.
class RowToJson {
 public:
  explicit RowToJson(Json& to) : out(to) {}

  void operator()(const store::RunStarted& row) const {
    out["flow"] = row.flow;
    out["version"] = row.version;
    out["digest"] = row.digest;
    out["file"] = row.file;
    out["folder"] = row.folder;
    out["inputs"] = shown_inputs(row);
    out["vars"] = row.vars;
    if (!row.parent.empty()) out["parent"] = row.parent;
  }
  void operator()(const store::StateEntered& row) const {
    out["state"] = row.state;
    out["visit"] = row.visit;
    if (!row.via.empty()) out["via"] = row.via;
    if (row.deadline) out["deadline"] = format_time(*row.deadline);
    if (row.owed) out["owed"] = true;
  }
  void operator()(const store::StateEnded& row) const {
    ended(row);
    if (!row.set.empty()) out["set"] = row.set;
  }
  void operator()(const store::BranchEnded& row) const {
    ended(row);
    out["branch"] = row.part;
  }
  void operator()(const store::ItemEnded& row) const {
    ended(row);
    out["index"] = index_of(row.part);
  }
  void operator()(const store::CompensationEnded& row) const {
    ended(row);
    if (!row.part.empty()) out["part"] = index_of(row.part);
  }
  void operator()(const store::PartBegan& row) const {
    out["state"] = row.state;
    out["visit"] = row.visit;
    out["part"] = index_of(row.part);
  }
  void operator()(const store::StepEnded& row) const {
    work(row);
    out["step"] = row.step;
    out["cursor"] = row.cursor;
    out["output"] = row.output;
  }
  void operator()(const store::SignalReceived& row) const {
    out["state"] = row.state;
    out["visit"] = row.visit;
    out["signal"] = row.signal;
    out["data"] = row.data;
  }
  void operator()(const store::RunSuspended& row) const {
    out["reason"] = row.reason;
    if (row.waits_for) out["waits_for"] = to_json(*row.waits_for);
    if (row.services_up) out["services_up"] = true;
  }
  void operator()(const store::WindowEnded& row) const {
    work(row);
    out["window"] = row.window;
    out["items"] = row.items;
    out["skipped"] = row.skipped;
    out["cursor"] = row.cursor;
    if (row.end != store::StreamEnd::kNone) out["reason"] = stream_end_name(row.end);
  }
  void operator()(const store::RunResumed& row) const {
    out["state"] = row.state.empty() ? Json() : Json(row.state);
    out["by_hand"] = row.by_hand;
    if (row.digest) out["digest"] = *row.digest;
    if (row.file) out["file"] = *row.file;
    if (row.version) out["version"] = *row.version;
    if (!row.inputs.is_null()) out["inputs"] = row.inputs;
    if (!row.vars.is_null()) out["set"] = row.vars;
  }
  void operator()(const store::RunQueued& row) const { out["group"] = row.group; }
  void operator()(const store::RunEnded& row) const {
    out["status"] = status_name(row.status);
    out["state"] = row.state;
    if (!row.via.empty()) out["via"] = row.via;
    out["output"] = row.output;
    out["error"] = row.error;
  }

 private:
  // What every row says of work that was done in a visit.
  void work(const auto& row) const {
    out["state"] = row.state;
    out["visit"] = row.visit;
    out["attempts"] = row.attempts;
    out["duration_ms"] = row.duration.count();
  }
  // Either way.
  void ended(const auto& row) const {
    work(row);
    out["output"] = row.output;
    out["error"] = row.error;
    if (row.owed) out["owed"] = true;
  }

  Json& out;
};

}  // namespace

Json shown_inputs(const store::RunStarted& start) {
  Json inputs = start.inputs;
  for (const auto& [name, source] : start.secrets) inputs[name] = kMasked;
  return inputs;
}

Json to_json(const store::WaitsFor& waits) {
  Json out{{"until", time_or_null(waits.until)}, {"signal", waits.signal.empty() ? Json() : Json(waits.signal)}};
  if (!waits.run.empty()) out["run"] = waits.run;
  return out;
}

std::string_view stream_end_name(store::StreamEnd end) {
  return end == store::StreamEnd::kStopped ? "stopped" : "exhausted";
}

Json to_json(const store::Row& row, std::uint64_t sequence) {
  Json out = {{"seq", sequence}, {"at", format_time(row.at)}, {"type", store::type_name(row)}};
  std::visit(RowToJson{out}, row.body);
  return out;
}

namespace {

// What became of all that was owed, in the order in which it is undone.
Json compensations(const RunState& run) {
  Json out = Json::array();
  if (!run.rollback) return out;
  for (auto it = run.owed.rbegin(); it != run.owed.rend(); ++it) {
    Json one{{"state", run.states[it->record].name}, {"visit", it->visit}};
    if (!it->part.empty()) one["part"] = index_of(it->part);
    one["status"] = it->undone ? "done" : it->error.is_null() ? "pending" : "failed";
    if (!it->error.is_null()) one["error"] = it->error;
    out.push_back(std::move(one));
  }
  return out;
}

}  // namespace

Json to_json(const RunState& run, store::Status status) {
  Json path = Json::array();
  for (const std::uint32_t at : run.path) path.push_back(run.states[at].name);
  Json states = Json::object();
  for (const StateRecord& record : run.states) {
    Json& state = states[record.name];
    state = {{"visits", record.visits}, {"attempts", record.attempts}, {"output", record.output}};
    if (!record.error.is_null()) state["error"] = record.error;
  }
  Json out{{"id", run.id},
           {"flow", run.start.flow},
           {"version", run.start.version},
           {"parent", run.start.parent.empty() ? Json() : Json(run.start.parent)},
           {"status", store::status_name(status)},
           {"state", run.state.empty() ? Json() : Json(run.state)},
           {"path", std::move(path)},
           {"inputs", shown_inputs(run.start)},
           {"vars", run.vars},
           {"states", std::move(states)},
           {"output", run.output},
           {"error", run.error},
           {"compensations", compensations(run)},
           {"started_at", format_time(run.started_at)},
           {"ended_at", time_or_null(run.ended_at)}};
  if (run.waits_for) out["waits_for"] = to_json(*run.waits_for);
  return out;
}

}  // namespace canorun::run
