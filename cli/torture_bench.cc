#include "cli/torture_bench.h"

#include <fmt/format.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "cli/folder_copy.h"
#include "cli/text.h"
#include "engine/base/ids.h"
#include "engine/store/lmdb_store.h"
#include "engine/store/row_effects.h"

namespace canorun::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMostBytes = std::uint64_t{256} << 20;
constexpr std::size_t kMostEntries = 10'000;

// The nearest folder that holds all flows.
fs::path common_folder(const model::Flow& flow) {
  fs::path common = flow.folder;
  for (const model::Flow* below : flow.descendants) {
    while (!is_within(below->file, common) && common.has_relative_path()) common = common.parent_path();
  }
  return common;
}

std::string row_name(const store::Row& row) {
  const Json json = run::to_json(row, 0);
  std::string name(store::type_name(row));
  if (!json.contains("state") || !json["state"].is_string()) return name;
  std::string part;
  for (const char* key : {"branch", "index", "part", "step"}) {
    if (json.contains(key)) part = to_text(json[key]);
  }
  return name + " " + work_name(json["state"].get<std::string>(), part);
}

std::vector<std::string> row_names(const std::vector<store::Row>& rows) {
  std::vector<std::string> names;
  for (const store::Row& row : rows) {
    names.resize(names.size() + store::gap_before(row));
    names.push_back(row_name(row));
  }
  return names;
}

Step step_of(const run::RunState& run) {
  if (run.outcome) return {Step::Kind::kAfterwards};
  if (run.rollback) {
    const auto owed = std::find_if(run.owed.rbegin(), run.owed.rend(), [](const auto& one) { return !one.undone; });
    if (owed == run.owed.rend()) return {Step::Kind::kAfterwards};
    return {Step::Kind::kUndoing, work_name(run.states[owed->record].name, owed->part)};
  }
  if (!run.current) return {Step::Kind::kStart};
  return {Step::Kind::kWork, run.current_state()};
}

// Down to the child that was cut off, if one was.
store::StoreResult<Step> cut_off_step(const store::CheckpointStore& store, const run::RunState& run) {
  Step step = step_of(run);
  const auto children = store.list({.status = store::Status::kInterrupted, .parent = run.id});
  if (!children) return std::unexpected(children.error());
  if (children->empty()) return step;
  const auto child = store.load(children->front().id);
  if (!child) return std::unexpected(child.error());
  auto below = cut_off_step(store, run::replay(children->front().id, child->rows));
  if (!below) return below;
  step.kind = below->kind == Step::Kind::kUndoing ? below->kind : step.kind;
  if (!below->name.empty()) step.name += " > " + below->name;
  return step;
}

bool sets_services_up(const model::Flow& flow) {
  const auto does = [](const model::Flow& one) {
    return std::ranges::any_of(one.services, [](const model::Service& service) { return service.setup.has_value(); });
  };
  return does(flow) || std::ranges::any_of(flow.descendants, [&](const model::Flow* below) { return does(*below); });
}

std::unexpected<Refusal> no_scratch(const fs::path& path, int error) {
  return refuse(RefusalKind::kUsage,
                fmt::format("cannot make a scratch folder {}: {}", to_utf8(path.native()), std::strerror(error)),
                "name another place for it with TMPDIR");
}

}  // namespace

OrRefusal<std::unique_ptr<TortureBench>> TortureBench::make(Setting setting, StopSignals& stop) {
  std::unique_ptr<TortureBench> bench(new TortureBench(std::move(setting), stop));
  if (auto made = bench->set_up(); !made) return std::unexpected(made.error());
  return bench;
}

// The copies are made of a copy: the original may change while they are made.
OrRefusal<void> TortureBench::set_up() {
  original_ = common_folder(setting_.flow);
  std::error_code error;
  const fs::path parent = fs::temp_directory_path(error);
  if (error) return no_scratch("in TMPDIR", error.value());
  std::string name = (parent / "canorun-torture-XXXXXX").native();
  const std::string folder = to_utf8(original_.native());
  if (is_within(fs::weakly_canonical(parent, error), fs::weakly_canonical(original_, error))) {
    return refuse(RefusalKind::kUsage, fmt::format("the scratch folder would be inside of {}, which is copied", folder),
                  "put the flow and the files that it needs into a folder of their own");
  }
  if (::mkdtemp(name.data()) == nullptr) return no_scratch(parent, errno);
  scratch_ = name;
  const CopyRule rule{.most_bytes = kMostBytes, .most_entries = kMostEntries, .leave_out = setting_.leave_out};
  const auto copied = copy_folder(original_, scratch_ / "original", rule);
  if (copied) return {};
  return refuse(RefusalKind::kUsage, fmt::format("cannot copy {} for every run: {}", folder, copied.error().message),
                "put the flow and the files that it needs into a folder of their own");
}

TortureBench::~TortureBench() {
  if (scratch_.empty()) return;
  end_processes_with(scratch_.native());
  remove_folder(scratch_);
}

fs::path TortureBench::placed(const fs::path& path) const {
  return (scratch_ / "copy" / path.lexically_relative(original_)).lexically_normal();
}

OrRefusal<void> TortureBench::begin_anew() {
  end_processes_with(scratch_.native());
  for (const char* name : {"copy", "store", "tmp"}) remove_folder(scratch_ / name);
  const CopyRule rule{.from = original_, .to = scratch_ / "copy"};
  const auto copied = copy_folder(scratch_ / "original", scratch_ / "copy", rule);
  if (!copied) return refuse(RefusalKind::kFault, copied.error().message);
  std::error_code error;
  if (!fs::create_directory(scratch_ / "tmp", error)) return no_scratch(scratch_ / "tmp", error.value());
  return {};
}

OrRefusal<SelfEnded> TortureBench::work(const How& how) {
  SelfCommand command{.arguments = {"run", placed(setting_.flow.file).native(), "--id", std::string(kRun),
                                    "--or-resume", "--inputs", "-", "--quiet", "--color", "never"},
                      .environment = process::own_environment(),
                      .folder = placed(setting_.flow.folder).native(),
                      .input = to_json_text(setting_.inputs),
                      .patience = how.patience};
  if (how.suspends) command.arguments.emplace_back("--suspend");
  command.environment.emplace_back("CANORUN_STORE", (scratch_ / "store").native());
  command.environment.emplace_back("TMPDIR", (scratch_ / "tmp").native());
  command.environment.emplace_back("CANORUN_CRASH", how.crash);
  auto ended = run_self(command, stop_);
  if (!ended) return refuse(RefusalKind::kFault, ended.error().message, ended.error().hint);
  return std::move(*ended);
}

OrRefusal<Seen> TortureBench::look() const {
  Seen seen;
  std::error_code error;
  if (!fs::exists(scratch_ / "store", error)) return seen;
  const auto store = store::LmdbStore::open({.folder = (scratch_ / "store").native()});
  if (!store) return std::unexpected(refusal(store.error()));
  const auto runs = (*store)->list({});
  if (!runs) return std::unexpected(refusal(runs.error()));
  if (runs->empty()) return seen;
  const auto record = (*store)->load(kRun);
  if (!record) return std::unexpected(refusal(record.error()));
  const run::RunState run = run::replay(std::string(kRun), record->rows);
  seen.is_there = true;
  seen.status = record->summary.status;
  seen.waits_for = run.waits_for;
  seen.end = {.status = seen.status, .state = run.state, .output = run.output};
  if (run.error.is_object()) seen.end.error = run.error.value("kind", "");
  if (seen.status != store::Status::kInterrupted) return seen;
  const auto step = cut_off_step(**store, run);
  if (!step) return std::unexpected(refusal(step.error()));
  seen.step = *step;
  seen.step.services = step->kind == Step::Kind::kWork && sets_services_up(setting_.flow);
  return seen;
}

OrRefusal<std::vector<TortureBench::Rows>> TortureBench::rows() const {
  const auto store = store::LmdbStore::open({.folder = (scratch_ / "store").native()});
  if (!store) return std::unexpected(refusal(store.error()));
  const auto runs = (*store)->list({});
  if (!runs) return std::unexpected(refusal(runs.error()));
  std::vector<Rows> all;
  for (const store::Summary& one : *runs) {
    const auto record = (*store)->load(one.id);
    if (!record) return std::unexpected(refusal(record.error()));
    all.push_back({one.id, row_names(record->rows)});
  }
  std::ranges::sort(all, {}, &Rows::run);
  return all;
}

Content TortureBench::files() const {
  const fs::path folder = placed(setting_.flow.folder);
  if (setting_.compare.empty()) return read_content(scratch_ / "copy", ".");
  Content all;
  for (const std::string& name : setting_.compare) all.merge(read_content((folder / name).lexically_normal(), name));
  return all;
}

std::optional<std::string> TortureBench::missing() const {
  std::error_code ignored;
  for (const std::string& name : setting_.compare) {
    if (!fs::exists(fs::symlink_status(placed(setting_.flow.folder) / name, ignored))) return name;
  }
  return std::nullopt;
}

}  // namespace canorun::cli
