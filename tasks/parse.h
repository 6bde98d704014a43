// Text that is read as one JSON document or as lines: what a command prints, what a file holds.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "engine/base/result.h"
#include "engine/base/value.h"
#include "engine/model/task_kind.h"

namespace canorun::tasks {

enum class Parse : std::uint8_t { kNone, kJson, kLines };

/// The values of the parameter `parse`, in the order of the enum.
inline constexpr std::array<std::string_view, 3> kParseForms{"none", "json", "lines"};

/// When the fields `json` and `lines` of an output are there.
inline constexpr std::array<std::string_view, 1> kJsonForm{"json"};
inline constexpr std::array<std::string_view, 1> kLinesForm{"lines"};
inline constexpr model::With kWithJson{.param = "parse", .values = kJsonForm};
inline constexpr model::With kWithLines{.param = "parse", .values = kLinesForm};

/// The checked parameter; `kNone` where it is not given.
Parse read_parse(const Json& params);

/// Adds what `parse` asks for to the output. The error says that `what` is not JSON, and where.
Result<void> add_parsed(Parse parse, std::string_view bytes, std::string_view what, Json& output);

}  // namespace canorun::tasks
