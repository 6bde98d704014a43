#include "tasks/file_access.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

namespace canorun::tasks {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kFirstRead = 64 * 1024;
constexpr int kMostLinks = 40;  // as many as Linux follows

std::string_view remedy(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT: return "make room";
    case ENOENT: return "`op: stat` tells whether there is one";
    case EACCES:
    case EPERM: return "the user that runs canorun must be allowed to";
    case EFBIG: return "see `ulimit -f`, or the limits of the file system";
    default: return {};
  }
}

std::unexpected<Error> no_regular_file(mode_t mode) {
  if (S_ISDIR(mode)) return fail("is a folder", "name a file in it");
  return fail("is no regular file");
}

std::string folder_of(const std::string& path) {
  const std::string folder = fs::path(path).parent_path();
  return folder.empty() ? "." : folder;
}

}  // namespace

std::string behind_links(std::string path) {
  for (int followed = 0; followed < kMostLinks; ++followed) {
    std::error_code no_link;
    const fs::path target = fs::read_symlink(path, no_link);
    if (no_link) break;
    path = fs::path(path).parent_path() / target;
  }
  return path;
}

std::unexpected<Error> system_failure(int error) {
  return fail(std::generic_category().message(error), std::string(remedy(error)));
}

Result<Fd> open_to_read(const std::string& path) {
  // Looked at before it is opened: to open a device can do something.
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return system_failure(errno);
  if (!S_ISREG(status.st_mode)) return no_regular_file(status.st_mode);
  Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file || ::fstat(file.get(), &status) != 0) return system_failure(errno);
  if (!S_ISREG(status.st_mode)) return no_regular_file(status.st_mode);
  return file;
}

Result<std::string> read_at_most(const Fd& file, std::uint64_t limit) {
  std::string bytes;
  std::size_t size = 0;
  while (size < limit) {
    if (size == bytes.size()) bytes.resize(std::min(limit, std::max<std::uint64_t>(kFirstRead, 2 * size)));
    const ssize_t count = ::read(file.get(), bytes.data() + size, bytes.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return system_failure(errno);
    if (count == 0) break;
    size += static_cast<std::size_t>(count);
  }
  bytes.resize(size);
  return bytes;
}

Result<std::optional<struct stat>> look_before_writing(const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) return std::nullopt;
    return system_failure(errno);
  }
  if (!S_ISREG(status.st_mode)) return no_regular_file(status.st_mode);
  return status;
}

std::unexpected<Error> cannot_open_to_write(int error) {
  if (error != ENOENT) return system_failure(error);
  return fail("its folder does not exist", "make it first, with `mkdir -p` in a `run` state");
}

Result<void> write_all(const Fd& file, std::string_view& bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(file.get(), bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return system_failure(errno);
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

bool inherit(const Fd& file, const struct stat& model) {
  constexpr uid_t kSame = -1;
  // The mode comes last: a new owner takes away some of its bits.
  mode_t mode = model.st_mode & 07777;
  if (::fchown(file.get(), model.st_uid, model.st_gid) != 0) {
    mode &= 0777;
    if (::fchown(file.get(), kSame, model.st_gid) != 0) mode = (mode & 0707) | (mode & 07) << 3;
  }
  return ::fchmod(file.get(), mode) == 0;
}

Result<void> sync_folder_of(const std::string& path) {
  const Fd folder(::open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder && errno == EACCES) return {};  // it may be written, and not be read
  if (!folder || (::fsync(folder.get()) != 0 && errno != EINVAL)) return system_failure(errno);
  return {};
}

}  // namespace canorun::tasks
