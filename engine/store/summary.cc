#include "engine/store/summary.h"

namespace canorun::store {
namespace {

struct Fold {
  Summary& summary;
  WallTime at;

  void operator()(const RunStarted& started) const {
    summary.flow = started.flow;
    summary.version = started.version;
    summary.status = Status::kRunning;
    summary.started_at = at;
    summary.parent = started.parent;
    summary.work = started.work;
  }
  void operator()(const RunQueued&) const {
    summary.status = Status::kQueued;
    summary.ended_at.reset();
    summary.waits_for.reset();
  }
  void operator()(const StateEntered& entered) const {
    summary.status = Status::kRunning;
    summary.state = entered.state;
  }
  void operator()(const OutcomeReached& outcome) const {
    if (!outcome.state.empty()) summary.state = outcome.state;
  }
  void operator()(const RollbackStarted& rollback) const {
    summary.status = Status::kRunning;
    summary.ended_at.reset();
    summary.waits_for.reset();
    if (!rollback.state.empty()) summary.state = rollback.state;
  }
  void operator()(const PartBegan&) const {}
  void operator()(const StateEnded&) const {}
  void operator()(const PartEnded&) const {}
  void operator()(const StepEnded&) const {}
  void operator()(const SignalReceived&) const {}
  void operator()(const RunSuspended& suspended) const {
    summary.status = suspended.waits_for ? Status::kWaiting : Status::kSuspended;
    summary.waits_for = suspended.waits_for;
  }
  void operator()(const WindowEnded&) const {}
  void operator()(const RunResumed& resumed) const {
    if (resumed.version) summary.version = *resumed.version;
    summary.status = Status::kRunning;
    summary.ended_at.reset();
    summary.waits_for.reset();
  }
  void operator()(const RunEnded& ended) const {
    summary.status = ended.status;
    summary.waits_for.reset();
    summary.ended_at = at;
    if (!ended.state.empty()) summary.state = ended.state;
  }
};

}  // namespace

void apply(Summary& summary, const Row& row) {
  std::visit(Fold{summary, row.at}, row.body);
  ++summary.rows;
}

}  // namespace canorun::store
