#include "workflows/names.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <span>

namespace canorun::workflows {
namespace {

constexpr std::array<std::string_view, 4> kRunFields{"id", "flow", "version", "started_at"};
constexpr std::array<std::string_view, 3> kActionFields{"idempotency_key", "visit", "attempt"};
constexpr std::array<std::string_view, 5> kErrorFields{"kind", "message", "state", "attempts", "exit_code"};
constexpr std::array<std::string_view, 3> kStateFields{"output", "error", "visits"};

using Part = expr::Reference::Part;

std::optional<NameProblem> unknown(Code code, const Part& part, std::string message, std::span<const std::string_view> known) {
  return NameProblem{code, part.span, std::move(message), part.name, {known.begin(), known.end()}};
}

// A field of a map whose fields are all known.
std::optional<NameProblem> check_field(const Part& part, std::string_view owner, std::span<const std::string_view> fields) {
  if (std::ranges::find(fields, std::string_view(part.name)) != fields.end()) return std::nullopt;
  return unknown(Code::kUnknownName, part, fmt::format("{} has no '{}'", owner, part.name), fields);
}

std::optional<NameProblem> check_output(const Part& part, const model::TaskKind* kind) {
  if (kind == nullptr || kind->outputs.empty() || part.optional) return std::nullopt;
  std::vector<std::string_view> fields;
  for (const model::Param& field : kind->outputs) fields.push_back(field.name);
  return check_field(part, fmt::format("the output of '{}'", kind->name), fields);
}

void add(std::vector<std::string_view>& names, std::unordered_map<std::string_view, std::uint32_t>& index, std::string_view name) {
  index.emplace(name, static_cast<std::uint32_t>(names.size()));
  names.push_back(name);
}

std::string scope_hint(SlotSet scope) {
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < model::kSlotCount; ++i) {
    if ((scope >> i & 1U) != 0) names.push_back(model::kSlotNames[i]);
  }
  return fmt::format("in scope here: {}", fmt::join(names, ", "));
}

}  // namespace

Names::Names(const Definition& flow, model::Catalog catalog) {
  for (const model::Input& input : flow.inputs) add(inputs_, input_index_, input.name);
  for (const Entry& var : flow.vars) add(vars_, var_index_, var.key->text);
  for (const Entry& variable : flow.env) add(env_, env_index_, variable.key->text);
  for (const StateDef& state : flow.states) {
    add(states_, state_index_, state.text());
    const auto* const action = std::get_if<ActionDef>(&state.shape);
    kinds_.push_back(action != nullptr ? model::find_kind(catalog, action->kind_name) : nullptr);
  }
}

std::optional<model::StateId> Names::state(std::string_view name) const {
  const auto found = state_index_.find(name);
  return found != state_index_.end() ? std::optional(found->second) : std::nullopt;
}

std::optional<std::uint32_t> Names::var(std::string_view name) const {
  const auto found = var_index_.find(name);
  return found != var_index_.end() ? std::optional(found->second) : std::nullopt;
}

std::optional<NameProblem> Names::check_state(const Parts& parts) const {
  const auto id = state(parts[1].name);
  if (!id) return unknown(Code::kUnknownState, parts[1], fmt::format("unknown state '{}'", parts[1].name), states_);
  if (parts.size() < 3) return std::nullopt;
  if (auto problem = check_field(parts[2], "a state", kStateFields)) return problem;
  if (parts.size() < 4) return std::nullopt;
  if (parts[2].name == "output") return check_output(parts[3], kinds_[*id]);
  if (parts[2].name == "error") return check_field(parts[3], "an error", kErrorFields);
  return std::nullopt;
}

std::optional<NameProblem> Names::check(const expr::Reference& reference, const Place& place) const {
  const Parts& parts = reference.parts;
  const auto slot_at = std::ranges::find(model::kSlotNames, std::string_view(parts.front().name));
  // A name that an expression brings itself, as the macros of lists do.
  if (slot_at == model::kSlotNames.end()) return std::nullopt;
  const auto slot = static_cast<model::Slot>(slot_at - model::kSlotNames.begin());
  if ((place.scope & slots(slot)) == 0) {
    auto problem = unknown(Code::kUnknownName, parts.front(),
                           fmt::format("'{}' is not in scope in {}", parts.front().name, place.name), {});
    problem->hint = scope_hint(place.scope);
    return problem;
  }
  if (parts.size() < 2) return std::nullopt;
  const Part& field = parts[1];
  const std::string_view name = field.name;
  switch (slot) {
    case model::Slot::kInputs:
      if (input_index_.contains(name)) return std::nullopt;
      return unknown(Code::kUnknownInput, field, fmt::format("unknown input '{}'", name), inputs_);
    case model::Slot::kVars:
      if (var_index_.contains(name)) return std::nullopt;
      return unknown(Code::kUnknownVariable, field, fmt::format("unknown variable '{}'", name), vars_);
    case model::Slot::kEnv:
      if (env_index_.contains(name)) return std::nullopt;
      return unknown(Code::kUnknownName, field, fmt::format("'env' has no '{}'", name), env_);
    case model::Slot::kStates: return check_state(parts);
    case model::Slot::kRun: return check_field(field, "'run'", kRunFields);
    case model::Slot::kAction: return check_field(field, "'action'", kActionFields);
    case model::Slot::kOutput: return check_output(field, place.output);
    case model::Slot::kError: return check_field(field, "an error", kErrorFields);
  }
  return std::nullopt;
}

}  // namespace canorun::workflows
