// Paths as the author of a flow means them.
#pragma once

#include <string>

namespace canorun {

/// What is not absolute starts from `folder`.
inline std::string path_in(const std::string& folder, const std::string& path) {
  return path.starts_with('/') ? path : folder + "/" + path;
}

}  // namespace canorun
