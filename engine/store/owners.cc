#include "engine/store/owners.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>

#include "engine/base/random.h"
#include "engine/store/errors.h"
#include "engine/store/store_folder.h"

namespace canorun::store {
namespace {

constexpr int kAttempts = 100;

// A command that its owner was about to start when it died holds the lock until it has become its program: so often
// it is looked at again, a millisecond apart.
constexpr int kLooks = 500;

bool is_owner_name(std::string_view name) {
  return !name.empty() && name.find_first_not_of("0123456789abcdef-") == std::string_view::npos;
}

// Whether there is a process with the number that the name begins with; in doubt, there is.
bool exists(std::string_view name) {
  pid_t pid = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
  return error != std::errc{} || pid <= 0 || ::kill(pid, 0) == 0 || errno != ESRCH;
}

// The file at `path` is the one that was opened.
bool is_still(const std::string& path, int fd) {
  struct stat named{};
  struct stat opened{};
  return ::stat(path.c_str(), &named) == 0 && ::fstat(fd, &opened) == 0 && named.st_ino == opened.st_ino &&
         named.st_dev == opened.st_dev;
}

}  // namespace

Owners::~Owners() {
  if (lock_) ::unlink(path(own_).c_str());
}

StoreResult<std::string> Owners::own() {
  std::unique_lock lock(mutex_);
  if (own_.empty()) {
    if (auto made = make_own(); !made) return std::unexpected(std::move(made.error()));
    watch();
    lock.unlock();
    dead(true);
    lock.lock();
  }
  return own_;
}

StoreResult<void> Owners::make_own() {
  SystemRandom random;
  for (int i = 0; i < kAttempts; ++i) {
    const std::string name = fmt::format("{}-{:016x}", ::getpid(), random.bits());
    auto file = open_private(path(name));
    if (!file) return std::unexpected(std::move(file.error()));
    // Who met the file before it was locked took its owner for dead and has removed it.
    if (::flock(file->get(), LOCK_EX | LOCK_NB) != 0 || !is_still(path(name), file->get())) {
      ::unlink(path(name).c_str());
      continue;
    }
    own_ = name;
    lock_ = std::move(*file);
    return {};
  }
  return std::unexpected(system_error(EBUSY, folder_));
}

bool Owners::is_own(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  return !own_.empty() && name == own_;
}

bool Owners::look(std::string_view name, bool removes) const {
  if (is_own(name)) return true;
  if (!is_owner_name(name)) return false;
  const std::string file = path(name);
  const Fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return errno != ENOENT;
  for (int look = 0; ::flock(fd.get(), LOCK_SH | LOCK_NB) != 0; ++look) {
    if (look == kLooks || exists(name)) return true;
    ::usleep(1000);
  }
  if (removes) ::unlink(file.c_str());  // while its lock is ours
  return false;
}

void Owners::wake(std::string_view name) const {
  if (is_owner_name(name)) ::utimensat(AT_FDCWD, path(name).c_str(), nullptr, 0);
}

int Owners::wake_fd() {
  const std::lock_guard lock(mutex_);
  if (!inotify_) {
    inotify_ = Fd(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
    watch();
  }
  return inotify_.get();
}

void Owners::watch() const {
  if (inotify_ && !own_.empty()) ::inotify_add_watch(inotify_.get(), path(own_).c_str(), IN_ATTRIB);
}

std::uint64_t Owners::dead(bool removes) const {
  std::uint64_t count = 0;
  std::error_code error;
  for (std::filesystem::directory_iterator it(folder_, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (is_owner_name(name) && !look(name, removes)) ++count;
  }
  return count;
}

std::string Owners::path(std::string_view name) const { return fmt::format("{}/{}", folder_, name); }

}  // namespace canorun::store
