// The shapes that a state may have, and the actions in them.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "engine/base/clock.h"
#include "engine/base/value.h"
#include "engine/expr/expression.h"
#include "engine/expr/template.h"
#include "engine/model/task_kind.h"
#include "engine/policy/join.h"
#include "engine/policy/retry.h"

namespace canorun::model {

/// Dense from 0, in the order of the file.
using StateId = std::uint32_t;

enum class InputType : std::uint8_t { kString, kInt, kDouble, kBool, kList, kMap, kAny };
inline constexpr std::array<std::string_view, 7> kInputTypeNames{"string", "int", "double", "bool",
                                                                 "list",   "map", "any"};

/// What one attempt takes of a rate limit.
struct Tier {
  std::uint32_t limit = 0;  ///< index into Flow::rate_limits
  std::int64_t cost = 1;    ///< 1 to its capacity
};

struct RetryRule {
  policy::Retry policy;
  std::optional<expr::Expression> when;  ///< false: no further attempt
};

struct Compensation;

/// One piece of work: what to do, and how often and how long to try.
struct Action {
  const TaskKind* kind = nullptr;
  /// Parameter -> literal or template. Literal ones were checked when the flow was read.
  expr::Tree params;
  /// Values a script refers to as CANORUN_V1, CANORUN_V2, …
  std::vector<expr::Tree> script_values;
  /// Environment of the defaults, evaluated before the action's own `env` parameter.
  std::vector<std::pair<std::string, expr::Template>> env;
  RetryRule retry;
  std::optional<Millis> timeout;                     ///< of one attempt
  std::vector<Tier> tiers;                           ///< all are taken before an attempt, or none; each limit once
  std::optional<std::uint32_t> breaker;              ///< index into Flow::breakers
  std::shared_ptr<const Compensation> compensation;  ///< null: nothing undoes it
};

/// What undoes an action. It is owed from the commit that ends the action with success on.
struct Compensation {
  Action action;            ///< with the undone one's `output` in scope, and what its shape brought; has none itself
  bool from_start = false;  ///< owed from the commit before the action begins; `output` is null where it did not end
};

struct ActionShape {
  Action action;
};

/// Exactly one of the two is there. `for` gives a duration's text, `until` a time's.
struct TimerShape {
  std::optional<expr::Template> wait_for;
  std::optional<expr::Template> until;
};

/// Branches side by side: those that are named, or `each` for every element of a list.
struct SplitShape {
  struct Branch {
    std::string name;
    Action action;
  };
  std::vector<Branch> branches;              ///< in the order of the file; empty where there is a list
  std::optional<expr::Expression> for_each;  ///< gives the list
  std::optional<Action> each;                ///< with `item` and `index` in scope
  policy::Join join;
  std::optional<std::uint32_t> bulkhead;  ///< at most so many at once, from 1; none: all
};

/// One action for every element of a list.
struct BatchShape {
  expr::Expression items;  ///< gives the list
  Action each;             ///< with `item` and `index` in scope
  std::uint32_t concurrency = 1;
  policy::Share min_success;
};

/// Asks until the answer will do.
struct PollShape {
  Action ask;
  expr::Expression until;        ///< with the answer as `output`
  policy::Retry every;           ///< the delay after ask k (from 0); `max` is not used
  std::uint32_t max_errors = 0;  ///< in a row
};

/// Steps with a cursor that outlives the process.
struct SteppedShape {
  expr::Tree initial;  ///< the first cursor
  Action step;         ///< with `cursor` and `step` (from 0) in scope
  /// The next one, with the step's result as `output` beside `cursor` and `step`; null ends the loop.
  expr::Expression cursor;
};

/// A source without an end, window by window.
struct StreamShape {
  /// Lines of a file, from the byte that the cursor says.
  struct File {
    expr::Template path;
    bool follow = false;  ///< waits for more at its end
  };
  struct ItemErrors {
    bool skip = false;                 ///< otherwise the first ends the stream
    std::optional<std::uint64_t> max;  ///< with `skip`: so many are skipped; none: any number
  };
  std::variant<Action, File> source;  ///< an action of a kind that gives lines, with `cursor` in scope
  expr::Tree initial;                 ///< the first cursor; null of a file: its beginning
  bool json = false;                  ///< each line is JSON, otherwise text
  /// After an item, which is in scope beside the `cursor` before it; none: of a file, its place.
  std::optional<expr::Expression> cursor;
  std::optional<std::uint64_t> count;  ///< a window is full with so many items
  std::optional<Millis> every;         ///< or after so long, from its first item on
  std::optional<Action> each;          ///< with `item`, `index` (in the window) and `cursor` in scope
  Action flush;                        ///< with `items` and the window's new `cursor` in scope
  ItemErrors on_item_error;
  std::optional<expr::Expression> stop_when;  ///< with an item in scope: it is the last
};

/// Waits until somebody outside says so.
struct WaitShape {
  std::string signal;
  InputType type = InputType::kAny;  ///< of the payload
};

/// Decides and leaves no row: its transitions are its state's `next`.
struct RouteShape {};

enum class ExitKind : std::uint8_t { kSuccess, kFailure, kRollback };

struct ExitShape {
  ExitKind kind = ExitKind::kSuccess;
  expr::Tree output;  ///< a literal null when none is given
};

using Shape = std::variant<ActionShape, TimerShape, RouteShape, ExitShape, SplitShape, BatchShape, PollShape,
                           SteppedShape, StreamShape, WaitShape>;

/// The first whose `when` holds is taken; one without always holds.
struct Transition {
  std::optional<expr::Expression> when;
  StateId to = 0;
};

}  // namespace canorun::model
