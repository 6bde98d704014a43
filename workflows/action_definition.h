// What the author of a flow wrote of an action, and of rules.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "engine/base/clock.h"
#include "engine/policy/retry.h"
#include "workflows/document.h"

namespace canorun::workflows {

struct RuleDef {
  const Node* when = nullptr;  ///< null: always
  const Node* to = nullptr;    ///< a scalar; null: it was wrong, and reported
};

/// The value of `next`, `on_error` or `route`.
struct RulesDef {
  const Node* node = nullptr;  ///< null: not given
  std::vector<RuleDef> rules;
};

struct RetryDef {
  policy::Retry policy;
  const Node* when = nullptr;
};

/// One of an action's rate limits.
struct TierDef {
  const Node* limit = nullptr;  ///< its name; null: it was wrong, and reported
  std::int64_t cost = 1;
  const Node* cost_node = nullptr;  ///< null: not given
};

struct ActionDef {
  const Node* kind = nullptr;    ///< the value of `task`, or the key `run`
  std::string_view kind_name;    ///< as it was written: there may be no such kind
  std::vector<Entry> params;     ///< in the order they were written
  const Node* script = nullptr;  ///< the value of `run`, which stands for a parameter of that name
  std::optional<RetryDef> retry = {};
  std::optional<Millis> timeout = {};
  const Node* breaker = nullptr;  ///< its name
  std::vector<TierDef> tiers = {};
  const Node* when = nullptr;                               ///< of `on_end`: whether it is done; null: always
  std::shared_ptr<const ActionDef> compensation = nullptr;  ///< what undoes it; null: it is not given, or was wrong
  bool from_start = false;                                  ///< of a compensation: it is owed before the action begins
  bool guessed = false;                                     ///< a key of it is not known: any other may have been meant
};

/// An action inside a shape. None: it is not given, or could not be read and was reported.
using InnerAction = std::optional<ActionDef>;

}  // namespace canorun::workflows
