#include "tasks/save_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <optional>

#include "tasks/file_access.h"

namespace canorun::tasks {
SaveFile::SaveFile(std::string path, const std::string& key) : path_(behind_links(std::move(path))) {
  const auto slash = path_.rfind('/');
  const std::string folder = slash == std::string::npos ? std::string{} : path_.substr(0, slash + 1);
  partial_ = fmt::format("{}.canorun-{}.part", folder, key);
}

SaveFile::~SaveFile() { ::unlink(partial_.c_str()); }

Result<void> SaveFile::open(mode_t mode) {
  if (file_) return {};
  const auto replaced = look_before_writing(path_);
  if (!replaced) return std::unexpected(replaced.error());
  ::unlink(partial_.c_str());
  // What replaces a file that only some may read is never open to others.
  file_.reset(::open(partial_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, *replaced ? 0600 : mode));
  if (!file_) return cannot_open_to_write(errno);
  if (*replaced && !inherit(file_, **replaced)) return system_failure(errno);
  return {};
}

Result<void> SaveFile::write(std::string_view bytes) {
  if (auto opened = open(); !opened) return opened;
  return write_all(file_, bytes);
}

Result<void> SaveFile::commit() {
  if (auto opened = open(); !opened) return opened;
  // The row that says the file is there is durable: so is the file, name and all.
  if (::fsync(file_.get()) != 0 || ::rename(partial_.c_str(), path_.c_str()) != 0) return system_failure(errno);
  file_.reset();
  return sync_folder_of(path_);
}

}  // namespace canorun::tasks
