// How many columns of a terminal a character takes.
#pragma once

#include <cstddef>
#include <string_view>

namespace canorun {

/// Of the first character of `text` (UTF-8): 2 for wide ones (Chinese, Japanese, Korean, emoji), 0 for those
/// that are put onto the one before, else 1. Terminals differ on rare ones.
std::size_t display_width(std::string_view text);

}  // namespace canorun
