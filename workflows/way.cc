#include "workflows/way.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace canorun::workflows {

std::string way_text(std::span<const std::string_view> names, std::size_t most) {
  if (names.size() <= most) return fmt::format("{}", fmt::join(names, " → "));
  return fmt::format("{} → … → {}", fmt::join(names.first(most / 2), " → "), fmt::join(names.last(most / 2), " → "));
}

}  // namespace canorun::workflows
