// The names of one flow, and which of those that expressions use are in scope at a place.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/base/source.h"
#include "engine/expr/expression.h"
#include "engine/model/flow.h"
#include "engine/model/scope.h"
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
  std::string_view name;  ///< for messages: 'set'
  SlotSet scope = kStateSlots;
  expr::Type output = {};  ///< of the result that `output` is
  Moment moment = {};
  /// Its names; lives as long as what is compiled.
  const expr::Environment* environment = &model::environment();
  bool at_end = false;   ///< the run has its outcome: `run` tells of it
  expr::Type item = {};  ///< of the element that is worked on; `items` is a list of such

  bool has(model::Slot slot) const { return (scope & slots(slot)) != 0; }
};

/// A name that is not in scope; the span is in the expression.
struct NameProblem {
  Span span;
  std::string message;
  std::string hint;
};

/// Borrows the definition.
class Names {
 public:
  explicit Names(const Definition& flow);

  std::optional<model::StateId> state(std::string_view name) const;
  std::optional<std::uint32_t> var(std::string_view name) const;
  const std::vector<std::string_view>& states() const { return states_; }
  const std::vector<std::string_view>& vars() const { return vars_; }
  /// Where a name is in scope that is not known at a place: one that an `as` gives, or gives another name
  /// to; otherwise empty.
  std::string where(std::string_view name, const Place& place) const;

 private:
  using Index = std::unordered_map<std::string_view, std::uint32_t>;

  std::vector<std::string_view> vars_, states_;
  Index var_index_, state_index_;
  std::unordered_map<std::string_view, std::string_view> items_;  ///< what an `as` says -> the first state with it
};

/// What is wrong when a reference stands at a place, if anything.
std::optional<NameProblem> check_scope(const expr::Reference& reference, const Place& place);

}  // namespace canorun::workflows
