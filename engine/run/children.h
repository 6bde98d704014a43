// The child runs of one run.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <optional>
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

  /// The last one that an earlier process began for this work, which is given once.
  store::StoreResult<std::optional<store::Summary>> take(const std::string& work);

  /// An id that no child has, though another run may.
  store::StoreResult<std::string> next_id();

 private:
  store::StoreResult<void> look();

  const store::CheckpointStore& store_;
  const RunState& run_;
  bool known_ = false;
  std::uint64_t last_ = 0;
  std::unordered_map<std::string, store::Summary> left_;  ///< by work
};

/// The work of one attempt that is a child run of `flow`, which a `file` of the parent's flow names. The first attempt
/// of a process goes on with the child that an earlier one left; any other begins a new one. Throws `operation_aborted`
/// when the piece is interrupted; the child has ended then, or is suspended with its parent.
boost::asio::awaitable<model::Outcome> run_child(RunContext& parent, const Piece& piece, const ActionView& view,
                                                 const model::Flow& flow, Json inputs);

/// Ends all that has not ended below a run that nobody works on, and that no process works on, as cancelled.
boost::asio::awaitable<store::StoreResult<void>> cancel_children(Runtime& runtime, std::string parent,
                                                                 std::string reason, Leftovers& leftovers);

}  // namespace canorun::run
