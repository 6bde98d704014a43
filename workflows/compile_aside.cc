#include "workflows/compile_aside.h"

#include <fmt/format.h>

#include <algorithm>

namespace canorun::workflows {
namespace {

// A probe is not of a run.
constexpr SlotSet kHealthSlots = slots(model::Slot::kInputs, model::Slot::kEnv);

bool asks_for_outcome(const expr::Expression& expression) {
  return std::ranges::any_of(expression.references(), [](const expr::Reference& reference) {
    const auto& parts = reference.parts;
    return parts.size() > 1 && parts[0].name == "run" && (parts[1].name == "status" || parts[1].name == "error");
  });
}

}  // namespace

void AsideCompiler::compile(const Definition& definition, model::Flow& flow) {
  next_ = static_cast<model::StateId>(definition.states.size());
  for (const ServiceDef& def : definition.resources.services) {
    flow.services.push_back({.name = def.name->text,
                             .setup = service(def.setup, def, "setup", kStateSlots),
                             .teardown = service(def.teardown, def, "teardown", kStateSlots),
                             .health = service(def.health, def, "health", kHealthSlots)});
  }
  for (const ActionDef& def : definition.on_end) flow.on_end.push_back(end_action(def, flow.on_end.size() + 1));
}

std::optional<model::State> AsideCompiler::service(const InnerAction& def, const ServiceDef& service,
                                                   std::string_view part, SlotSet scope) {
  if (!def) return std::nullopt;
  return state(*def, fmt::format("services.{}.{}", service.name->text, part), place("an action", scope));
}

model::EndAction AsideCompiler::end_action(const ActionDef& def, std::size_t number) {
  Place around = place("'when'", kStateSlots);
  around.at_end = true;
  auto when = condition(def, around);
  around.name = "an action";
  model::EndAction action{.when = std::move(when), .state = state(def, fmt::format("on_end.{}", number), around)};
  reads_.pass_over({});
  return action;
}

// Who asks how the run ended, or for a state, has thought of what may be missing.
std::optional<expr::Expression> AsideCompiler::condition(const ActionDef& def, Place& place) {
  if (def.when == nullptr) return std::nullopt;
  auto when = expressions_.condition(*def.when, "'when'", place);
  if (!when || asks_for_outcome(when->expression)) place.moment.phase = Phase::kNone;
  if (!when) return std::nullopt;
  reads_.pass_over(states_in(when->expression, names_));
  return std::move(when->expression);
}

model::State AsideCompiler::state(const ActionDef& def, std::string name, const Place& place) {
  model::State state;
  state.name = std::move(name);
  const model::TaskKind* const kind = model::find_kind(reader_.catalog, def.kind_name);
  if (kind != nullptr && kind->runs_flow) {
    reader_.error(Code::kBadValue, *def.kind,
                  fmt::format("only states can run flows: '{}' cannot stand here", kind->name), "make a state of it");
    state.shape = model::ActionShape{};
  } else {
    state.shape = model::ActionShape{actions_.compile(def, place)};
  }
  return state;
}

Place AsideCompiler::place(std::string_view name, SlotSet scope) {
  return {.name = name, .scope = scope, .moment = {next_++, Phase::kAside}};
}

}  // namespace canorun::workflows
