// One action of a state that is current, from its first attempt to its last.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>

#include "engine/run/run_context.h"
#include "engine/run/shapes.h"

namespace canorun::run {

/// Which action, and where in the work of its state it stands. What it refers to outlives the work on it.
struct Piece {
  const model::State& state;
  const model::Action& action;
  Interrupt& interrupt;  ///< whose slot the work is spawned with
  /// Empty: it is all of the state's work. Else unlike any other in the visit: letters, digits, `_` and `:`.
  std::string part = {};
  /// `item` and the like, where the shape brings them.
  const model::Scope* around = nullptr;
  /// Each time it is done is another ask: what an earlier process was told counts for nothing, only what it was at.
  bool asks = false;
  /// It undoes this.
  const Owed* undoes = nullptr;
};

/// What may have to be undone, and is only where it has ended well, is not cut off in the middle: only the end of the
/// process does not wait for it.
bool ends_by_itself(const model::Action& action);

/// Makes attempts until one succeeds or there may be no other. Throws `operation_aborted` when it was
/// interrupted for any other reason than an attempt's timeout; by then nothing of it runs any more.
boost::asio::awaitable<Worked> perform(RunContext& context, Piece piece);

}  // namespace canorun::run
