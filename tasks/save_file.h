// A file that appears whole or not at all.
#pragma once

#include <string>
#include <string_view>

#include "engine/base/fd.h"
#include "engine/base/result.h"

namespace canorun::tasks {

/// Writes beside the target and renames at the end. What was not committed is removed; what a killed
/// process left is taken over by the next attempt with the same key.
class SaveFile {
 public:
  /// `key` is the same for every attempt of one piece of work, and no other's.
  SaveFile(std::string path, const std::string& key);
  ~SaveFile();
  SaveFile(const SaveFile&) = delete;
  SaveFile& operator=(const SaveFile&) = delete;

  Result<void> write(std::string_view bytes);
  /// An empty file when nothing was written.
  Result<void> commit();

 private:
  Result<void> open();
  std::unexpected<Error> failed() const;

  std::string path_;
  std::string partial_;
  Fd file_;
};

}  // namespace canorun::tasks
