// What the author of a flow wrote: read and typed, but no name resolved and no expression compiled.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/base/clock.h"
#include "engine/model/flow.h"
#include "engine/policy/join.h"
#include "engine/policy/retry.h"
#include "workflows/action_definition.h"
#include "workflows/document.h"

namespace canorun::workflows {

struct TimerDef {
  const Node* wait_for = nullptr;
  const Node* until = nullptr;
};

struct JoinDef {
  policy::Join join;
  const Node* node = nullptr;  ///< what says how; null: nothing does
};

/// A shape that works on elements calls each `item`, unless `as` says otherwise.
struct SplitDef {
  struct Branch {
    const Node* name = nullptr;
    InnerAction action;
  };
  std::vector<Branch> branches;
  const Node* for_each = nullptr;
  std::string_view as;
  InnerAction each;
  JoinDef join;
  std::optional<std::uint32_t> bulkhead;
};

struct BatchDef {
  const Node* items = nullptr;
  std::string_view as;
  std::uint32_t concurrency = 1;
  InnerAction each;
  policy::Share min_success;
};

struct PollDef {
  InnerAction ask;
  const Node* until = nullptr;
  policy::Retry every;
  std::uint32_t max_errors = 0;
};

struct SteppedDef {
  const Node* initial = nullptr;
  InnerAction step;
  const Node* cursor = nullptr;
};

struct StreamDef {
  struct File {
    const Node* path = nullptr;
    bool follow = false;
  };
  /// `monostate`: it could not be read.
  std::variant<std::monostate, ActionDef, File> source;
  const Node* initial = nullptr;
  bool json = false;
  std::string_view as;
  const Node* cursor = nullptr;
  std::optional<std::uint64_t> count;
  std::optional<Millis> every;
  InnerAction each;
  InnerAction flush;
  model::StreamShape::ItemErrors on_item_error;
  const Node* stop_when = nullptr;
};

struct WaitDef {
  std::string_view signal;
  model::InputType type = model::InputType::kAny;
};

struct RouteDef {};

struct ExitDef {
  model::ExitKind kind = model::ExitKind::kSuccess;
  const Node* output = nullptr;
};

/// `monostate`: there is no shape that could be read; that was reported.
using ShapeDef = std::variant<std::monostate, ActionDef, TimerDef, RouteDef, ExitDef, SplitDef, BatchDef, PollDef,
                              SteppedDef, StreamDef, WaitDef>;

struct StateDef {
  const Node* name = nullptr;
  std::string description;
  ShapeDef shape;
  RulesDef next;  ///< of a `route`, its rules
  RulesDef on_error;
  std::vector<Entry> set;
  std::optional<Millis> timeout;
  /// The values of keys that are not known. They were reported; any other key may have been meant.
  std::vector<const Node*> unknown;

  std::string_view text() const { return name->text; }
};

struct DefaultsDef {
  std::optional<RetryDef> retry;
  std::optional<Millis> timeout;
  std::vector<Entry> env;
  const Node* cwd = nullptr;
};

struct ConcurrencyDef {
  const Node* group = nullptr;  ///< null: it was wrong, and reported
  model::OnConflict on_conflict = model::OnConflict::kReject;
};

struct RateLimitDef {
  const Node* name = nullptr;
  std::optional<policy::LimitRule> rule;  ///< none: it was wrong, and reported
  bool fails = false;
  bool of_run = false;
};

struct ServiceDef {
  const Node* name = nullptr;
  InnerAction setup = {};
  InnerAction teardown = {};
  InnerAction health = {};
};

struct ResourcesDef {
  std::vector<model::Breaker> breakers;
  std::vector<RateLimitDef> rate_limits;
  std::vector<ServiceDef> services;
};

/// Points into the document it was read from.
struct Definition {
  std::string name;
  std::uint64_t version = 0;
  std::string description;
  const Node* start = nullptr;
  std::vector<model::Input> inputs;
  std::vector<Entry> vars;
  std::vector<Entry> env;
  std::optional<Millis> timeout;
  std::optional<Millis> compensation_timeout;
  std::optional<Millis> keep;
  std::optional<std::uint64_t> max_transitions;
  std::optional<ConcurrencyDef> concurrency;
  DefaultsDef defaults;
  ResourcesDef resources;
  std::vector<ActionDef> on_end;
  std::vector<StateDef> states;
};

}  // namespace canorun::workflows
