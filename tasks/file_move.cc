// Moving: a rename, or to another file system a copy that appears whole before the original goes.
//
// Doing it again: once it is done, the original is not there, as if the path was wrong. So a note says first
// what both paths led to. When the original has gone and something else is at the target, it was done.
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "tasks/file_access.h"
#include "tasks/file_note.h"
#include "tasks/file_work.h"
#include "tasks/save_file.h"

namespace canorun::tasks {
namespace {

/// What is at a path.
struct Found {
  int error = 0;
  struct stat status{};

  bool there() const { return error == 0; }
  /// The same as long as it is the same file; null where there is none. Without the device, whose number
  /// may change when the machine starts.
  Json number() const { return there() ? Json(status.st_ino) : Json(); }
  /// Changes when something is written, too.
  Json version() const {
    if (!there()) return nullptr;
    return {status.st_ino, status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec};
  }
};

Found look(const std::string& path, int flags = 0) {
  Found found;
  if (::fstatat(AT_FDCWD, path.c_str(), &found.status, flags) != 0) found.error = errno;
  return found;
}

bool was_done(const Json& note, const Found& source, const Found& target) {
  return source.number() != note.at("source") && target.there() && target.version() != note.at("target");
}

Result<void> check(const FileWork& work, const Found& source, const Found& target) {
  if (!source.there()) return at_path(work.path, system_failure(source.error).error());
  if (!S_ISREG(source.status.st_mode)) {
    return at_path(work.path, {"is no regular file", "`mv` in a `run` state moves folders and links"});
  }
  if (auto good = look_before_writing(work.to); !good) return at_path(work.to, good.error());
  const bool same =
      target.there() && source.status.st_dev == target.status.st_dev && source.number() == target.number();
  if (same) return fail("they are the same file");
  return {};
}

// Mode, owner and time go along.
Result<void> move_by_copy(const FileWork& work, SaveFile& target, const Stop& stop) {
  const auto from = open_to_read(work.path);
  if (!from) return at_path(work.path, from.error());
  struct stat source{};
  if (::fstat(from->get(), &source) != 0) return at_path(work.path, system_failure(errno).error());
  if (auto opened = target.open(S_IRUSR | S_IWUSR); !opened) return at_path(work.to, opened.error());
  if (auto copied = copy_content(*from, target.file(), stop); !copied) return copied;
  const std::array<timespec, 2> times{source.st_atim, source.st_mtim};
  if (!inherit(target.file(), source) || ::futimens(target.file().get(), times.data()) != 0) {
    return system_failure(errno);
  }
  if (auto committed = target.commit(); !committed) return committed;
  if (::unlink(work.path.c_str()) != 0) return at_path(work.path, system_failure(errno).error());
  return {};
}

Result<void> move(const FileWork& work, SaveFile& target, const Stop& stop) {
  if (::rename(work.path.c_str(), target.path().c_str()) == 0) return {};
  if (errno == EXDEV) return move_by_copy(work, target, stop);
  return at_path(work.to, cannot_open_to_write(errno).error());
}

}  // namespace

Result<Json> move_file(const FileWork& work, const Stop& stop) {
  SaveFile target(work.to, work.key);
  const Found source = look(work.path, AT_SYMLINK_NOFOLLOW);
  const Found before = look(work.to);
  const auto note = read_note(work);
  if (!note || !was_done(*note, source, before)) {
    if (auto good = check(work, source, before); !good) return std::unexpected(good.error());
    auto kept = keep_note(work, {{"source", source.number()}, {"target", before.version()}});
    if (kept) kept = move(work, target, stop);
    if (!kept) return std::unexpected(kept.error());
  }
  auto synced = sync_folder_of(target.path());
  if (synced) synced = sync_folder_of(work.path);
  if (!synced) return std::unexpected(synced.error());
  return Json{{"path", work.to}, {"size", look(work.to).status.st_size}};
}

}  // namespace canorun::tasks
