// The names that expressions of one flow may use, and at which places.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/base/diagnostic.h"
#include "engine/expr/expression.h"
#include "engine/model/flow.h"
#include "engine/model/scope.h"
#include "engine/model/task_kind.h"
#include "workflows/definition.h"
#include "workflows/graph.h"

namespace canorun::workflows {

/// Some of the slots of model::Scope.
using SlotSet = std::uint16_t;

constexpr SlotSet slots(auto... names) {
  return static_cast<SlotSet>(((1U << static_cast<unsigned>(names)) | ... | 0U));
}

/// What every expression inside a state sees.
inline constexpr SlotSet kStateSlots =
    slots(model::Slot::kInputs, model::Slot::kVars, model::Slot::kEnv, model::Slot::kStates, model::Slot::kRun);

/// Where an expression stands.
struct Place {
  std::string_view name;                    ///< for messages: 'set'
  SlotSet scope = kStateSlots;
  const model::TaskKind* output = nullptr;  ///< whose result `output` is; null: not known
  Moment moment = {};
};

/// A name that is not there; the span is in the expression.
struct NameProblem {
  Code code;
  Span span;
  std::string message;
  std::string name;
  std::vector<std::string_view> known;
  std::string hint = {};  ///< instead of a guess among `known`
};

/// Borrows the definition.
class Names {
 public:
  Names(const Definition& flow, model::Catalog catalog);

  std::optional<model::StateId> state(std::string_view name) const;
  std::optional<std::uint32_t> var(std::string_view name) const;
  const std::vector<std::string_view>& states() const { return states_; }
  const std::vector<std::string_view>& vars() const { return vars_; }

  /// What is wrong with a reference at a place, if anything.
  std::optional<NameProblem> check(const expr::Reference& reference, const Place& place) const;

 private:
  using Index = std::unordered_map<std::string_view, std::uint32_t>;
  using Parts = std::vector<expr::Reference::Part>;

  std::optional<NameProblem> check_state(const Parts& parts) const;

  std::vector<std::string_view> inputs_, vars_, env_, states_;
  Index input_index_, var_index_, env_index_, state_index_;
  std::vector<const model::TaskKind*> kinds_;  ///< of each state; null where it has none
};

}  // namespace canorun::workflows
