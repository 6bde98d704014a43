#include "engine/model/flow.h"

#include <algorithm>
#include <array>

#include "engine/model/types.h"

namespace canorun::model {
namespace {

constexpr std::array<std::string_view, 7> kInputTypes{"string", "int", "double", "bool", "list", "map", "any"};

}  // namespace

std::optional<StateId> Flow::find(std::string_view state) const {
  const auto found = by_name.find(std::string(state));
  if (found == by_name.end()) return std::nullopt;
  return found->second;
}

bool fits(InputType type, const Json& value) { return (json_kinds(type) & json_kind(value)) != 0; }

void convert(InputType type, Json& value) {
  if (type == InputType::kDouble) value = value.get<double>();
}

std::string_view input_type_name(InputType type) { return kInputTypes[static_cast<std::size_t>(type)]; }

std::optional<InputType> input_type_from(std::string_view name) {
  const auto found = std::find(kInputTypes.begin(), kInputTypes.end(), name);
  if (found == kInputTypes.end()) return std::nullopt;
  return static_cast<InputType>(found - kInputTypes.begin());
}

}  // namespace canorun::model
