// One run while a process works on it: what the shapes, the attempts and the loop share.
#pragma once

#include <memory>
#include <set>

#include "engine/model/flow.h"
#include "engine/run/bell.h"
#include "engine/run/children.h"
#include "engine/run/end_orphans.h"
#include "engine/run/journal.h"
#include "engine/run/masking.h"
#include "engine/run/requests.h"
#include "engine/run/rest.h"
#include "engine/run/run.h"
#include "engine/run/run_state.h"
#include "engine/run/runtime.h"
#include "engine/run/scope.h"
#include "engine/run/secrets.h"

namespace canorun::run {

/// Removes what a process that was killed left of a run's temporary folder.
void remove_scratch_folder(std::string_view nonce);

/// Lives on the loop's coroutine frame; what refers into it does not outlive the run. Event-loop
/// thread only.
class RunContext {
 public:
  RunContext(Runtime& runtime, std::shared_ptr<const model::Flow> flow, RunState& run, Interrupt& interrupt,
             const Under& under, Secrets secrets);
  RunContext(const RunContext&) = delete;
  RunContext& operator=(const RunContext&) = delete;
  ~RunContext();

  Runtime& runtime() { return runtime_; }
  const Runtime& runtime() const { return runtime_; }
  const model::Flow& flow() const { return *flow_; }
  RunState& run() { return run_; }
  Interrupt& interrupt() { return interrupt_; }
  const std::shared_ptr<const model::Flow>& shared_flow() const { return flow_; }
  const Under& under() const { return under_; }
  /// 0 of a run that a person began.
  std::size_t depth() const { return depth_; }
  /// With nothing to do but wait, the run is to be let go of.
  bool suspends() const { return under_.parent != nullptr ? under_.suspends : runtime_.suspends; }
  Rest& rest() { return rest_; }
  /// What the shape of the state that is current goes on from when its run is let go of amid its work; null: nothing.
  Json& progress() { return progress_; }
  Children& children() { return children_; }
  /// The store fails what is worked on: the process must let the run go, as soon as nothing of it runs any more.
  void lose(store::StoreError error);
  const std::optional<store::StoreError>& lost() const { return lost_; }
  RequestWatch& requests();
  Leftovers& leftovers() { return under_.parent != nullptr ? under_.parent->leftovers() : leftovers_; }
  StatesView& states() { return states_; }
  /// What hides the run's secrets, and those of the runs above it.
  const Masker& masker() const { return secrets_.masker(); }
  /// Hides them in an outcome or an error, before anything reads it.
  void mask(auto& what) const {
    if (!masker().empty()) run::mask(masker(), what);
  }
  /// Rings when the run may have got a signal.
  Bell& signals() { return signals_; }
  const std::vector<std::pair<std::string, std::string>>& environment() const { return environment_; }
  /// Empty when nothing is kept.
  const std::string& log_folder() const { return log_folder_; }
  /// Where attempts put files that end with them: the log folder; or a temporary one of this process where nothing is
  /// kept, and where there are secrets, which are in no folder of the store, not even when the process is killed.
  Result<std::string> scratch_folder();
  /// What TaskContext::kept_file gives to the work with this key.
  Result<std::string> kept_file(std::string_view key);
  /// Removes what work kept: nothing of it will be done again.
  void drop_kept();

  /// The concurrency group that the run has or waits for; empty: none.
  const std::string& group() const { return group_; }
  void set_group(std::string group) { group_ = std::move(group); }

  /// `run.status` and `run.error` are what the outcome says, from now on.
  void show_outcome();

  /// What every expression of the run sees; the rest is null.
  model::Scope scope() const;
  /// Puts the same into a scope that has something already.
  void fill(model::Scope& scope) const;

  /// Evaluates `env`; a failure fails the run. `taken_up`: an earlier process has worked on it.
  model::Outcome prepare(bool taken_up);
  /// An earlier process has worked on it.
  bool taken_up() const { return taken_up_; }
  /// The visit that is current was begun by an earlier process.
  bool visit_taken_up() const { return run_.current && run_.current->row < rows_before_; }
  /// Why it could not be evaluated: then no action may begin.
  const std::optional<model::RunError>& unprepared() const { return unprepared_; }

  void tell(decltype(model::Event::what) what) {
    model::Event event{run_.id, std::move(what), under_.around, under_.of_part};
    if (masker().empty()) return runtime_.observer.on_event(event);
    tell_masked(masker(), runtime_.observer, std::move(event));
  }

 private:
  void remove_scratch() const;
  Result<std::string> made_log_folder() const;

  Runtime& runtime_;
  std::shared_ptr<const model::Flow> flow_;
  RunState& run_;
  Interrupt& interrupt_;
  const Under& under_;
  Secrets secrets_;
  Json inputs_;  ///< with the secret ones; null: there is none
  std::size_t depth_;
  Bell signals_;
  Rest rest_;
  Children children_;
  std::unique_ptr<RequestWatch> requests_;  ///< none of a child
  Leftovers leftovers_;
  std::optional<model::RunError> unprepared_;
  bool taken_up_ = false;
  std::uint64_t rows_before_ = 0;  ///< of earlier processes
  Json progress_ = nullptr;
  std::string group_;
  std::optional<store::StoreError> lost_;
  StatesView states_;
  Json env_ = Json::object();
  Json about_;  ///< `run`
  std::vector<std::pair<std::string, std::string>> environment_;
  std::string log_folder_;
  std::string scratch_folder_;  ///< a temporary folder of this process, if one was made
  std::set<std::string> kept_;  ///< paths that were given out
};

}  // namespace canorun::run
