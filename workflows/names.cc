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

// What a shape's `as` says.
std::string_view item_name(const ShapeDef& shape) {
  return std::visit(
      [](const auto& def) -> std::string_view {
        if constexpr (requires { def.as; }) return def.as;
        return {};
      },
      shape);
}

// Where the names are that only some shapes bring; empty for the others.
std::string_view where(model::Slot slot) {
  switch (slot) {
    case model::Slot::kItem:
    case model::Slot::kIndex: return "it is there where a split with 'for_each', a batch or a stream works on one item";
    case model::Slot::kCursor: return "it is there inside 'stepped' and 'stream'";
    case model::Slot::kStep: return "it is there inside 'stepped'";
    case model::Slot::kItems: return "it is there in the 'flush' of a stream";
    default: return {};
  }
}

std::string scope_hint(model::Slot slot, const Place& place) {
  if (slot == model::Slot::kError && place.at_end) return "why the run failed is 'run.error'";
  const bool in_shape = place.scope >= slots(model::Slot::kItem);
  if (const std::string_view there = where(slot); !there.empty() && !in_shape) return std::string(there);
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < model::kSlotCount; ++i) {
    if (place.has(static_cast<model::Slot>(i))) names.push_back(place.environment->names()[i]);
  }
  return fmt::format("in scope here: {}", fmt::join(names, ", "));
}

}  // namespace

Names::Names(const Definition& flow) {
  for (const Entry& var : flow.vars) add(vars_, var_index_, var.key->text);
  for (const StateDef& state : flow.states) {
    add(states_, state_index_, state.text());
    if (const auto as = item_name(state.shape); !as.empty()) items_.emplace(as, state.text());
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

std::string Names::where(std::string_view name, const Place& place) const {
  constexpr auto kItem = model::Slot::kItem;
  if (name == model::slot_name(kItem) && place.has(kItem))
    return fmt::format("here it is called '{}'", place.environment->names()[static_cast<std::size_t>(kItem)]);
  const auto found = items_.find(name);
  return found != items_.end() ? fmt::format("it is there where state '{}' works on one item", found->second) : "";
}

std::optional<NameProblem> check_scope(const expr::Reference& reference, const Place& place) {
  const auto& first = reference.parts.front();
  const auto found = place.environment->slot(first.name);
  // A name that an expression brings itself, as the macros of lists do.
  if (!found) return std::nullopt;
  const auto slot = static_cast<model::Slot>(*found);
  if (place.has(slot)) return std::nullopt;
  return NameProblem{first.span, fmt::format("'{}' is not in scope in {}", first.name, place.name),
                     scope_hint(slot, place)};
}

}  // namespace canorun::workflows
