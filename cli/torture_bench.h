// Where a flow is tortured: a scratch folder with a store, a copy of the flow's folder, and runs in it.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cli/refusal.h"
#include "cli/self.h"
#include "cli/torture_compare.h"
#include "engine/model/flow.h"
#include "engine/run/run_state.h"

namespace canorun::cli {

/// What a run was at when it was killed.
struct Step {
  enum class Kind : std::uint8_t {
    kNone,        ///< nothing that is recorded: it had not begun, or had ended
    kStart,       ///< what comes before the first state
    kWork,        ///< of a state
    kUndoing,     ///< of a state's work
    kAfterwards,  ///< what comes after its outcome
  };
  Kind kind = Kind::kNone;
  std::string name = {};  ///< of the state; of a child run: `backup > pack`
  bool services = false;  ///< with kWork: services are set up again before it
  auto operator<=>(const Step&) const = default;
};

/// The run in the store, as it is now.
struct Seen {
  bool is_there = false;
  store::Status status = store::Status::kInterrupted;
  std::optional<store::WaitsFor> waits_for = {};
  Step step = {};
  End end = {};  ///< without files
};

class TortureBench {
 public:
  /// The id of the run that is tortured.
  static constexpr std::string_view kRun = "torture";

  struct Setting {
    const model::Flow& flow;
    Json inputs;                                        ///< bound, the secret ones among them
    std::vector<std::string> compare;                   ///< relative to the flow's folder; empty: all of it
    std::vector<std::filesystem::path> leave_out = {};  ///< of the copies; absolute
  };
  /// Refuses where the folder cannot be copied.
  static OrRefusal<std::unique_ptr<TortureBench>> make(Setting setting, StopSignals& stop);
  ~TortureBench();
  TortureBench(const TortureBench&) = delete;
  TortureBench& operator=(const TortureBench&) = delete;

  /// The folder that is copied: the flow's, or one above it that holds the flows that it runs, too.
  const std::filesystem::path& original() const { return original_; }

  /// A new copy and an empty store; nothing of the last ones is left.
  OrRefusal<void> begin_anew();

  struct How {
    std::string crash = {};  ///< as in CANORUN_CRASH
    std::optional<Millis> patience = {};
    bool suspends = false;
  };
  /// Starts the run, or goes on with the one that is there.
  OrRefusal<SelfEnded> work(const How& how);

  OrRefusal<Seen> look() const;

  struct Rows {
    std::string run;                 ///< its id: kRun, or that of one below
    std::vector<std::string> names;  ///< `state_ended charge`, by number
  };
  /// Of every run that there is now.
  OrRefusal<std::vector<Rows>> rows() const;

  /// What is compared, as it is now.
  Content files() const;
  /// What was to be compared and is not there.
  std::optional<std::string> missing() const;

 private:
  TortureBench(Setting setting, StopSignals& stop) : setting_(std::move(setting)), stop_(stop) {}
  OrRefusal<void> set_up();
  std::filesystem::path placed(const std::filesystem::path& path) const;

  Setting setting_;
  StopSignals& stop_;
  std::filesystem::path original_;
  std::filesystem::path scratch_;
};

}  // namespace canorun::cli
