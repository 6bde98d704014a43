#include "engine/run/file_lines.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "engine/base/duration.h"
#include "engine/base/fd.h"
#include "engine/base/line_buffer.h"
#include "engine/model/task.h"
#include "engine/run/timer.h"

namespace canorun::run {
namespace {

namespace asio = boost::asio;

constexpr std::size_t kChunk = std::size_t{64} << 10;
constexpr Millis kLookAgain{2'000};

model::Failure cannot_read(const std::string& path, std::string_view why) {
  return model::failure(model::kind::kTask, fmt::format("cannot read {}: {}", path, why));
}

}  // namespace

struct OpenFile {
  Fd fd;
  dev_t device = 0;
  ino_t inode = 0;
  std::uint64_t read = 0;  ///< up to this byte
  LineBuffer lines;
};

// Says that something may have happened to the file. Shared with the handlers that wait.
class FileLines::Watch : public std::enable_shared_from_this<FileLines::Watch> {
 public:
  Watch(const asio::any_io_executor& executor, std::string path, std::function<void()> ready)
      : path_(std::move(path)), ready_(std::move(ready)), events_(executor), timer_(executor) {
    const int fd = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (fd >= 0) events_.assign(fd);
  }

  void begin() {
    wait_for_event();
    wait_for_time();
  }

  // What is not there cannot be watched, so this is done again whenever the file is looked at.
  void renew() {
    if (!events_.is_open()) return;
    const std::string folder = std::filesystem::path(path_).parent_path();
    ::inotify_add_watch(events_.native_handle(), folder.c_str(), IN_CREATE | IN_MOVED_TO | IN_ONLYDIR);
    ::inotify_add_watch(events_.native_handle(), path_.c_str(), IN_MODIFY | IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF);
  }

  void close() {
    ready_ = nullptr;
    boost::system::error_code ignored;
    events_.close(ignored);
    timer_.cancel();
  }

 private:
  void wait_for_event() {
    if (!events_.is_open()) return;
    events_.async_wait(asio::posix::descriptor_base::wait_read,
                       [self = shared_from_this()](const boost::system::error_code& error) {
                         if (error || !self->ready_) return;
                         std::array<char, 4096> drained{};
                         while (::read(self->events_.native_handle(), drained.data(), drained.size()) > 0) {
                         }
                         self->ready_();
                         self->wait_for_event();
                       });
  }

  void wait_for_time() {
    timer_.expires_after(kLookAgain);
    timer_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
      if (error || !self->ready_) return;
      self->ready_();
      self->wait_for_time();
    });
  }

  std::string path_;
  std::function<void()> ready_;
  asio::posix::stream_descriptor events_;
  Timer timer_;
};

FileLines::FileLines(std::string path, std::uint64_t place, bool follow)
    : path_(std::move(path)), place_(place), follow_(follow) {}

FileLines::~FileLines() {
  if (watch_) watch_->close();
}

std::optional<model::Failure> FileLines::start(model::TaskContext& context, std::function<void()> ready) {
  if (follow_) {
    watch_ = std::make_shared<Watch>(context.executor(), path_, std::move(ready));
    watch_->renew();
    watch_->begin();
  }
  return open();
}

// Opens what has the name now, if anything has.
std::optional<model::Failure> FileLines::open() {
  // Without waiting, as the other end of a pipe may never come.
  Fd fd(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd && follow_ && errno == ENOENT) return std::nullopt;
  struct stat found{};
  if (!fd || ::fstat(fd.get(), &found) != 0) return cannot_read(path_, std::strerror(errno));
  if (!S_ISREG(found.st_mode)) {
    return cannot_read(path_, "it is no regular file (a command can read it: `run: cat …`)");
  }
  if (static_cast<std::uint64_t>(found.st_size) < place_) place_ = 0;
  file_ = std::make_unique<OpenFile>();
  file_->fd = std::move(fd);
  file_->device = found.st_dev;
  file_->inode = found.st_ino;
  file_->read = place_;
  return std::nullopt;
}

model::Line FileLines::line(std::string bytes, bool with_newline) {
  place_ += bytes.size() + (with_newline ? 1 : 0);
  return {std::move(bytes), place_};
}

std::optional<model::Failure> FileLines::read_some(bool& more) {
  std::array<char, kChunk> chunk;
  ssize_t count = -1;
  do {
    count = ::pread(file_->fd.get(), chunk.data(), chunk.size(), static_cast<off_t>(file_->read));
  } while (count < 0 && errno == EINTR);
  if (count < 0) return cannot_read(path_, std::strerror(errno));
  more = count > 0;
  file_->lines.add({chunk.data(), static_cast<std::size_t>(count)});
  file_->read += static_cast<std::uint64_t>(count);
  return std::nullopt;
}

// What happened to a file that was read to its end.
FileLines::Found FileLines::look() {
  watch_->renew();
  struct stat now{};
  if (::fstat(file_->fd.get(), &now) != 0) return Found::kNothing;
  const auto size = static_cast<std::uint64_t>(now.st_size);
  if (size > file_->read) return Found::kMore;
  if (size < file_->read) {
    file_->lines = {};
    file_->read = place_ = 0;
    return Found::kMore;
  }
  const bool named = ::stat(path_.c_str(), &now) == 0;
  return named && (now.st_dev != file_->device || now.st_ino != file_->inode) ? Found::kOther : Found::kNothing;
}

model::NextLine FileLines::next() {
  for (;;) {
    if (!file_) {
      watch_->renew();
      if (auto failed = open()) return std::move(*failed);
      if (!file_) return model::Nothing{};
    }
    if (auto whole = file_->lines.take()) return line(std::move(*whole), true);
    if (file_->lines.too_long()) {
      return model::failure(model::kind::kTask, fmt::format("the line at byte {} of {} is longer than {}", place_,
                                                            path_, human_size(LineBuffer::kLongest)));
    }
    bool more = false;
    if (auto failed = read_some(more)) return std::move(*failed);
    if (more) continue;
    const Found found = follow_ ? look() : Found::kOther;
    if (found == Found::kMore) continue;
    if (found == Found::kNothing) return model::Nothing{};
    // Nothing is added to it any more.
    if (auto rest = file_->lines.take_rest()) return line(std::move(*rest), false);
    if (!follow_) return model::Success{};
    file_.reset();
    place_ = 0;
  }
}

asio::awaitable<void> FileLines::end() {
  if (watch_) watch_->close();
  co_return;
}

}  // namespace canorun::run
