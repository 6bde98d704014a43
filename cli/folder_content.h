// What a folder holds, in a form in which two of them can be compared.
#pragma once

#include <compare>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>

namespace canorun::cli {

/// One file, folder or link.
struct Entry {
  enum class Kind : std::uint8_t { kFile, kFolder, kLink, kOther };
  Kind kind = Kind::kFile;
  std::uint32_t mode = 0;    ///< permissions; 0 of a link
  std::string content = {};  ///< a file's: the digest of its bytes; a link's: where it leads
  std::uint64_t size = 0;    ///< of a file, in bytes
  std::uint64_t lines = 0;   ///< of a file that is text
  bool is_text = false;
  auto operator<=>(const Entry&) const = default;
};

/// By name, relative to a folder.
using Content = std::map<std::string, Entry>;

/// Reads what is at `path` and below it, under the name `name` (`.`: the folder itself has none). Idempotency keys,
/// which no two runs share, are `{key}` in names and in files.
Content read_content(const std::filesystem::path& path, const std::string& name);

/// `text` with `{key}` in place of every idempotency key (a UUID of version 5).
std::string without_keys(std::string_view text);

/// `file`, `folder`, `link` or `special file`.
std::string_view kind_name(Entry::Kind kind);

}  // namespace canorun::cli
