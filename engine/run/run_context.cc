#include "engine/run/run_context.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "engine/run/attempt_log.h"

namespace canorun::run {

namespace fs = std::filesystem;

RunContext::RunContext(Runtime& runtime, std::shared_ptr<const model::Flow> flow, RunState& run, Interrupt& interrupt,
                       const Under& under)
    : runtime_(runtime),
      flow_(std::move(flow)),
      run_(run),
      interrupt_(interrupt),
      under_(under),
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
}

model::Scope RunContext::scope() const {
  model::Scope scope;
  fill(scope);
  return scope;
}

void RunContext::fill(model::Scope& scope) const {
  slot(scope, model::Slot::kInputs) = expr::Value::view(run_.start.inputs);
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
  if (!log_folder_.empty()) {
    if (auto made = make_log_folder(log_folder_); !made) return std::unexpected(made.error());
    return log_folder_;
  }
  if (scratch_folder_.empty()) {
    std::error_code error;
    const fs::path parent = fs::temp_directory_path(error);
    std::string made = (parent / "canorun-XXXXXX").string();
    if (error || ::mkdtemp(made.data()) == nullptr) {
      const std::string why = error ? error.message() : std::string(std::strerror(errno));
      return fail(fmt::format("cannot make a temporary folder: {}", why),
                  "make room, or name another place with TMPDIR");
    }
    scratch_folder_ = std::move(made);
  }
  return scratch_folder_;
}

Result<std::string> RunContext::kept_file(std::string_view key) {
  auto folder = scratch_folder();
  if (!folder) return folder;
  std::string path = fmt::format("{}/{}.kept", *folder, key);
  kept_.insert(path);
  return path;
}

void RunContext::drop_kept() {
  for (const std::string& path : std::exchange(kept_, {})) ::unlink(path.c_str());
}

model::Outcome RunContext::prepare() {
  if (run_.resumes > 0) remove_scratch();
  model::Scope names = scope();
  model::Outcome outcome = evaluate_env(*flow_, names);
  if (auto* success = std::get_if<model::Success>(&outcome)) {
    env_ = std::move(success->output);
    for (const auto& [name, value] : env_.items()) environment_.emplace_back(name, to_text(value));
  }
  return outcome;
}

// A process that was killed could not remove the files of its attempts.
void RunContext::remove_scratch() const {
  std::error_code error;
  for (fs::directory_iterator it(log_folder_, error), end; !error && it != end; it.increment(error)) {
    std::error_code ignored;
    if (it->path().extension() == ".scratch") fs::remove(it->path(), ignored);
  }
}

}  // namespace canorun::run
