// "Did you mean": the nearest of a set of known names.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace canorun {

/// The known name with the smallest edit distance (swaps of neighbours count as one), if it is
/// near enough to be what was meant: at most a third of the length, at least one.
std::optional<std::string_view> nearest(std::string_view name, std::span<const std::string_view> known);

/// `did you mean 'x'?`, or `known: a, b, c` where nothing is near, or nothing where `known` is empty.
std::string suggestion(std::string_view name, std::span<const std::string_view> known);
/// The same where the nearest one was looked for.
std::string suggestion_of(std::optional<std::string_view> nearest, std::span<const std::string_view> known);

}  // namespace canorun
