// From a definition to a flow that can run.
#pragma once

#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/model/flow.h"
#include "workflows/compile_resources.h"
#include "workflows/definition.h"
#include "workflows/expressions.h"
#include "workflows/names.h"
#include "workflows/reader.h"

namespace canorun::workflows {

/// What the defaults give to every action.
struct CompiledDefaults {
  std::optional<RetryDef> retry;
  std::optional<Expressions::Condition> retry_when;
  std::optional<Millis> timeout;
  std::vector<std::pair<std::string, expr::Template>> env;
  std::vector<const Node*> env_nodes;  ///< where its values stand
  const Node* cwd = nullptr;
};

/// The flows that a flow's actions run, by what `file` says; those that cannot be read are missing. Borrowed.
using ChildFlows = std::unordered_map<std::string_view, const Definition*>;

/// Resolves every name and compiles every expression; problems are reported. The flow is whole only
/// when nothing was; its text and place, and the flows it runs, are left to the caller.
model::Flow compile_flow(Reader& reader, const Definition& definition, const ChildFlows& children);

/// What names the flow file of an action whose kind runs a flow; null: its kind does not, or it is not given.
const Node* flow_file(const ActionDef& def, model::Catalog catalog);

/// The parts of it.
class ActionCompiler {
 public:
  ActionCompiler(Reader& reader, Expressions& expressions, ResourceCompiler& resources,
                 const CompiledDefaults& defaults, const ChildFlows& children)
      : reader_(reader), expressions_(expressions), resources_(resources), defaults_(defaults), children_(children) {}

  /// `around`: where the action stands, with the names that the shape around it brings.
  model::Action compile(const ActionDef& def, const Place& around, bool has_default_timeout = true);
  std::optional<Expressions::Condition> retry_when(const RetryDef& def, const Place& around);

 private:
  struct Params;

  model::RetryRule retry(const ActionDef& def, const Place& around);
  void compile_param(const ActionDef& def, const Entry& entry, Params& params);
  std::optional<expr::Tree> value(const model::Param& param, const Node& node, const Place& place);
  bool check_value(const model::Param& param, const Node& node, expr::Tree& tree, bool good_names);
  bool check_names(const Node& environment);
  void check_given(const ActionDef& def, const Params& params);
  const Definition* child_of(const ActionDef& def) const;
  void compile_inputs(const Definition& child, const Entry& entry, Params& params);
  void check_inputs(const Definition& child, const std::vector<std::string_view>& given, const Node& node);
  std::optional<expr::Tree> compile_input(const model::Input& input, const Node& node, const Place& place);
  void check_whole(const ActionDef& def, const model::TaskKind& kind, const Params& params);
  void add_defaults(const model::TaskKind& kind, Params& params, model::Action& action);

  Reader& reader_;
  Expressions& expressions_;
  ResourceCompiler& resources_;
  const CompiledDefaults& defaults_;
  const ChildFlows& children_;
};

/// A script whose templates became references to CANORUN_V1, CANORUN_V2, …
struct CompiledScript {
  std::string text;
  std::vector<expr::Tree> values;
};

/// `shell` is the program that will read the script; null: the default one.
std::optional<CompiledScript> compile_script(Reader& reader, Expressions& expressions, const Node& node,
                                             const Place& place, const Node* shell);

}  // namespace canorun::workflows
