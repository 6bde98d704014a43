// Copies a folder with all that is in it, and takes such a copy away again.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "engine/base/result.h"

namespace canorun::cli {

struct CopyRule {
  std::uint64_t most_bytes = UINT64_MAX;
  std::size_t most_entries = SIZE_MAX;
  std::vector<std::filesystem::path> leave_out = {};  ///< absolute, with what is below them
  /// Links whose absolute targets lie below `from` lead to the same place below `to` instead.
  std::filesystem::path from = {};
  std::filesystem::path to = {};
};

/// Makes the folder `to`, which is not there, like `from`: files, folders and links with their permissions and times.
/// Sockets, pipes and devices are left out. What is too big, or cannot be read, is an error; a part may be there then.
Result<void> copy_folder(const std::filesystem::path& from, const std::filesystem::path& to, const CopyRule& rule);

/// Also where permissions stand in the way. What cannot be removed is left.
void remove_folder(const std::filesystem::path& folder);

/// Whether `path` is `folder`, or lies below it, going by their names.
bool is_within(const std::filesystem::path& path, const std::filesystem::path& folder);

}  // namespace canorun::cli
