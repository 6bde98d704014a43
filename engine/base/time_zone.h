// Time zones by name: the one door to the system's zone database.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace canorun {

/// What clocks in a zone of the IANA database (`Europe/Berlin`) are ahead of UTC at that moment; nothing
/// when there is no such zone, or no database.
std::optional<std::chrono::seconds> zone_offset(std::string_view name, std::chrono::sys_seconds at);

}  // namespace canorun
