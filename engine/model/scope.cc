#include "engine/model/scope.h"

namespace canorun::model {

namespace {

constexpr auto kItem = static_cast<std::size_t>(Slot::kItem);

expr::Environment made(std::string_view item, bool in_shape) {
  expr::Environment names;
  for (std::size_t i = 0; i < kSlotCount; ++i) {
    names.declare(std::string(i == kItem ? item : kSlotNames[i]), in_shape || i < kItem);
  }
  return names;
}

}  // namespace

const expr::Environment& environment() {
  static const expr::Environment names = made(slot_name(Slot::kItem), false);
  return names;
}

expr::Environment environment_with(std::string_view item) { return made(item, true); }

}  // namespace canorun::model
