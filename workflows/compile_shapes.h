// The shapes of states, from what the author wrote to what runs.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <variant>

#include "workflows/compile.h"

namespace canorun::workflows {

/// What a shape brings into scope for what it does.
struct Brought {
  SlotSet slots = 0;
  expr::Type item = {};
  const expr::Environment* environment = &model::environment();
};

/// Borrows what it is made with. Of what is wrong, which is reported, something is made still.
class ShapeCompiler {
 public:
  ShapeCompiler(Reader& reader, FlowTypes& types, Expressions& expressions, ActionCompiler& actions)
      : reader_(reader), types_(types), expressions_(expressions), actions_(actions) {}

  model::Shape compile(const StateDef& state, model::StateId id);

 private:
  model::Shape make(const std::monostate&) { return model::RouteShape{}; }
  model::Shape make(const RouteDef&) { return model::RouteShape{}; }
  model::Shape make(const ActionDef& def);
  model::Shape make(const TimerDef& def);
  model::Shape make(const ExitDef& def);
  model::Shape make(const SplitDef& def);
  model::Shape make(const BatchDef& def);
  model::Shape make(const PollDef& def);
  model::Shape make(const SteppedDef& def);
  model::Shape make(const StreamDef& def);
  model::Shape make(const WaitDef& def);

  /// Around the state's work.
  Place place(std::string_view name, const Brought& brought = {}) const;
  /// In an expression that decides over an action's result.
  Place after(std::string_view name, const InnerAction& action, const Brought& brought = {});
  model::Action action(const InnerAction& def, const Brought& brought = {});
  /// One that may have what undoes it.
  model::Action undoable(const InnerAction& def, const Brought& brought = {});
  /// Null where there is none. `done`: what is known of the state's work once the action is done.
  std::shared_ptr<const model::Compensation> compensation(const ActionDef& undone, const Brought& brought, Phase done);
  std::variant<model::Action, model::StreamShape::File> source(const StreamDef& def, const Brought& brought);
  expr::Tree tree(const Node* node, std::string_view what);
  /// A list, and what is known of its elements.
  struct List {
    expr::Expression expression;
    expr::Type element = {};
  };
  List list(const Node* node, std::string_view what);
  expr::Expression expression(const Node* node, std::string_view what, const Place& place);
  expr::Expression condition(const Node* node, std::string_view what, const Place& place);
  void check_timeout(const TimerDef& def);

  Reader& reader_;
  FlowTypes& types_;
  Expressions& expressions_;
  ActionCompiler& actions_;
  const StateDef* state_ = nullptr;
  model::StateId id_ = 0;
};

}  // namespace canorun::workflows
