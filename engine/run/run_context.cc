#include "engine/run/run_context.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "engine/run/attempt_log.h"

namespace canorun::run {

namespace fs = std::filesystem;

namespace {

fs::path scratch_path(std::string_view nonce, std::error_code& error) {
  return fs::temp_directory_path(error) / fmt::format("canorun-{}", nonce);
}

bool is_own_folder(const std::string& path) {
  struct stat found{};
  return ::lstat(path.c_str(), &found) == 0 && S_ISDIR(found.st_mode) && found.st_uid == ::geteuid() &&
         (found.st_mode & (S_IRWXG | S_IRWXO)) == 0;
}

// Named so that a later process finds it, by what nobody else knows before it is there.
Result<std::string> make_scratch_folder(std::string_view nonce) {
  std::error_code error;
  std::string path = scratch_path(nonce, error);
  if (!error && ::mkdir(path.c_str(), S_IRWXU) != 0) {
    const int why = errno;
    if (why != EEXIST || !is_own_folder(path)) error.assign(why, std::generic_category());
  }
  if (!error) return path;
  return fail(fmt::format("cannot make a temporary folder: {}", error.message()),
              "make room, or name another place with TMPDIR");
}

}  // namespace

void remove_scratch_folder(std::string_view nonce) {
  std::error_code error;
  const fs::path path = scratch_path(nonce, error);
  if (!error) fs::remove_all(path, error);
}

RunContext::RunContext(Runtime& runtime, std::shared_ptr<const model::Flow> flow, RunState& run, Interrupt& interrupt,
                       const Under& under, Secrets secrets)
    : runtime_(runtime),
      flow_(std::move(flow)),
      run_(run),
      interrupt_(interrupt),
      under_(under),
      secrets_(std::move(secrets)),
      depth_(under_.parent != nullptr ? under_.parent->depth() + 1 : 0),
      signals_(runtime.executor),
      rest_(runtime.executor, interrupt),
      children_(runtime.store, run),
      states_(*flow_, run_),
      about_({{"id", run.id},
              {"flow", flow_->name},
              {"version", flow_->version},
              {"started_at", format_time(run.started_at)}}),
      log_folder_(runtime.store.log_folder(run.id)) {
  normalize(about_);
  run.expect(flow_->states.size());
  if (secrets_.values().empty()) return;
  inputs_ = run.start.inputs;
  inputs_.update(secrets_.values());
}

model::Scope RunContext::scope() const {
  model::Scope scope;
  fill(scope);
  return scope;
}

void RunContext::fill(model::Scope& scope) const {
  slot(scope, model::Slot::kInputs) = expr::Value::view(inputs_.is_null() ? run_.start.inputs : inputs_);
  slot(scope, model::Slot::kVars) = expr::Value::view(run_.vars);
  slot(scope, model::Slot::kEnv) = expr::Value::view(env_);
  slot(scope, model::Slot::kStates) = expr::Value::object(states_);
  slot(scope, model::Slot::kRun) = expr::Value::view(about_);
}

RunContext::~RunContext() {
  std::error_code ignored;
  if (!scratch_folder_.empty()) fs::remove_all(scratch_folder_, ignored);
}

void RunContext::lose(store::StoreError error) {
  if (!lost_) lost_ = std::move(error);
  interrupt_.raise(Reason::kSuspend, "the store failed");
}

RequestWatch& RunContext::requests() {
  if (under_.parent != nullptr) return under_.parent->requests();
  if (!requests_) requests_ = std::make_unique<RequestWatch>(runtime_);
  return *requests_;
}

Result<std::string> RunContext::scratch_folder() {
  if (!log_folder_.empty() && masker().empty()) return made_log_folder();
  if (scratch_folder_.empty()) {
    auto made = make_scratch_folder(run_.start.nonce);
    if (!made) return made;
    scratch_folder_ = std::move(*made);
  }
  return scratch_folder_;
}

Result<std::string> RunContext::made_log_folder() const {
  if (auto made = make_log_folder(log_folder_); !made) return std::unexpected(made.error());
  return log_folder_;
}

Result<std::string> RunContext::kept_file(std::string_view key) {
  // It is there for later processes, where anything of the run is.
  auto folder = log_folder_.empty() ? scratch_folder() : made_log_folder();
  if (!folder) return folder;
  std::string path = fmt::format("{}/{}.kept", *folder, key);
  kept_.insert(path);
  return path;
}

void RunContext::drop_kept() {
  for (const std::string& path : std::exchange(kept_, {})) ::unlink(path.c_str());
}

void RunContext::show_outcome() {
  about_["status"] = store::status_name(run_.outcome->status);
  about_["error"] = run_.outcome->error;
}

model::Outcome RunContext::prepare(bool taken_up) {
  taken_up_ = taken_up;
  if (taken_up) rows_before_ = run_.rows;
  if (taken_up) {
    remove_scratch();
    children_.expect_earlier();
  }
  model::Scope names = scope();
  model::Outcome outcome = evaluate_env(*flow_, names);
  if (auto* success = std::get_if<model::Success>(&outcome)) {
    env_ = std::move(success->output);
    for (const auto& [name, value] : env_.items()) environment_.emplace_back(name, to_text(value));
  } else {
    mask(outcome);
    unprepared_ = std::get<model::Failure>(outcome).error;
  }
  return outcome;
}

// A process that was killed could not remove the files of its attempts.
void RunContext::remove_scratch() const {
  remove_scratch_folder(run_.start.nonce);
  std::error_code error;
  for (fs::directory_iterator it(log_folder_, error), end; !error && it != end; it.increment(error)) {
    std::error_code ignored;
    if (it->path().extension() == ".scratch") fs::remove(it->path(), ignored);
  }
}

}  // namespace canorun::run
