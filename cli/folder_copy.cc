#include "cli/folder_copy.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "engine/base/duration.h"
#include "engine/base/value.h"

namespace canorun::cli {
namespace {

namespace fs = std::filesystem;

class Copier {
 public:
  explicit Copier(const CopyRule& rule) : rule_(rule) {}

  Result<void> folder(const fs::path& from, const fs::path& to) {
    if (::mkdir(to.c_str(), 0700) != 0) return bad("cannot make", to, errno);
    std::error_code error;
    for (fs::directory_iterator entry(from, error), end; !error && entry != end; entry.increment(error)) {
      if (auto copied = one(entry->path(), to / entry->path().filename()); !copied) return copied;
    }
    if (error) return bad("cannot read", from, error.value());
    return like(from, to);
  }

 private:
  static std::unexpected<Error> bad(std::string_view what, const fs::path& path, int error) {
    return fail(fmt::format("{} {}: {}", what, to_utf8(path.native()), std::strerror(error)));
  }

  Result<void> one(const fs::path& from, const fs::path& to) {
    if (std::ranges::find(rule_.leave_out, from) != rule_.leave_out.end()) return {};
    struct stat found{};
    if (::lstat(from.c_str(), &found) != 0) return bad("cannot read", from, errno);
    if (++entries_ > rule_.most_entries) return fail(fmt::format("it has more than {} files", rule_.most_entries));
    if (S_ISDIR(found.st_mode)) return folder(from, to);
    if (S_ISLNK(found.st_mode)) return link(from, to);
    if (!S_ISREG(found.st_mode)) return {};
    bytes_ += static_cast<std::uint64_t>(found.st_size);
    if (bytes_ > rule_.most_bytes) return fail(fmt::format("it has more than {}", human_size(rule_.most_bytes)));
    std::error_code error;
    if (!fs::copy_file(from, to, error)) return bad("cannot copy", from, error.value());
    return like(from, to);
  }

  Result<void> link(const fs::path& from, const fs::path& to) const {
    std::error_code error;
    fs::path target = fs::read_symlink(from, error);
    if (error) return bad("cannot read", from, error.value());
    if (target.is_absolute() && !rule_.from.empty() && is_within(target, rule_.from)) {
      target = rule_.to / target.lexically_relative(rule_.from);
    }
    fs::create_symlink(target, to, error);
    if (error) return bad("cannot make", to, error.value());
    return {};
  }

  // Times matter to who looks for the newest file.
  static Result<void> like(const fs::path& from, const fs::path& to) {
    struct stat model{};
    if (::stat(from.c_str(), &model) != 0) return bad("cannot read", from, errno);
    const struct timespec times[] = {model.st_atim, model.st_mtim};
    if (::chmod(to.c_str(), model.st_mode & 07777) != 0) return bad("cannot change", to, errno);
    if (::utimensat(AT_FDCWD, to.c_str(), times, 0) != 0) return bad("cannot change", to, errno);
    return {};
  }

  const CopyRule& rule_;
  std::size_t entries_ = 0;
  std::uint64_t bytes_ = 0;
};

// Nothing can be taken out of a folder that may not be written.
void make_writable(const fs::path& folder) {
  std::error_code ignored;
  fs::permissions(folder, fs::perms::owner_all, fs::perm_options::add, ignored);
  for (fs::directory_iterator entry(folder, ignored), end; !ignored && entry != end; entry.increment(ignored)) {
    if (entry->symlink_status(ignored).type() == fs::file_type::directory) make_writable(entry->path());
  }
}

}  // namespace

Result<void> copy_folder(const fs::path& from, const fs::path& to, const CopyRule& rule) {
  return Copier(rule).folder(from, to);
}

void remove_folder(const fs::path& folder) {
  std::error_code error;
  fs::remove_all(folder, error);
  if (!error) return;
  make_writable(folder);
  fs::remove_all(folder, error);
}

bool is_within(const fs::path& path, const fs::path& folder) {
  const fs::path relative = path.lexically_normal().lexically_relative(folder.lexically_normal());
  return !relative.empty() && *relative.begin() != "..";
}

}  // namespace canorun::cli
