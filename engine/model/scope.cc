#include "engine/model/scope.h"

namespace canorun::model {

const expr::Environment& environment() {
  static const expr::Environment names = environment_with(kSlotNames[static_cast<std::size_t>(Slot::kItem)]);
  return names;
}

expr::Environment environment_with(std::string_view item) {
  expr::Environment made;
  for (std::size_t i = 0; i < kSlotCount; ++i) {
    made.declare(std::string(i == static_cast<std::size_t>(Slot::kItem) ? item : kSlotNames[i]));
  }
  return made;
}

}  // namespace canorun::model
