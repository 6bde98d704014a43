#include "tasks/save_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>

namespace canorun::tasks {

SaveFile::SaveFile(std::string path, const std::string& key) : path_(std::move(path)) {
  const auto slash = path_.rfind('/');
  const std::string folder = slash == std::string::npos ? std::string{} : path_.substr(0, slash + 1);
  partial_ = fmt::format("{}.canorun-{}.part", folder, key);
}

SaveFile::~SaveFile() {
  if (file_) ::unlink(partial_.c_str());
}

std::unexpected<Error> SaveFile::failed() const {
  return fail(fmt::format("cannot save to {}: {}", path_, std::generic_category().message(errno)));
}

Result<void> SaveFile::open() {
  if (file_) return {};
  file_.reset(::open(partial_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666));
  if (!file_) return failed();
  return {};
}

Result<void> SaveFile::write(std::string_view bytes) {
  if (auto opened = open(); !opened) return opened;
  while (!bytes.empty()) {
    const ssize_t count = ::write(file_.get(), bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failed();
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

Result<void> SaveFile::commit() {
  if (auto opened = open(); !opened) return opened;
  // The row that says the file is there is durable: so is the file, name and all.
  if (::fdatasync(file_.get()) != 0 || ::rename(partial_.c_str(), path_.c_str()) != 0) return failed();
  const Fd folder(::open(std::filesystem::path(path_).parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder || ::fsync(folder.get()) != 0) return failed();
  file_.reset();
  return {};
}

}  // namespace canorun::tasks
