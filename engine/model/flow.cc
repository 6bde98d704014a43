#include "engine/model/flow.h"

#include <algorithm>

#include "engine/model/types.h"

namespace canorun::model {

bool is_work(const State& state) {
  return !std::holds_alternative<RouteShape>(state.shape) && !std::holds_alternative<ExitShape>(state.shape);
}

std::optional<StateId> Flow::find(std::string_view state) const {
  const auto found = by_name.find(std::string(state));
  if (found == by_name.end()) return std::nullopt;
  return found->second;
}

bool fits(InputType type, const Json& value) { return (json_kinds(type) & json_kind(value)) != 0; }

void convert(InputType type, Json& value) {
  if (type == InputType::kDouble) value = value.get<double>();
}

bool is_allowed(const Input& input, const Json& value) {
  return input.one_of.empty() || std::ranges::find(input.one_of, value) != input.one_of.end();
}

std::string_view input_type_name(InputType type) { return kInputTypeNames[static_cast<std::size_t>(type)]; }

std::optional<InputType> input_type_from(std::string_view name) {
  const auto found = std::find(kInputTypeNames.begin(), kInputTypeNames.end(), name);
  if (found == kInputTypeNames.end()) return std::nullopt;
  return static_cast<InputType>(found - kInputTypeNames.begin());
}

}  // namespace canorun::model
