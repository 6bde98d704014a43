#include "tasks/file_work.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "engine/base/clock.h"
#include "engine/base/duration.h"
#include "tasks/file_access.h"
#include "tasks/save_file.h"

namespace canorun::tasks {
namespace {

// Between two pieces of a copy its end can be asked for.
constexpr std::size_t kPiece = std::size_t{16} << 20;
constexpr std::size_t kReadPiece = std::size_t{1} << 20;

Result<Json> read_file(const FileWork& work, const Stop&) {
  const auto file = open_to_read(work.path);
  if (!file) return std::unexpected(file.error());
  auto bytes = read_at_most(*file, work.max_size + 1);
  if (!bytes) return std::unexpected(bytes.error());
  if (bytes->size() > work.max_size) {
    return fail(fmt::format("it is larger than {}", human_size(work.max_size)),
                "raise `max_size`, or let a command read it");
  }
  const std::size_t size = bytes->size();
  work.masker->mask(*bytes);
  Json output{{"path", work.path}, {"size", size}, {"content", to_utf8(*bytes)}};
  if (auto parsed = add_parsed(work.parse, *bytes, {}, output); !parsed) return std::unexpected(parsed.error());
  return output;
}

Result<Json> write_file(const FileWork& work, const Stop&) {
  SaveFile file(work.path, work.key);
  auto written = file.write(work.content);
  if (written) written = file.commit();
  if (!written) return std::unexpected(written.error());
  return Json{{"path", work.path}, {"size", work.content.size()}};
}

Result<Json> copy_file(const FileWork& work, const Stop& stop) {
  SaveFile copy(work.to, work.key);
  const auto from = open_to_read(work.path);
  if (!from) return at_path(work.path, from.error());
  struct stat source{};
  struct stat target{};
  if (::fstat(from->get(), &source) != 0) return at_path(work.path, system_failure(errno).error());
  if (::stat(work.to.c_str(), &target) == 0 && source.st_dev == target.st_dev && source.st_ino == target.st_ino) {
    return fail("they are the same file");
  }
  if (auto opened = copy.open(source.st_mode & 0777); !opened) return at_path(work.to, opened.error());
  auto copied = copy_content(*from, copy.file(), stop);
  const off_t size = ::lseek(copy.file().get(), 0, SEEK_CUR);
  if (copied) copied = copy.commit();
  if (!copied) return std::unexpected(copied.error());
  return Json{{"path", work.to}, {"size", size}};
}

Result<Json> remove_file(const FileWork& work, const Stop&) {
  const bool removed = ::unlink(work.path.c_str()) == 0;
  if (!removed && errno == EISDIR) return fail("is a folder", "`rm -r` in a `run` state removes one");
  if (!removed && errno != ENOENT && errno != ENOTDIR) return system_failure(errno);
  // Also where nothing was: an attempt that was cut off may have removed it, not yet durably.
  const auto synced = sync_folder_of(work.path);
  if (removed && !synced) return std::unexpected(synced.error());
  return Json{{"path", work.path}};
}

std::string modified_at(const struct stat& status) {
  const auto time = std::chrono::seconds(status.st_mtim.tv_sec) + std::chrono::nanoseconds(status.st_mtim.tv_nsec);
  return format_time(WallTime(std::chrono::floor<Millis>(time)));
}

Result<Json> stat_file(const FileWork& work, const Stop&) {
  struct stat status{};
  if (::stat(work.path.c_str(), &status) != 0) {
    if (errno != ENOENT && errno != ENOTDIR) return system_failure(errno);
    return Json{{"path", work.path}, {"exists", false}, {"type", "none"}, {"size", 0}, {"modified_at", nullptr}};
  }
  const bool is_file = S_ISREG(status.st_mode);
  return Json{{"path", work.path},
              {"exists", true},
              {"type", is_file                   ? "file"
                       : S_ISDIR(status.st_mode) ? "folder"
                                                 : "other"},
              {"size", is_file ? status.st_size : 0},
              {"modified_at", modified_at(status)}};
}

struct Operation {
  std::string_view verb;
  Result<Json> (*perform)(const FileWork&, const Stop&);
  bool needs_note = false;
};

// In the order of FileOp.
constexpr std::array<Operation, 7> kOperations{{{"read", read_file},
                                                {"write", write_file},
                                                {"append to", append_file, true},
                                                {"copy", copy_file},
                                                {"move", move_file, true},
                                                {"remove", remove_file},
                                                {"look at", stat_file}}};

const Operation& operation(FileOp op) { return kOperations[static_cast<std::size_t>(op)]; }

// A piece of what is to be copied; 0 at its end. The kernel copies it, or shares the blocks, where it can;
// otherwise, and at the end, reading tells.
Result<std::size_t> copy_piece(const Fd& from, const Fd& to) {
  const ssize_t count = ::copy_file_range(from.get(), nullptr, to.get(), nullptr, kPiece, 0);
  if (count > 0) return static_cast<std::size_t>(count);
  const auto bytes = read_at_most(from, kReadPiece);
  if (!bytes) return std::unexpected(bytes.error());
  std::string_view left = *bytes;
  if (auto written = write_all(to, left); !written) return std::unexpected(written.error());
  return bytes->size();
}

// What cannot be synced in ranges will be as a whole.
Result<void> sync_range(const Fd& file, off_t at, off_t size, unsigned what) {
  if (size == 0 || ::sync_file_range(file.get(), at, size, what) == 0) return {};
  if (errno == EIO || errno == ENOSPC || errno == EDQUOT) return system_failure(errno);
  return {};
}

}  // namespace

bool needs_note(FileOp op) { return operation(op).needs_note; }

std::unexpected<Error> at_path(const std::string& path, Error error) {
  return fail(fmt::format("{}: {}", path, error.message), std::move(error.hint));
}

// What was written is sent to the disk while the next piece is copied: otherwise it would all wait for the
// last fsync, which nothing can end.
Result<void> copy_content(const Fd& from, const Fd& to, const Stop& stop) {
  constexpr unsigned kBegin = SYNC_FILE_RANGE_WRITE;
  constexpr unsigned kFinish = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
  off_t begun = 0;
  off_t done = 0;
  while (true) {
    stop.check();
    const auto count = copy_piece(from, to);
    if (!count) return std::unexpected(count.error());
    if (*count == 0) return {};
    const auto size = static_cast<off_t>(*count);
    if (auto good = sync_range(to, done, size, kBegin); !good) return good;
    if (auto good = sync_range(to, begun, done - begun, kFinish); !good) return good;
    begun = done;
    done += size;
  }
}

Result<Json> do_file_work(const FileWork& work, const Stop& stop) {
  const Operation& op = operation(work.op);
  auto output = op.perform(work, stop);
  if (output) {
    normalize(*output);
    return output;
  }
  const std::string to = work.to.empty() ? std::string() : fmt::format(" to {}", work.to);
  return fail(fmt::format("cannot {} {}{}: {}", op.verb, work.path, to, output.error().message),
              std::move(output.error().hint));
}

}  // namespace canorun::tasks
