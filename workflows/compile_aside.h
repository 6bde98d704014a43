// What a flow does beside its states: its services, and what is done when a run has its outcome.
#pragma once

#include <optional>
#include <string>

#include "workflows/compile.h"

namespace canorun::workflows {

/// Borrows what it is made with.
class AsideCompiler {
 public:
  AsideCompiler(Reader& reader, Expressions& expressions, ActionCompiler& actions, const Names& names,
                ResultReads& reads)
      : reader_(reader), expressions_(expressions), actions_(actions), names_(names), reads_(reads) {}

  /// Adds them to the flow.
  void compile(const Definition& definition, model::Flow& flow);

 private:
  std::optional<model::State> service(const InnerAction& def, const ServiceDef& service, std::string_view part,
                                      SlotSet scope);
  model::EndAction end_action(const ActionDef& def, std::size_t number);
  std::optional<expr::Expression> condition(const ActionDef& def, Place& place);
  model::State state(const ActionDef& def, std::string name, const Place& place);
  /// Another place each time, outside of all states.
  Place place(std::string_view name, SlotSet scope);

  Reader& reader_;
  Expressions& expressions_;
  ActionCompiler& actions_;
  const Names& names_;
  ResultReads& reads_;
  model::StateId next_ = 0;
};

}  // namespace canorun::workflows
