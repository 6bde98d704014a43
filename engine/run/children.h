// The child runs of one run.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/model/outcome.h"
#include "engine/run/interrupt.h"
#include "engine/run/runtime.h"

namespace canorun::model {
struct Flow;
}

namespace canorun::run {

class ActionView;
class Leftovers;
class RunContext;
struct Piece;
struct RunState;

/// What one run knows of its children. Event-loop thread only.
class Children {
 public:
  Children(const store::CheckpointStore& store, const RunState& run) : store_(store), run_(run) {}

  /// An earlier process may have begun some.
  void expect_earlier() { earlier_ = true; }

  /// The id of the last one that an earlier process began for this work, which is given once; empty: there is none.
  store::StoreResult<std::string> take(const std::string& work);

  /// An id that no child has, though another run may.
  store::StoreResult<std::string> next_id();

  /// Whether some have not ended, and may have nobody who works on them. The first is told without a look at the store.
  bool may_be_open() const;
  store::StoreResult<bool> any_open();
  void leave_open() { open_ = true; }
  void left_none_open() { open_ = false; }

  /// Those that could not be rolled back whole or, when none is worked on, were left amid that; the newest first.
  store::StoreResult<std::vector<std::string>> incomplete() const;
  /// One of them that this process met, or that an earlier one left and nobody has gone on with; empty: none.
  std::string incomplete_one() const {
    return incomplete_.empty() && !incomplete_before_.empty() ? incomplete_before_.front() : incomplete_;
  }
  void leave_incomplete(const std::string& id) { incomplete_ = id; }
  void go_on_with(const std::string& id) { std::erase(incomplete_before_, id); }

 private:
  store::StoreResult<void> look();

  const store::CheckpointStore& store_;
  const RunState& run_;
  bool earlier_ = false;
  bool known_ = false;
  bool open_ = false;
  std::string incomplete_;
  std::vector<std::string> incomplete_before_;  ///< left by an earlier process
  std::uint64_t last_ = 0;
  std::unordered_map<std::string, std::string> left_;  ///< work -> the newest child for it
};

/// Why a definition cannot go on with a child that was begun with another, or the same; empty: it can.
std::string misfit(const model::Flow& flow, const RunState& child);

/// The work of one attempt that is a child run of `flow`, which a `file` of the parent's flow names. The first attempt
/// of a process goes on with the child that an earlier one left; any other begins a new one. Throws `operation_aborted`
/// when the piece is interrupted; the child has ended then, or is suspended with its parent.
boost::asio::awaitable<model::Outcome> run_child(RunContext& parent, const Piece& piece, const ActionView& view,
                                                 const model::Flow& flow, Json inputs);

/// Ends, as cancelled, the children that no work has gone on with, when the state that they were for has ended.
boost::asio::awaitable<store::StoreResult<void>> end_open_children(RunContext& parent);

/// Ends all that has not ended below a run that nobody works on, and that no process works on, as cancelled. `flow` is
/// the parent's; null: it is not at hand.
boost::asio::awaitable<store::StoreResult<void>> cancel_children(Runtime& runtime, std::string parent,
                                                                 std::shared_ptr<const model::Flow> flow,
                                                                 std::string reason, Leftovers& leftovers);

/// The flow of a child, which the parent's flow runs; null: it is none of those.
std::shared_ptr<const model::Flow> flow_below(const std::shared_ptr<const model::Flow>& flow,
                                              const store::RunStarted& child);

}  // namespace canorun::run
