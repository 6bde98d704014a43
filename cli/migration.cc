#include "cli/migration.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "cli/text.h"
#include "engine/run/saga.h"
#include "workflows/changes.h"

namespace canorun::cli {
namespace {

// The states that the run is in or can come to, and those that it owes something of.
std::set<std::string_view> states_ahead(const model::Flow& flow, const run::RunState& run) {
  std::set<std::string_view> names;
  for (const run::Owed& owed : run.owed) {
    if (!owed.undone) names.insert(run.states[owed.record].name);
  }
  if (run.rollback) return names;
  std::set<model::StateId> seen;
  std::vector<model::StateId> left;
  const auto meet = [&](model::StateId state) {
    if (seen.insert(state).second) left.push_back(state);
  };
  meet(run.current ? flow.find(run.current_state()).value_or(flow.start) : flow.start);
  while (!left.empty()) {
    const model::State& state = flow.states[left.back()];
    left.pop_back();
    names.insert(state.name);
    for (const auto* rules : {&state.next, &state.on_error}) {
      for (const model::Transition& rule : *rules) meet(rule.to);
    }
  }
  return names;
}

// Of which something is owed that the flow cannot undo, the last first.
std::vector<std::string> owed_but_missing(const model::Flow& flow, const run::RunState& run) {
  std::vector<std::string> names;
  for (auto it = run.owed.rbegin(); it != run.owed.rend(); ++it) {
    const std::string& state = run.states[it->record].name;
    const bool counts = !it->undone && std::ranges::find(names, state) == names.end();
    if (counts && run::compensation_of(flow, state, it->part) == nullptr) names.push_back(state);
  }
  return names;
}

}  // namespace

Migration migration_to(const model::Flow& flow, const run::RunState& run, const std::string& before) {
  workflows::Changes changes = workflows::changes_between(before, flow.text);
  const auto ahead = states_ahead(flow, run);
  std::erase_if(changes.altered, [&](const std::string& name) { return !ahead.contains(name); });
  return {.from = run.start.version,
          .to = flow.version,
          .added = std::move(changes.added),
          .removed = std::move(changes.removed),
          .altered = std::move(changes.altered),
          .missing = owed_but_missing(flow, run),
          .others = std::move(changes.others)};
}

std::string migration_text(const Migration& migration, const run::RunState& run) {
  std::string out =
      migration.from == migration.to
          ? fmt::format("{} goes on with another definition of {}, version {}\n", run.id, run.start.flow, migration.to)
          : fmt::format("{} goes from version {} of {} to version {}\n", run.id, migration.from, run.start.flow,
                        migration.to);
  const auto tell = [&](const std::vector<std::string>& names, std::string_view what) {
    if (!names.empty()) out += fmt::format("  {}: {}\n", what, fmt::join(names, ", "));
  };
  tell(migration.added, "states added");
  tell(migration.removed, "states removed");
  tell(migration.altered, "states altered, where the run is or will be");
  tell(migration.missing, "owed, and without a compensation");
  tell(migration.others, "also changed");
  return out;
}

Json to_json(const Migration& migration) {
  return {{"from", migration.from},       {"to", migration.to},           {"added", migration.added},
          {"removed", migration.removed}, {"altered", migration.altered}, {"missing", migration.missing},
          {"others", migration.others}};
}

OrRefusal<void> check_values(const model::Flow& flow, const run::RunState& run) {
  const auto refuse_value = [&](std::string what, std::string hint) {
    return refuse(RefusalKind::kInvalidInputs, fmt::format("run '{}' {}", run.id, what), std::move(hint));
  };
  for (const model::Input& input : flow.inputs) {
    if (input.secret && run.start.secrets.contains(input.name)) continue;
    if (input.secret) {
      return refuse_value(fmt::format("has no value of the secret input '{}': it was begun without it", input.name),
                          "leave --file away to go on with what it was begun with, or start a new run");
    }
    const auto value = run.start.inputs.find(input.name);
    if (value == run.start.inputs.end() && !input.fallback) {
      return refuse_value(fmt::format("has no value of the input '{}': it was begun without it", input.name),
                          "give the input a default in the new definition, or start a new run");
    }
    if (value != run.start.inputs.end() && model::fits(input.type, *value) && !model::is_allowed(input, *value)) {
      return refuse_value(fmt::format("has {} as the input '{}', which the new definition does not allow",
                                      brief(*value, 80), input.name),
                          "keep it among the values of 'enum', or start a new run");
    }
    if (value != run.start.inputs.end() && !model::fits(input.type, *value)) {
      return refuse_value(fmt::format("has {} as the input '{}', and the new definition takes {}", type_name(*value),
                                      input.name, input_type_name(input.type)),
                          "take the type that it had, or start a new run");
    }
  }
  for (const model::Var& var : flow.vars) {
    const auto value = run.vars.find(var.name);
    if (value == run.vars.end() || model::fits(var.type, *value)) continue;
    return refuse_value(fmt::format("has {} in the variable '{}', which holds {} in the new definition",
                                    type_name(*value), var.name, input_type_name(var.type)),
                        "take the type that it had, or give the variable another name");
  }
  return {};
}

OrRefusal<void> check_compensations(const model::Flow& flow, const run::RunState& run) {
  const std::vector<std::string> missing = owed_but_missing(flow, run);
  if (missing.empty()) return {};
  return refuse(RefusalKind::kMissingCompensation,
                fmt::format("run '{}' did what the new definition cannot undo: {}", run.id, fmt::join(missing, ", ")),
                "keep their 'compensate' in the new definition for as long as there are runs that need it");
}

}  // namespace canorun::cli
