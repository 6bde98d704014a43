// The child runs of one run.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <string>
#include <unordered_map>

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

 private:
  store::StoreResult<void> look();

  const store::CheckpointStore& store_;
  const RunState& run_;
  bool earlier_ = false;
  bool known_ = false;
  bool open_ = false;
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

/// Ends all that has not ended below a run that nobody works on, and that no process works on, as cancelled.
boost::asio::awaitable<store::StoreResult<void>> cancel_children(Runtime& runtime, std::string parent,
                                                                 std::string reason, Leftovers& leftovers);

}  // namespace canorun::run
