// How a run that no process works on is ended: cancelled, or rolled back.
#pragma once

#include <string>

#include "cli/refusal.h"
#include "cli/secret_inputs.h"
#include "cli/wiring.h"
#include "engine/run/run.h"

namespace canorun::cli {

/// A claimed run, which is let go of unless it is handed on to the engine.
class Claim {
 public:
  Claim(store::CheckpointStore& store, store::RunRecord record) : store_(store), record_(std::move(record)) {}
  Claim(const Claim&) = delete;
  Claim& operator=(const Claim&) = delete;
  ~Claim() {
    if (held_) (void)store_.release(record_.number);
  }

  const store::RunRecord& record() const { return record_; }
  store::RunRecord hand_on() {
    held_ = false;
    return std::move(record_);
  }

 private:
  store::CheckpointStore& store_;
  store::RunRecord record_;
  bool held_ = true;
};

/// `how`: `is over: succeeded`.
std::unexpected<Refusal> refuse_over(const Wiring& wiring, const std::string& id, const std::string& how);
/// Of a run that has its outcome, and has not ended.
std::unexpected<Refusal> refuse_before_the_end(const Wiring& wiring, const run::RunState& run);

struct HowToEnd {
  run::Ending how = run::Ending::kCancel;
  std::string verb;
  std::string reason;
  Texts texts = {};  ///< of secret inputs
};

/// Ends the run as run::end does, with signals and progress as of any work. Refuses where its flow, or a secret input,
/// is needed for that and not at hand: then nothing has changed. `run` is what was claimed.
OrRefusal<run::Finished> end_run(Wiring& wiring, store::CheckpointStore& store, Claim& claim, const run::RunState& run,
                                 const HowToEnd& what);

}  // namespace canorun::cli
