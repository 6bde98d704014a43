// Appending in place: the file may be large, others may have it open and append to it, too. So it is no new
// file, and a half of what is appended can be seen until the rest is there.
//
// Doing it again: before anything is written, a note says how long the file was. What is found there
// afterwards tells how much is still to be written. A lock keeps other work of this kind away between the
// look at the length and the end of the write.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <thread>

#include "tasks/file_access.h"
#include "tasks/file_note.h"
#include "tasks/file_work.h"

namespace canorun::tasks {
namespace {

constexpr std::chrono::milliseconds kLockPause{5};
constexpr int kMostTries = 1000;

// Where the file system has no locks, there is none.
void lock(const Fd& file, const Stop& stop) {
  while (::flock(file.get(), LOCK_EX | LOCK_NB) != 0 && (errno == EWOULDBLOCK || errno == EINTR)) {
    stop.check();
    std::this_thread::sleep_for(kLockPause);
  }
}

bool is_still_at(const std::string& path, const Fd& file) {
  struct stat opened{};
  struct stat found{};
  return ::fstat(file.get(), &opened) == 0 && ::stat(path.c_str(), &found) == 0 && opened.st_dev == found.st_dev &&
         opened.st_ino == found.st_ino;
}

// Standing at its end, and locked. It may be replaced while the lock is waited for.
Result<Fd> open_to_append(const std::string& path, const Stop& stop) {
  for (int tries = 0; tries < kMostTries; ++tries) {
    stop.check();
    if (const auto looked = look_before_writing(path); !looked) return std::unexpected(looked.error());
    Fd file(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0666));
    if (!file) return cannot_open_to_write(errno);
    lock(file, stop);
    if (!is_still_at(path, file)) continue;
    if (::lseek(file.get(), 0, SEEK_END) < 0) return system_failure(errno);
    return file;
  }
  return fail("it is replaced again and again");
}

off_t size_of(const Fd& file) { return ::lseek(file.get(), 0, SEEK_CUR); }

// How much of the content stands where the note says that it begins; none where something else does.
Result<std::size_t> already_there(const FileWork& work, off_t begin, off_t end) {
  if (begin >= end) return 0;
  const auto file = open_to_read(work.path);
  if (!file) return std::unexpected(file.error());
  if (::lseek(file->get(), begin, SEEK_SET) < 0) return system_failure(errno);
  const auto found = read_at_most(*file, work.content.size());
  if (!found) return std::unexpected(found.error());
  const bool whole = found->size() == work.content.size();
  const bool last = begin + static_cast<off_t>(found->size()) == end;
  return work.content.starts_with(*found) && (whole || last) ? found->size() : 0;
}

// Cuts off what was just written, unless others have written behind it.
void take_back(const Fd& file, std::size_t written) {
  struct stat now{};
  const off_t end = size_of(file);
  if (::fstat(file.get(), &now) != 0 || now.st_size != end) return;
  (void)::ftruncate(file.get(), end - static_cast<off_t>(written));
}

}  // namespace

Result<Json> append_file(const FileWork& work, const Stop& stop) {
  const std::string path = behind_links(work.path);
  auto file = open_to_append(path, stop);
  if (!file) return std::unexpected(file.error());
  const off_t before = size_of(*file);
  std::size_t there = 0;
  if (const auto note = read_note(work)) {
    const auto found = already_there(work, note->get<off_t>(), before);
    if (!found) return std::unexpected(found.error());
    there = *found;
  }
  std::string_view left = std::string_view(work.content).substr(there);
  if (there == 0) {
    if (auto kept = keep_note(work, before); !kept) return std::unexpected(kept.error());
  }
  auto appended = write_all(*file, left);
  if (appended && ::fsync(file->get()) != 0) appended = system_failure(errno);
  if (appended && before == 0) appended = sync_folder_of(path);
  if (!appended) {
    take_back(*file, work.content.size() - there - left.size());
    if (there == 0) drop_note(work);
    return std::unexpected(appended.error());
  }
  return Json{{"path", work.path}, {"size", size_of(*file)}};
}

}  // namespace canorun::tasks
