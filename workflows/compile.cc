#include "workflows/compile.h"

#include <fmt/format.h>

#include "workflows/compile_aside.h"
#include "workflows/compile_shapes.h"
#include "workflows/graph.h"
#include "workflows/results.h"
#include "workflows/rule_check.h"

namespace canorun::workflows {
namespace {

constexpr SlotSet kEnvSlots = slots(model::Slot::kInputs);
constexpr SlotSet kVarSlots = kEnvSlots | slots(model::Slot::kEnv);
constexpr SlotSet kGroupSlots = kVarSlots | slots(model::Slot::kRun);
constexpr SlotSet kResultSlots = kStateSlots | slots(model::Slot::kOutput);
constexpr SlotSet kErrorSlots = kStateSlots | slots(model::Slot::kError);

// Whether what the shape gives is of use to its own state.
bool has_output(const ShapeDef& shape) {
  return !std::holds_alternative<std::monostate>(shape) && !std::holds_alternative<TimerDef>(shape) &&
         !std::holds_alternative<RouteDef>(shape) && !std::holds_alternative<ExitDef>(shape);
}

class FlowCompiler {
 public:
  FlowCompiler(Reader& reader, const Definition& definition, const ChildFlows& children)
      : reader_(reader),
        def_(definition),
        names_(definition),
        types_(definition, reader.catalog),
        reads_(names_),
        expressions_(reader, types_, names_, reads_),
        resources_(reader, definition.resources),
        actions_(reader, expressions_, resources_, defaults_, children),
        shapes_(reader, types_, expressions_, actions_) {}

  model::Flow run() {
    flow_.name = def_.name;
    flow_.version = def_.version;
    flow_.description = def_.description;
    flow_.inputs = def_.inputs;
    flow_.timeout = def_.timeout;
    flow_.compensation_timeout = def_.compensation_timeout;
    flow_.keep = def_.keep;
    flow_.max_transitions = def_.max_transitions.value_or(flow_.max_transitions);
    resources_.compile(flow_);
    flow_.env = compile_environment(def_.env, kEnvSlots);
    compile_concurrency();
    compile_vars();
    compile_defaults();
    graph_.edges.resize(def_.states.size());
    graph_.never_succeeds.resize(def_.states.size());
    flow_.states.reserve(def_.states.size());
    for (const StateDef& state : def_.states) compile_state(state);
    AsideCompiler(reader_, expressions_, actions_, names_, reads_).compile(def_, flow_);
    if (def_.start != nullptr) graph_.start = resolve(*def_.start, 0).guess;
    flow_.start = graph_.start;
    if (!def_.states.empty()) {
      check_graph(reader_, def_, graph_);
      check_loops(reader_, def_, graph_, flow_);
      reads_.check(reader_, def_, graph_);
    }
    return std::move(flow_);
  }

 private:
  struct Target {
    std::optional<model::StateId> id;
    model::StateId guess;  ///< what was probably meant, where there is no such state
  };

  Target resolve(const Node& name, model::StateId otherwise) {
    if (const auto id = names_.state(name.text)) return {id, *id};
    Guess guess = reader_.report.guess(name.text, names_.states());
    reader_.error(Code::kUnknownState, name, fmt::format("unknown state '{}'", name.text.substr(0, 80)),
                  std::move(guess.hint));
    return {std::nullopt, guess.name ? *names_.state(*guess.name) : otherwise};
  }

  std::vector<std::pair<std::string, expr::Template>> compile_environment(const std::vector<Entry>& env,
                                                                          SlotSet scope) {
    std::vector<std::pair<std::string, expr::Template>> compiled;
    for (const Entry& variable : env) {
      auto value = expressions_.text(*variable.value, {.name = "'env'", .scope = scope});
      if (value) compiled.emplace_back(variable.key->text, std::move(*value));
    }
    return compiled;
  }

  void compile_concurrency() {
    if (!def_.concurrency) return;
    auto& concurrency =
        flow_.concurrency.emplace(model::Concurrency{.group = {}, .on_conflict = def_.concurrency->on_conflict});
    if (def_.concurrency->group == nullptr) return;
    auto group = expressions_.text(*def_.concurrency->group, {.name = "'group'", .scope = kGroupSlots},
                                   {"'group'", "a text", model::json::kScalar});
    if (!group) return;
    check_no_secret(*def_.concurrency->group, *group);
    concurrency.group = std::move(*group);
  }

  void check_no_secret(const Node& node, const expr::Template& group) {
    for (const expr::Template::Piece& piece : group.pieces()) {
      if (!piece.expression) continue;
      for (const expr::Reference& reference : piece.expression->references()) {
        const auto& parts = reference.parts;
        if (parts.size() < 2 || parts[0].name != "inputs") continue;
        const auto input = std::ranges::find(def_.inputs, parts[1].name, &model::Input::name);
        if (input == def_.inputs.end() || !input->secret) continue;
        const Span in_text{parts[0].span.begin + piece.inner.begin, parts[1].span.end + piece.inner.begin};
        reader_.report.error(Code::kBadValue, reader_.document.part(node, in_text),
                             fmt::format("'group' cannot be made of the secret input '{}'", input->name),
                             "a group's name is kept and shown, with '***' for every secret: use another input");
        return;
      }
    }
  }

  void compile_vars() {
    for (const Entry& entry : def_.vars) {
      model::Var var{.name = entry.key->text, .initial = {}, .type = model::InputType::kAny};
      const Place place{.name = "'vars'", .scope = kVarSlots};
      if (auto initial = expressions_.tree(*entry.value, place)) {
        var.type = model::input_type_of(expressions_.type(*initial, place));
        var.initial = std::move(*initial);
      }
      flow_.vars.push_back(std::move(var));
    }
    types_.set_vars(flow_.vars);
  }

  void compile_defaults() {
    const DefaultsDef& def = def_.defaults;
    defaults_.timeout = def.timeout;
    defaults_.cwd = def.cwd;
    for (const Entry& variable : def.env) {
      auto value =
          expressions_.text(*variable.value, {.name = "'env'", .scope = kStateSlots | slots(model::Slot::kAction)});
      if (!value) continue;
      defaults_.env.emplace_back(variable.key->text, std::move(*value));
      defaults_.env_nodes.push_back(variable.value);
    }
    // What is wrong with it is told also where no action takes it.
    defaults_.retry = def.retry;
    if (def.retry) defaults_.retry_when = actions_.retry_when(*def.retry, {.name = "'retry'"});
  }

  void compile_state(const StateDef& def) {
    const auto id = static_cast<model::StateId>(flow_.states.size());
    flow_.by_name.emplace(def.text(), id);
    model::State& state = flow_.states.emplace_back();
    state.name = def.text();
    state.description = def.description;
    state.deadline = def.timeout;
    const bool is_route = std::holds_alternative<RouteDef>(def.shape);
    Place place{.name = "'next'", .moment = {id, is_route ? Phase::kBefore : Phase::kAfterSuccess}};
    if (has_output(def.shape)) {
      place.scope = kResultSlots;
      place.output = types_.output(id);
    }
    state.shape = shapes_.compile(def, id);
    state.next = compile_rules(def.next, place, id);
    // The new result is in scope as `output`; `states` shows the old one.
    place.name = "'set'";
    place.moment.phase = Phase::kBefore;
    place.moment.has_output = place.has(model::Slot::kOutput);
    compile_set(def, state, place);
    state.on_error = compile_rules(
        def.on_error, {.name = "'on_error'", .scope = kErrorSlots, .moment = {id, Phase::kAfterFailure}}, id);
    if (std::holds_alternative<ExitDef>(def.shape)) return;
    if (def.next.rules.empty()) graph_.edges[id].push_back({.to = following(id), .certain = false});
    for (const Node* node : def.unknown) add_guesses(*node, id);
    const auto* const shape = std::get_if<model::ActionShape>(&state.shape);
    graph_.never_succeeds[id] = shape != nullptr && shape->action.kind != nullptr && shape->action.kind->never_succeeds;
    check_last_rule(reader_, def, state);
  }

  // What a state without a readable `next` was probably going to.
  model::StateId following(model::StateId id) const { return id + 1 < def_.states.size() ? id + 1 : id; }

  // The states that a key leads to, if it was meant to be `on_error`.
  void add_guesses(const Node& node, model::StateId from) {
    if (const auto to = node.is_text() ? names_.state(node.text) : std::nullopt) {
      graph_.edges[from].push_back({.to = *to, .after_error = true, .certain = false});
    }
    for (const Node* element : node.list) add_guesses(*element, from);
    for (const Entry& entry : node.map) add_guesses(*entry.value, from);
  }

  std::vector<model::Transition> compile_rules(const RulesDef& def, const Place& place, model::StateId from) {
    std::vector<model::Transition> rules;
    bool readable = !std::holds_alternative<std::monostate>(def_.states[from].shape);
    for (const RuleDef& rule : def.rules) {
      model::Transition transition;
      if (rule.when != nullptr) {
        if (auto when = expressions_.condition(*rule.when, "'when'", place))
          transition.when = std::move(when->expression);
      }
      Target target{std::nullopt, following(from)};
      if (rule.to != nullptr) target = resolve(*rule.to, following(from));
      Edge edge{.to = target.guess, .after_error = place.moment.phase == Phase::kAfterFailure};
      // Of a `when` that is wrong nobody knows what the rules behind it may rely on.
      readable = readable && (rule.when == nullptr || transition.when);
      edge.certain = readable && target.id;
      edge.never = never_holds(transition);
      if (transition.when) edge.asks_for = states_in(*transition.when, names_);
      graph_.edges[from].push_back(std::move(edge));
      transition.to = target.id.value_or(0);
      rules.push_back(std::move(transition));
    }
    check_rules(reader_, def, rules);
    return rules;
  }

  void compile_set(const StateDef& def, model::State& state, const Place& place) {
    for (const Entry& entry : def.set) {
      const auto var = names_.var(entry.key->text);
      if (!var) {
        reader_.error(Code::kUnknownVariable, *entry.key,
                      fmt::format("unknown variable '{}'", entry.key->text.substr(0, 80)),
                      names_.vars().empty() ? "declare it under 'vars'"
                                            : reader_.report.guess(entry.key->text, names_.vars()).hint);
        expressions_.tree(*entry.value, place);
        continue;
      }
      const model::InputType type = flow_.vars[*var].type;
      const Want want{.what = fmt::format("variable '{}'", entry.key->text),
                      .wanted = fmt::format("{}, as its initial value is", model::described(type)),
                      .kinds = model::json_kinds(type)};
      auto value = expressions_.tree(*entry.value, place, false, want);
      if (!value) continue;
      if (const Json* literal = value->literal(); literal != nullptr && !model::fits(type, *literal)) {
        reader_.wrong_type(*entry.value, want.what, want.wanted);
      }
      state.set.push_back({*var, std::move(*value)});
    }
  }

  Reader& reader_;
  const Definition& def_;
  Names names_;
  FlowTypes types_;
  ResultReads reads_;
  Expressions expressions_;
  ResourceCompiler resources_;
  CompiledDefaults defaults_;
  ActionCompiler actions_;
  ShapeCompiler shapes_;
  Graph graph_;
  model::Flow flow_;
};

}  // namespace

model::Flow compile_flow(Reader& reader, const Definition& definition, const ChildFlows& children) {
  return FlowCompiler(reader, definition, children).run();
}

}  // namespace canorun::workflows
