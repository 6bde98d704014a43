#include "engine/base/time_zone.h"

#include <date/tz.h>

#include <stdexcept>

namespace canorun {

std::optional<std::chrono::seconds> zone_offset(std::string_view name, std::chrono::sys_seconds at) {
  try {
    return date::locate_zone(name)->get_info(date::sys_seconds(at.time_since_epoch())).offset;
  } catch (const std::runtime_error&) {
    return std::nullopt;
  }
}

}  // namespace canorun
