// Durations and sizes as flow files write them: `1m30s`, `64KiB`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/clock.h"
#include "engine/base/result.h"

namespace canorun {

/// Parses `250ms`, `5s`, `1m30s`, `2h`, `1d`: units in falling order, each once. A bare number,
/// a sign and more than 100 years are errors.
Result<Millis> parse_duration(std::string_view text);

/// A regular expression of what `parse_duration` takes, but for the bound. With `above_zero`, only of
/// what is longer than nothing.
std::string duration_pattern(bool above_zero);

/// The shortest exact form that `parse_duration` reads back.
std::string format_duration(Millis duration);

/// For people: two units at most (`1m 12s`, `3.4s`, `120ms`).
std::string human_duration(Millis duration);

/// Parses `512B`, `64KiB`, `1MiB`, `2GiB`, or a count of bytes; above 1 TiB is an error.
Result<std::uint64_t> parse_size(std::string_view text);

/// A regular expression of what `parse_size` takes, but for the bound.
std::string size_pattern();

/// For people: `1.5 MiB`.
std::string human_size(std::uint64_t bytes);

}  // namespace canorun
