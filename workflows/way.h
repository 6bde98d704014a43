// How a way through a flow is shown.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace canorun::workflows {

/// `a → b → … → y → z`: of more than `most` names the first and the last, half of `most` each.
std::string way_text(std::span<const std::string_view> names, std::size_t most);

}  // namespace canorun::workflows
