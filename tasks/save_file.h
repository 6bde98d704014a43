// A file that appears whole or not at all.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "engine/base/fd.h"
#include "engine/base/result.h"

namespace canorun::tasks {

/// Writes beside the target and renames at the end. A symbolic link stays, and what it leads to is written.
/// A file that is replaced keeps its mode, and its owner where that is allowed. Errors do not name the
/// target.
///
/// What was not committed is removed; what a killed process left is removed by the next attempt with the
/// same key, whether it comes to write or not. Blocking; one thread at a time.
class SaveFile {
 public:
  /// `key` is the same for every attempt of one piece of work, and no other's.
  SaveFile(std::string path, const std::string& key);
  ~SaveFile();
  SaveFile(const SaveFile&) = delete;
  SaveFile& operator=(const SaveFile&) = delete;

  /// Begins the file, unless it was begun. A new one gets `mode`, less what the umask takes.
  Result<void> open(mode_t mode = 0666);
  Result<void> write(std::string_view bytes);
  /// Where it will be: behind the links.
  const std::string& path() const { return path_; }
  /// What was begun, for other ways to fill it.
  const Fd& file() const { return file_; }
  /// Makes content and name durable. An empty file when nothing was written.
  Result<void> commit();

 private:
  std::string path_;
  std::string partial_;
  Fd file_;
};

}  // namespace canorun::tasks
