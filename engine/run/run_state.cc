#include "engine/run/run_state.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/base/ids.h"
#include "engine/store/row_effects.h"

namespace canorun::run {

using store::Status;

std::optional<expr::Value> state_field(std::string_view key, const Json& output, const Json& error,
                                       std::uint64_t visits) {
  if (key == "output") return expr::Value::view(output);
  if (key == "error") return expr::Value::view(error);
  if (key == "visits") return expr::Value::integer(static_cast<std::int64_t>(visits));
  return std::nullopt;
}

std::vector<std::string> state_fields() { return {"error", "output", "visits"}; }

void RunState::expect(std::size_t count) {
  states.reserve(count);
  path.reserve(count);
  index_.reserve(count);
}

const StateRecord* RunState::find(std::string_view name) const {
  const auto found = index_.find(std::string(name));
  return found != index_.end() ? &states[found->second] : nullptr;
}

bool RunState::is_over() const {
  switch (status) {
    case Status::kSucceeded:
    case Status::kRolledBack:
    case Status::kCancelled: return true;
    case Status::kFailed: return exited;
    case Status::kQueued:
    case Status::kRunning:
    case Status::kWaiting:
    case Status::kSuspended:
    case Status::kInterrupted:
    case Status::kRollbackIncomplete: return false;
  }
  return false;
}

std::uint32_t RunState::record(const std::string& name) {
  if (current && states[current->record].name == name) return current->record;  // no need to look it up
  const auto [found, is_new] = index_.try_emplace(name, static_cast<std::uint32_t>(states.size()));
  if (is_new) {
    states.emplace_back();
    states.back().name = name;
  }
  return found->second;
}

Owed& RunState::owe(std::uint64_t visit, const std::string& part) {
  const auto [found, is_new] = owed_now_.try_emplace(part, owed.size());
  if (is_new) owed.push_back({.record = current->record, .visit = visit, .part = part});
  return owed[found->second];
}

// They are undone one after another, from the last: the next is near.
Owed* RunState::find_owed(const store::CompensationEnded& ended) {
  for (std::size_t looked = 0; looked < owed.size(); ++looked) {
    looked_at_ = looked_at_ > 1 ? looked_at_ - 1 : owed.size();
    Owed& it = owed[looked_at_ - 1];
    if (it.visit == ended.visit && it.part == ended.part && states[it.record].name == ended.state) return &it;
  }
  return nullptr;
}

std::size_t RunState::still_owed() const {
  return static_cast<std::size_t>(std::ranges::count(owed, false, &Owed::undone));
}

std::uint32_t RunState::pass(const std::string& name) {
  const std::uint32_t at = record(name);
  path.push_back(at);
  ++transitions;
  state = name;
  return at;
}

// One overload per kind of row: a new kind does not compile until it is folded.
void apply(RunState& run, const store::Row& row) {
  struct Fold {
    RunState& run;
    WallTime at;

    void operator()(const store::RunStarted& started) const {
      run.start = started;
      run.vars = started.vars;
      run.started_at = run.session_began = at;
    }
    void operator()(const store::StateEntered& entered) const {
      if (run.queued) run.session_began = at;
      run.queued = false;
      run.services_up = true;
      for (const std::string& via : entered.via) ++run.states[run.pass(via)].visits;
      const std::uint32_t record = run.pass(entered.state);
      run.states[record].visits = entered.visit;
      run.current = Current{record, entered.visit, run.rows, at, entered.deadline};
      run.owed_now_.clear();
      if (entered.owed) run.owe(entered.visit, {});
    }
    void operator()(const store::StateEnded& ended) const {
      StateRecord& record = run.states[run.record(ended.state)];
      record.ended = true;
      record.attempts = ended.attempts;
      record.output = ended.error.is_null() ? ended.output : Json();
      record.error = ended.error;
      record.stderr_tail = ended.stderr_tail;
      for (const auto& [name, value] : ended.set.items()) run.vars[name] = value;
      if (ended.owed && run.current) run.owe(ended.visit, {}).output = ended.output;
    }
    void operator()(const store::PartBegan& began) const {
      if (run.current) run.owe(began.visit, began.part).item = began.item;
    }
    void operator()(const store::PartEnded& ended) const {
      if (!run.current) return;
      run.current->parts.push_back(
          {ended.part, ended.attempts, ended.duration, ended.output, ended.error, ended.stderr_tail});
      if (!ended.owed) return;
      Owed& owed = run.owe(ended.visit, ended.part);
      owed.output = ended.output;
      owed.item = ended.item;
    }
    void operator()(const store::RollbackStarted& rollback) const {
      if (run.status != Status::kRunning) run.session_began = at;  // a person asked for it
      run.status = Status::kRunning;
      run.ended_at.reset();
      arrive(rollback);
      run.rollback = rollback;
    }
    void operator()(const store::CompensationEnded& ended) const {
      Owed* const owed = run.find_owed(ended);
      if (owed == nullptr) return;
      owed->undone = ended.error.is_null();
      owed->error = ended.error;
      owed->stderr_tail = ended.stderr_tail;
    }
    void operator()(const store::StepEnded& ended) const {
      if (!run.current) return;
      run.current->steps = ended.step + 1;
      run.current->cursor = ended.cursor;
      run.current->last = ended.output;
    }
    void operator()(const store::SignalReceived& received) const {
      if (run.current) run.current->signal = received.data;
    }
    void operator()(const store::WindowEnded& ended) const {
      if (!run.current) return;
      run.current->windows = ended.window + 1;
      run.current->items = ended.items;
      run.current->skipped = ended.skipped;
      run.current->cursor = ended.cursor;
      run.current->end = ended.end;
    }
    void operator()(const store::RunQueued&) const {
      // Of a process that died what it worked counts up to its last row; to wait counts for nothing.
      if (run.status == Status::kRunning && !run.queued) end_session();
      run.queued = true;
      run.status = Status::kRunning;
      run.waits_for.reset();
      run.ended_at.reset();
    }
    void operator()(const store::RunSuspended& suspended) const {
      run.status = suspended.waits_for ? Status::kWaiting : Status::kSuspended;
      run.waits_for = suspended.waits_for;
      if (run.current) run.current->progress = suspended.progress;
      run.services_up = suspended.services_up;
      if (!std::exchange(run.queued, false)) end_session();
    }
    void operator()(const store::RunResumed& resumed) const {
      if (run.failed_at) {
        run.transitions = 0;
        run.worked = Millis{0};
        // What has failed is tried anew, and its state's deadline starts anew, like the budgets.
        if (run.current) {
          run.current->entered_at = at;
          run.current->skipped = 0;
          run.current->progress = nullptr;
          run.current->failed_at = run.failed_at;
          std::erase_if(run.current->parts, [](const EndedPart& part) { return !part.error.is_null(); });
        }
      } else if (run.status == Status::kRunning && !run.queued) {
        end_session();  // the process died: what it worked counts up to its last row
      }
      run.status = Status::kRunning;
      run.queued = false;
      run.services_up = true;
      if (!run.outcome) {
        for (Owed& owed : run.owed) owed.error = nullptr;  // it is tried again
      }
      run.failed_at.reset();
      run.waits_for.reset();
      if (resumed.by_hand && run.outcome) {
        run.outcome.reset();
        run.exited = false;
        run.output = nullptr;
      }
      if (!run.outcome && !run.rollback) run.error = nullptr;
      run.ended_at.reset();
      run.session_began = at;
      ++run.resumes;
      if (resumed.version) run.start.version = *resumed.version;
      if (!resumed.inputs.is_null()) run.start.inputs.update(resumed.inputs);
      if (!resumed.vars.is_null()) run.vars.update(resumed.vars);
      if (resumed.digest) {
        run.start.digest = *resumed.digest;
        run.start.flows = resumed.flows;
      }
      if (resumed.file) run.start.file = *resumed.file;
      if (resumed.folder) run.start.folder = *resumed.folder;
    }
    void operator()(const store::OutcomeReached& outcome) const {
      arrive(outcome);
      run.outcome = outcome;
      run.outcome_row = run.rows;
    }
    void operator()(const store::RunEnded& ended) const {
      arrive(ended);
      run.outcome.reset();
      const Status before = std::exchange(run.status, ended.status);
      run.ended_at = at;
      if (ended.status == Status::kFailed) run.failed_at = at;
      run.services_up = false;
      if (!std::exchange(run.queued, false) && before == Status::kRunning) end_session();
    }
    // At the exit state, or at the failure.
    void arrive(const store::RunEnded& ended) const {
      for (const std::string& via : ended.via) ++run.states[run.pass(via)].visits;
      if (ended.entered) {
        ++run.states[run.pass(ended.state)].visits;
        run.exited = true;
        run.current.reset();
      }
      if (!ended.state.empty()) run.state = ended.state;
      run.waits_for.reset();
      run.output = ended.output;
      run.error = ended.error;
      run.stderr_tail = ended.stderr_tail;
    }
    void end_session() const {
      const WallTime until = run.status == Status::kRunning ? run.last_row : at;
      run.worked += std::max(Millis{0}, until - run.session_began);
    }
  };
  std::visit(Fold{run, row.at}, row.body);
  run.last_row = row.at;
  ++run.rows;
  const auto* window = std::get_if<store::WindowEnded>(&row.body);
  run.replaceable = window != nullptr ? window->replaces + 1 : 0;
}

RunState replay(std::string id, const std::vector<store::Row>& rows) {
  RunState run;
  run.id = std::move(id);
  for (const store::Row& row : rows) {
    run.rows += store::gap_before(row);
    apply(run, row);
  }
  return run;
}

std::string work_key(const RunState& run, std::string_view state, std::uint64_t visit, std::string_view part) {
  return idempotency_key(
      run.start.nonce, part.empty() ? fmt::format("{}/{}", state, visit) : fmt::format("{}/{}/{}", state, visit, part));
}

}  // namespace canorun::run
