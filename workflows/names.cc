#include "workflows/names.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace canorun::workflows {
namespace {

void add(std::vector<std::string_view>& names, std::unordered_map<std::string_view, std::uint32_t>& index,
         std::string_view name) {
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

Names::Names(const Definition& flow) {
  for (const Entry& var : flow.vars) add(vars_, var_index_, var.key->text);
  for (const StateDef& state : flow.states) add(states_, state_index_, state.text());
}

std::optional<model::StateId> Names::state(std::string_view name) const {
  const auto found = state_index_.find(name);
  return found != state_index_.end() ? std::optional(found->second) : std::nullopt;
}

std::optional<std::uint32_t> Names::var(std::string_view name) const {
  const auto found = var_index_.find(name);
  return found != var_index_.end() ? std::optional(found->second) : std::nullopt;
}

std::optional<NameProblem> check_scope(const expr::Reference& reference, const Place& place) {
  const auto& first = reference.parts.front();
  const auto slot = std::ranges::find(model::kSlotNames, std::string_view(first.name));
  // A name that an expression brings itself, as the macros of lists do.
  if (slot == model::kSlotNames.end()) return std::nullopt;
  if ((place.scope & slots(static_cast<model::Slot>(slot - model::kSlotNames.begin()))) != 0) return std::nullopt;
  return NameProblem{first.span, fmt::format("'{}' is not in scope in {}", first.name, place.name),
                     scope_hint(place.scope)};
}

}  // namespace canorun::workflows
