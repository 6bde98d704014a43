// Where a stream's lines come from: a command, a file.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>

#include "engine/model/outcome.h"

namespace canorun::model {

class TaskContext;

struct Line {
  std::string bytes;                         ///< as they are, without the newline
  std::optional<std::uint64_t> behind = {};  ///< where a file goes on after it
};

/// Nothing has come yet.
struct Nothing {};

/// How a source ended is its outcome; there is no line after it.
using NextLine = std::variant<Nothing, Line, Outcome>;

/// Gives lines, and reads none ahead but what one read brings: what it reads from is kept waiting by who takes them
/// slowly. Event-loop thread only.
class LineSource {
 public:
  /// What of it still runs is killed.
  virtual ~LineSource() = default;

  /// Begins, once. `ready` is called whenever there may be more than nothing; not after the source is gone. The
  /// context outlives the source.
  virtual std::optional<Failure> start(TaskContext& context, std::function<void()> ready) = 0;

  /// Never waits.
  virtual NextLine next() = 0;

  /// Ends what runs of it (a command: TERM, 5 s, KILL) and waits until nothing does, also after its outcome. The
  /// caller is deaf to cancellation.
  virtual boost::asio::awaitable<void> end() = 0;
};

}  // namespace canorun::model
