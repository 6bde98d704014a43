#include "engine/model/scope.h"

namespace canorun::model {

const expr::Environment& environment() {
  static const expr::Environment names = [] {
    expr::Environment made;
    for (const std::string_view name : kSlotNames) made.declare(std::string(name));
    return made;
  }();
  return names;
}

}  // namespace canorun::model
