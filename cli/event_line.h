// What happens in a run, as a line for people.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cli/text.h"
#include "engine/model/event.h"

namespace canorun::cli {

enum class Detail : std::uint8_t { kQuiet, kNormal, kVerbose };

/// Its line, without an end; none: it has none with so much detail. `marks`: a person watches, who sees in live lines
/// what runs, and the line begins with a sign.
std::optional<std::string> event_line(const model::Event& event, Detail detail, bool marks, const Style& style);

/// What an attempt waits for.
std::string held_text(const model::Held& event);

}  // namespace canorun::cli
