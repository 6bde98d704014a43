#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "workflows/compile.h"

namespace canorun::workflows {
namespace {

constexpr SlotSet kActionSlots = slots(model::Slot::kAction);
constexpr SlotSet kRetrySlots = slots(model::Slot::kAction, model::Slot::kError);

// There, with more in scope.
Place inside(const Place& around, std::string_view name, SlotSet more) {
  Place place = around;
  place.name = name;
  place.scope |= more;
  return place;
}

bool takes_text(model::ParamType type) {
  switch (type) {
    case model::ParamType::kString:
    case model::ParamType::kStringMap:
    case model::ParamType::kEnvironment:
    case model::ParamType::kStringList:
    case model::ParamType::kSize:
    case model::ParamType::kDuration: return true;
    default: return false;
  }
}

bool is_text(const Node& node) { return node.is_scalar() && node.kind != NodeKind::kNull; }

// The node that has not the form of the type; null when only what is said is wrong.
const Node* misfit(model::ParamType type, const Node& node) {
  const auto first_that = [&](auto wrong) -> const Node* {
    for (const Node* element : node.list) {
      if (wrong(*element)) return element;
    }
    for (const Entry& entry : node.map) {
      if (wrong(*entry.value)) return entry.value;
    }
    return nullptr;
  };
  const auto no_text = [](const Node& element) { return !is_text(element); };
  const auto no_int = [](const Node& element) {
    const bool is_template = element.is_scalar() && find_template(element) != nullptr;
    return element.kind != NodeKind::kInt && !is_template;
  };
  const auto unless = [&](bool good) { return good ? nullptr : &node; };
  switch (type) {
    case model::ParamType::kString:
    case model::ParamType::kSize:
    case model::ParamType::kDuration: return unless(is_text(node));
    case model::ParamType::kInt: return unless(node.kind == NodeKind::kInt || node.kind == NodeKind::kDouble);
    case model::ParamType::kBool: return unless(node.kind == NodeKind::kBool);
    case model::ParamType::kMap: return unless(node.kind == NodeKind::kMap);
    case model::ParamType::kStringMap:
    case model::ParamType::kEnvironment: return node.kind == NodeKind::kMap ? first_that(no_text) : &node;
    case model::ParamType::kStringList: return node.kind == NodeKind::kList ? first_that(no_text) : &node;
    case model::ParamType::kIntList: return node.kind == NodeKind::kList ? first_that(no_int) : &node;
    case model::ParamType::kStatusList: return unless(node.kind == NodeKind::kList);
    case model::ParamType::kAny: return nullptr;
  }
  return nullptr;
}

// A value that a template may have inside a parameter of the type.
Json example(model::ParamType type) {
  if (type == model::ParamType::kIntList) return 0;
  if (type == model::ParamType::kStatusList) return 200;
  return "";
}

std::string_view element_name(model::ParamType type) {
  switch (type) {
    case model::ParamType::kIntList: return "an int";
    case model::ParamType::kStatusList: return "an HTTP status or a range";
    default: return "a text";
  }
}

Want wanted(const model::Param& param) {
  return {.what = fmt::format("'{}'", param.name),
          .wanted = std::string(model::param_type_name(param.type)),
          .kinds = model::json_kinds(param.type),
          .element_wanted = std::string(element_name(param.type)),
          .element_kinds = model::element_kinds(param.type)};
}

const Node* find_param_node(const ActionDef& def, std::string_view name) {
  const auto found = std::ranges::find_if(def.params, [&](const Entry& entry) { return entry.key->text == name; });
  return found != def.params.end() ? found->value : nullptr;
}

// Of a kind that runs a flow.
constexpr const char* kFile = "file";
constexpr const char* kInputs = "inputs";

}  // namespace

/// The parameters of one action while they are compiled.
struct ActionCompiler::Params {
  const model::TaskKind& kind;
  Place place;
  std::vector<std::pair<std::string, expr::Tree>> compiled;
  std::vector<std::string_view> given;  ///< named, or meant by one that is not known
  std::vector<expr::Tree> script_values;
  Json literals = Json::object();

  bool has(std::string_view name) const { return std::ranges::find(given, name) != given.end(); }
  /// Whether the parameter may be given; none where that depends on one that is not known.
  std::optional<bool> goes(const model::Param& param) const {
    if (param.with.always()) return true;
    const auto found = literals.find(param.with.param);
    if (found == literals.end()) return std::nullopt;
    return param.with.holds(found->get_ref<const std::string&>());
  }
  /// ` with 'op: copy'`; nothing where it always goes.
  std::string with_setting(const model::Param& param) const {
    if (param.with.always()) return {};
    return fmt::format(" with '{}: {}'", param.with.param, to_text(literals.at(param.with.param)));
  }
};

std::optional<Expressions::Condition> ActionCompiler::retry_when(const RetryDef& def, const Place& around) {
  if (def.when == nullptr) return std::nullopt;
  return expressions_.condition(*def.when, "'when'", inside(around, "'retry'", kRetrySlots));
}

// The action's own, or that of the defaults.
model::RetryRule ActionCompiler::retry(const ActionDef& def, const Place& around) {
  const auto& given = def.retry ? def.retry : defaults_.retry;
  if (!given) return {};
  const auto when = def.retry ? retry_when(*def.retry, around) : defaults_.retry_when;
  if (!def.retry && when) expressions_.note(*given->when, *when, around.moment);
  return {.policy = given->policy, .when = when ? std::optional(when->expression) : std::nullopt};
}

model::Action ActionCompiler::compile(const ActionDef& def, const Place& around, bool has_default_timeout) {
  model::Action action;
  action.retry = retry(def, around);
  resources_.compile(def, action);
  action.kind = model::find_kind(reader_.catalog, def.kind_name);
  const bool runs_flow = action.kind != nullptr && action.kind->runs_flow;
  action.timeout = def.timeout || !has_default_timeout || runs_flow ? def.timeout : defaults_.timeout;
  if (action.kind == nullptr) {
    std::vector<std::string_view> known;
    for (const model::TaskKind& kind : reader_.catalog) known.push_back(kind.name);
    reader_.error(Code::kUnknownKind, *def.kind, fmt::format("unknown task kind '{}'", def.kind_name.substr(0, 80)),
                  reader_.report.guess(def.kind_name, known).hint);
    return action;
  }
  Params params{.kind = *action.kind,
                .place = inside(around, "a parameter", kActionSlots),
                .compiled = {},
                .given = {},
                .script_values = {}};
  if (def.script != nullptr) {
    Node key;
    key.text = "script";
    compile_param(def, {&key, def.script}, params);
  }
  for (const Entry& entry : def.params) compile_param(def, entry, params);
  if (const Definition* const child = child_of(def); child != nullptr && !params.has(kInputs)) {
    check_inputs(*child, {}, *def.kind);
  }
  check_whole(def, *action.kind, params);
  add_defaults(*action.kind, params, action);
  action.params = expr::Tree::map(std::move(params.compiled));
  action.script_values = std::move(params.script_values);
  return action;
}

void ActionCompiler::compile_param(const ActionDef& def, const Entry& entry, Params& params) {
  const std::string_view name = entry.key->text;
  const model::Param* param = model::find_param(params.kind, name);
  if (param == nullptr) {
    std::vector<std::string_view> known;
    for (const model::Param& one : params.kind.params) known.push_back(one.name);
    Guess guess = reader_.report.guess(name, known);
    if (guess.name) params.given.push_back(*guess.name);
    reader_.error(Code::kUnknownParameter, *entry.key,
                  fmt::format("'{}' has no parameter '{}'", params.kind.name, name.substr(0, 80)),
                  std::move(guess.hint));
    return;
  }
  params.given.push_back(param->name);
  if (param->name == kInputs && entry.value->kind == NodeKind::kMap) {
    if (const Definition* const child = child_of(def)) return compile_inputs(*child, entry, params);
  }
  const bool good_names = param->type != model::ParamType::kEnvironment || check_names(*entry.value);
  std::optional<expr::Tree> compiled;
  if (param->script && entry.value->is_scalar() && entry.value->kind != NodeKind::kNull) {
    if (auto script =
            compile_script(reader_, expressions_, *entry.value, params.place, find_param_node(def, "shell"))) {
      compiled = expr::Tree::of(Json(std::move(script->text)));
      params.script_values = std::move(script->values);
    }
  } else {
    compiled = value(*param, *entry.value, params.place);
  }
  if (!compiled || !check_value(*param, *entry.value, *compiled, good_names)) return;
  if (const Json* literal = compiled->literal()) params.literals[param->name] = *literal;
  params.compiled.emplace_back(param->name, std::move(*compiled));
}

std::optional<expr::Tree> ActionCompiler::value(const model::Param& param, const Node& node, const Place& place) {
  if (param.literal) {
    if (const Node* misplaced = find_template(node)) {
      reader_.error(Code::kMisplacedTemplate, *misplaced, fmt::format("a template cannot stand in '{}'", param.name),
                    "it must be known before the flow runs");
      return std::nullopt;
    }
  }
  return expressions_.tree(node, place, takes_text(param.type), wanted(param));
}

// Literal values are brought into their type's form. Of a text with a template nothing is known; of maps
// and lists with templates all but those is. Bad names were reported.
bool ActionCompiler::check_value(const model::Param& param, const Node& node, expr::Tree& tree, bool good_names) {
  const bool literal = tree.literal() != nullptr;
  if (!literal && tree.as_template() != nullptr) return true;
  Json value = tree.replace([&](const expr::Template&) { return example(param.type); });
  auto checked = model::check_param(param, value);
  if (checked) {
    if (literal) tree = expr::Tree::of(std::move(value));
    return true;
  }
  if (const Node* wrong = misfit(param.type, node)) {
    const bool whole = wrong == &node;
    reader_.wrong_type(*wrong, whole ? fmt::format("'{}'", param.name) : fmt::format("an element of '{}'", param.name),
                       whole ? model::param_type_name(param.type) : element_name(param.type));
  } else if (good_names) {
    reader_.error(Code::kBadValue, node, std::move(checked.error().message), std::move(checked.error().hint));
  }
  return false;
}

bool ActionCompiler::check_names(const Node& environment) {
  bool good = true;
  for (const Entry& variable : environment.map) {
    if (model::is_environment_name(variable.key->text)) continue;
    good = false;
    reader_.error(Code::kBadValue, *variable.key,
                  fmt::format("'{}' cannot be the name of an environment variable", variable.key->text.substr(0, 80)));
  }
  return good;
}

const Node* flow_file(const ActionDef& def, model::Catalog catalog) {
  const model::TaskKind* const kind = model::find_kind(catalog, def.kind_name);
  return kind != nullptr && kind->runs_flow ? find_param_node(def, kFile) : nullptr;
}

const Definition* ActionCompiler::child_of(const ActionDef& def) const {
  const Node* const file = flow_file(def, reader_.catalog);
  const auto found = file != nullptr ? children_.find(file->text) : children_.end();
  return found != children_.end() ? found->second : nullptr;
}

// What a child flow is given, against what it declares.
void ActionCompiler::compile_inputs(const Definition& child, const Entry& entry, Params& params) {
  std::vector<std::pair<std::string, expr::Tree>> inputs;
  std::vector<std::string_view> given;
  bool good = true;
  for (const auto& [key, node] : entry.value->map) {
    const auto input = std::ranges::find(child.inputs, key->text, &model::Input::name);
    if (input == child.inputs.end()) {
      std::vector<std::string_view> known;
      for (const model::Input& one : child.inputs) known.push_back(one.name);
      Guess guess = reader_.report.guess(key->text, known);
      if (guess.name) given.push_back(*guess.name);
      reader_.error(Code::kUnknownInput, *key,
                    fmt::format("flow '{}' has no input '{}'", child.name, key->text.substr(0, 80)),
                    known.empty() ? "it takes none" : std::move(guess.hint));
      good = false;
      continue;
    }
    given.push_back(input->name);
    auto value = compile_input(*input, *node, params.place);
    good = good && value;
    if (value) inputs.emplace_back(input->name, std::move(*value));
  }
  check_inputs(child, given, *entry.key);
  if (good) params.compiled.emplace_back(kInputs, expr::Tree::map(std::move(inputs)));
}

std::optional<expr::Tree> ActionCompiler::compile_input(const model::Input& input, const Node& node,
                                                        const Place& place) {
  const Want want{.what = fmt::format("input '{}'", input.name),
                  .wanted = model::described(input.type),
                  .kinds = model::json_kinds(input.type)};
  auto tree = expressions_.tree(node, place, input.type == model::InputType::kString, want);
  const Json* const literal = tree ? tree->literal() : nullptr;
  if (literal == nullptr) return tree;
  if (!model::fits(input.type, *literal)) {
    reader_.wrong_type(node, want.what, want.wanted);
    return std::nullopt;
  }
  Json value = *literal;
  model::convert(input.type, value);
  if (model::is_allowed(input, value)) return tree;
  std::vector<std::string> allowed;
  for (const Json& one : input.one_of) allowed.push_back(to_text(one));
  reader_.error(Code::kBadValue, node, fmt::format("{} must not be {}", want.what, to_json_text(value).substr(0, 80)),
                fmt::format("allowed: {}", fmt::join(allowed, ", ")));
  return std::nullopt;
}

// All that the child cannot do without is given.
void ActionCompiler::check_inputs(const Definition& child, const std::vector<std::string_view>& given,
                                  const Node& node) {
  for (const model::Input& input : child.inputs) {
    if (input.fallback || std::ranges::find(given, input.name) != given.end()) continue;
    reader_.error(Code::kMissingKey, node, fmt::format("flow '{}' needs input '{}'", child.name, input.name),
                  fmt::format("give it under '{}'", kInputs));
  }
}

// All that must be given is, and nothing that goes with another value of the parameter it depends on. When
// that one is wrong, nothing is said.
void ActionCompiler::check_given(const ActionDef& def, const Params& params) {
  for (const Entry& entry : def.params) {
    const model::Param* param = model::find_param(params.kind, entry.key->text);
    if (param == nullptr || params.goes(*param) != false) continue;
    reader_.error(Code::kUnknownParameter, *entry.key,
                  fmt::format("'{}' does not go{}", param->name, params.with_setting(*param)),
                  fmt::format("it goes with '{}'", param->with.text()));
  }
  for (const model::Param& param : params.kind.params) {
    if (!param.required || params.has(param.name) || params.goes(param) != true) continue;
    reader_.error(Code::kMissingKey, *def.kind,
                  fmt::format("'{}' needs '{}'{}", params.kind.name, param.name, params.with_setting(param)),
                  "give it under 'with'");
  }
}

void ActionCompiler::check_whole(const ActionDef& def, const model::TaskKind& kind, const Params& params) {
  check_given(def, params);
  if (kind.check == nullptr) return;
  // First what is wrong with one alone, so that one does not hide another.
  Json literals = params.literals;
  for (const Entry& entry : def.params) {
    const auto literal = literals.find(entry.key->text);
    if (literal == literals.end()) continue;
    auto checked = kind.check(Json{{entry.key->text, *literal}});
    if (checked) continue;
    reader_.error(Code::kBadValue, *entry.value, std::move(checked.error().message), std::move(checked.error().hint));
    literals.erase(literal);
  }
  auto checked = kind.check(literals);
  if (checked) return;
  // Then the last one without which all would be well.
  const Node* culprit = def.kind;
  for (const Entry& entry : def.params) {
    Json others = literals;
    others.erase(entry.key->text);
    if (kind.check(others)) culprit = entry.value;
  }
  reader_.error(Code::kBadValue, *culprit, std::move(checked.error().message), std::move(checked.error().hint));
}

void ActionCompiler::add_defaults(const model::TaskKind& kind, Params& params, model::Action& action) {
  if (model::find_param(kind, "env") != nullptr) {
    action.env = defaults_.env;
    for (std::size_t i = 0; i < action.env.size(); ++i)
      expressions_.note(*defaults_.env_nodes[i], action.env[i].second, params.place.moment);
  }
  if (defaults_.cwd == nullptr || params.has("cwd") || model::find_param(kind, "cwd") == nullptr) return;
  // What a shape brings is not for the defaults.
  const Place place{.name = "'cwd'", .scope = kStateSlots | kActionSlots, .moment = params.place.moment};
  auto cwd = expressions_.tree(*defaults_.cwd, place, true);
  if (cwd) params.compiled.emplace_back("cwd", std::move(*cwd));
}

}  // namespace canorun::workflows
