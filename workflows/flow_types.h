// The types of all that expressions of one flow see.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/model/types.h"
#include "workflows/names.h"

namespace canorun::workflows {

class FlowTypes {
 public:
  FlowTypes(const Definition& flow, model::Catalog catalog);

  /// Before this is called, no expression has `vars` in scope.
  void set_vars(const std::vector<model::Var>& vars);

  /// What a state's work gives; dyn where that is not known, also because it is wrong.
  const expr::Type& output(model::StateId state) const { return outputs_[state]; }

  /// What an action gives.
  expr::Type output(const ActionDef& action);

  /// What to write for an output of a kind to have a field; empty: it has no such field.
  std::string how_to_get(const expr::Record& output, std::string_view field) const;

  /// One per slot; dyn where the slot is not in scope.
  std::array<expr::Type, model::kSlotCount> at(const Place& place) const;

 private:
  expr::Type output_of(const std::monostate&) { return expr::Type::dyn(); }
  expr::Type output_of(const ActionDef& action) { return output(action); }
  expr::Type output_of(const TimerDef&) { return model::timer_output_type(); }
  expr::Type output_of(const RouteDef&) { return expr::Type::dyn(); }
  expr::Type output_of(const ExitDef&) { return expr::Type::dyn(); }
  expr::Type output_of(const SplitDef& split);
  expr::Type output_of(const BatchDef& batch);
  expr::Type output_of(const PollDef& poll);
  expr::Type output_of(const SteppedDef& stepped) { return model::stepped_output_type(output_of(stepped.step)); }
  expr::Type output_of(const StreamDef&) { return model::stream_output_type(); }
  expr::Type output_of(const WaitDef& wait) { return model::type_of(wait.type); }
  expr::Type output_of(const InnerAction& action) { return action ? output(*action) : expr::Type::dyn(); }

  model::Catalog catalog_;
  std::array<expr::Type, model::kSlotCount> types_;
  std::vector<expr::Type> outputs_;
  /// The kinds' outputs that were made, by the literal parameters they depend on.
  std::unordered_map<std::string, expr::Type> made_;
  std::unordered_map<const expr::Record*, const model::TaskKind*> kinds_;
};

}  // namespace canorun::workflows
