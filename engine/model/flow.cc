#include "engine/model/flow.h"

#include <algorithm>
#include <array>

namespace canorun::model {
namespace {

constexpr std::array<std::string_view, 7> kInputTypes{"string", "int", "double", "bool", "list", "map", "any"};

}  // namespace

std::optional<StateId> Flow::find(std::string_view state) const {
  const auto found = by_name.find(std::string(state));
  if (found == by_name.end()) return std::nullopt;
  return found->second;
}

bool fits(InputType type, const Json& value) {
  switch (type) {
    case InputType::kString: return value.is_string();
    case InputType::kInt: return value.is_number_integer();
    case InputType::kDouble: return value.is_number();
    case InputType::kBool: return value.is_boolean();
    case InputType::kList: return value.is_array();
    case InputType::kMap: return value.is_object();
    case InputType::kAny: return true;
  }
  return false;
}

std::string_view input_type_name(InputType type) { return kInputTypes[static_cast<std::size_t>(type)]; }

std::optional<InputType> input_type_from(std::string_view name) {
  const auto found = std::find(kInputTypes.begin(), kInputTypes.end(), name);
  if (found == kInputTypes.end()) return std::nullopt;
  return static_cast<InputType>(found - kInputTypes.begin());
}

}  // namespace canorun::model
