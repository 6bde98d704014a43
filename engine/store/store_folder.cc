#include "engine/store/store_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>

#include "engine/store/errors.h"

namespace canorun::store {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

// Who needs the store to itself needs it for as long as it takes to make it, or to compact it.
constexpr auto kPatience = 10s;
// Who only looks at something has ended by then.
constexpr auto kMoment = 1s;
constexpr auto kPause = 1ms;
constexpr mode_t kFolderMode = 0700;
constexpr mode_t kFileMode = 0600;
constexpr std::uint64_t kFuse = 0x65735546;

// statfs(2); those that its header does not name are from the kernel's or the vendor's sources.
constexpr std::array<std::uint64_t, 19> kNetworkTypes{
    0x6969,      // NFS
    0x517B,      // SMB
    0xFF534D42,  // CIFS
    0xFE534D42,  // SMB 2
    0x01021997,  // 9P
    0x00C36400,  // Ceph
    0x5346414F,  // AFS
    0x6B414653,  // AFS of the kernel
    0x73757245,  // Coda
    0x564C,      // NCP
    0x0BD00BD0,  // Lustre
    0x47504653,  // GPFS
    0x01161970,  // GFS2
    0x7461636F,  // OCFS2
    0x19830326,  // BeeGFS
    0xAAD7AAEA,  // PanFS
    0x786F4256,  // VirtualBox
    0xBACBACBC,  // VMware
    0x7C7C6673,  // Parallels
};

// Gives whether it was not there before.
StoreResult<bool> make_folder(const fs::path& path) {
  struct stat found{};
  if (::stat(path.c_str(), &found) == 0 && S_ISDIR(found.st_mode)) return false;
  // Another process may be making it, too.
  if (::mkdir(path.c_str(), kFolderMode) != 0 && (errno != EEXIST || ::stat(path.c_str(), &found) != 0)) {
    return std::unexpected(system_error(errno, fmt::format("the folder '{}' of the store", path.string())));
  }
  if (found.st_mode != 0 && !S_ISDIR(found.st_mode)) {
    return std::unexpected(system_error(ENOTDIR, fmt::format("the folder '{}' of the store", path.string())));
  }
  if (::chmod(path.c_str(), kFolderMode) != 0) return std::unexpected(system_error(errno, path.string()));
  return true;
}

// The type in the mount table of the file system that holds a device: `ext4`, `fuse.sshfs`.
std::string mount_type(dev_t device) {
  std::ifstream table("/proc/self/mountinfo");
  const std::string wanted = fmt::format(" {}:{} ", ::major(device), ::minor(device));
  std::string line;
  while (std::getline(table, line)) {
    const std::size_t separator = line.find(" - ");
    if (separator == std::string::npos || line.find(wanted) > separator) continue;
    const std::size_t begin = separator + 3;
    return line.substr(begin, line.find(' ', begin) - begin);
  }
  return {};
}

StoreError needs_proc() {
  return {StoreErrorKind::kIo, "cannot tell which machine and PID namespace this process is in",
          "a store needs /proc to be mounted"};
}

// What all users of a store must have in common.
StoreResult<std::string> our_line() {
  const auto boot = boot_id();
  if (!boot) return boot;
  struct stat space{};
  if (::stat("/proc/self/ns/pid", &space) != 0) return std::unexpected(needs_proc());
  return fmt::format("{} {}\n", *boot, space.st_ino);
}

StoreResult<std::string> read_line(int fd) {
  std::array<char, 256> buffer{};
  const ssize_t size = ::pread(fd, buffer.data(), buffer.size(), 0);
  if (size < 0) return std::unexpected(system_error(errno, "the users of the store"));
  return std::string(buffer.data(), static_cast<std::size_t>(size));
}

// Those who hold a lock on a file, `17, 23`; empty where the system does not tell.
std::string lock_holders(int fd) {
  struct stat found{};
  if (::fstat(fd, &found) != 0) return {};
  const std::string file = fmt::format("{:02x}:{:02x}:{}", ::major(found.st_dev), ::minor(found.st_dev), found.st_ino);
  std::set<pid_t> holders;
  std::ifstream locks("/proc/locks");
  for (std::string line; std::getline(locks, line);) {
    std::istringstream words(line);
    std::string number, kind, mode, access, locked;
    pid_t pid = 0;
    words >> number >> kind >> mode >> access >> pid >> locked;
    if (words && kind == "FLOCK" && locked == file && pid > 0) holders.insert(pid);
  }
  return fmt::format("{}", fmt::join(holders, ", "));
}

}  // namespace

StoreResult<void> sync_folder(const std::string& folder) {
  const Fd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // A folder above ours that we may not read cannot be synced by us.
  if (!fd && errno == EACCES) return {};
  if (!fd || (::fsync(fd.get()) != 0 && errno != EINVAL)) return std::unexpected(system_error(errno, folder));
  return {};
}

StoreResult<std::string> make_store_folder(const std::string& folder) {
  std::error_code error;
  fs::path absolute = fs::absolute(folder, error);
  if (error || folder.empty()) return std::unexpected(system_error(error ? error.value() : ENOENT, "the store folder"));
  if (!absolute.has_filename()) absolute = absolute.parent_path();
  fs::path path;
  for (const fs::path& part : absolute) {
    path /= part;
    auto made = make_folder(path);
    if (!made) return std::unexpected(std::move(made.error()));
    if (!*made) continue;
    if (auto synced = sync_folder(path.parent_path().string()); !synced) return std::unexpected(synced.error());
  }
  for (const char* inner : {"owners", "logs"}) {
    if (auto made = make_folder(absolute / inner); !made) return std::unexpected(std::move(made.error()));
  }
  return absolute.string();
}

StoreResult<void> make_inner_folder(const std::string& folder) {
  auto made = make_folder(folder);
  return made ? StoreResult<void>{} : std::unexpected(std::move(made.error()));
}

StoreResult<std::string> boot_id() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string boot;
  if (!std::getline(file, boot) || boot.empty()) return std::unexpected(needs_proc());
  return boot;
}

StoreResult<Fd> open_private(const std::string& path) {
  Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kFileMode));
  struct stat found{};
  if (!fd || ::fstat(fd.get(), &found) != 0) return std::unexpected(system_error(errno, path));
  if ((found.st_mode & 07777) != kFileMode && ::fchmod(fd.get(), kFileMode) != 0) {
    return std::unexpected(system_error(errno, path));
  }
  return fd;
}

bool is_local(std::uint64_t type, std::string_view mount_type) {
  // Behind FUSE may be anything: a disk, or files over a network.
  if (type == kFuse) return mount_type == "fuseblk" || mount_type == "fuse.fuse-overlayfs";
  return std::ranges::find(kNetworkTypes, type) == kNetworkTypes.end();
}

StoreResult<void> check_local(const std::string& folder) {
  struct statfs system{};
  struct stat found{};
  if (::statfs(folder.c_str(), &system) != 0 || ::stat(folder.c_str(), &found) != 0) {
    return std::unexpected(system_error(errno, folder));
  }
  // The field is signed and, on some machines, narrower than the numbers.
  const std::uint64_t type = static_cast<std::uint32_t>(system.f_type);
  if (type != kFuse && is_local(type, {})) return {};
  const std::string name = mount_type(found.st_dev);
  if (is_local(type, name)) return {};
  return std::unexpected(
      StoreError{StoreErrorKind::kNotLocal,
                 fmt::format("the store folder '{}' is on a network file system ({}), which cannot hold a store",
                             folder, name.empty() ? fmt::format("type {:#x}", type) : name),
                 std::string(kOtherFolderHint)});
}

StoreResult<StoreUsers> StoreUsers::take(Fd file, bool alone) {
  auto line = read_line(file.get());
  if (!line) return std::unexpected(std::move(line.error()));
  return StoreUsers(std::move(file), alone, std::move(*line));
}

StoreResult<StoreUsers> StoreUsers::join_alone(const std::string& folder) {
  auto file = open_private(folder + "/users");
  if (!file) return std::unexpected(std::move(file.error()));
  const auto until = std::chrono::steady_clock::now() + kMoment;
  while (::flock(file->get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return std::unexpected(system_error(errno, folder + "/users"));
    if (std::chrono::steady_clock::now() > until) {
      const std::string who = lock_holders(file->get());
      return std::unexpected(
          StoreError{StoreErrorKind::kInUse,
                     fmt::format("the store '{}' is in use{}{}", folder, who.empty() ? "" : " by process ", who),
                     "this needs the store to itself: try again when nothing uses it"});
    }
    std::this_thread::sleep_for(kPause);
  }
  return take(std::move(*file), true);
}

StoreResult<StoreUsers> StoreUsers::join(const std::string& folder) {
  auto file = open_private(folder + "/users");
  if (!file) return std::unexpected(std::move(file.error()));
  const auto until = std::chrono::steady_clock::now() + kPatience;
  while (true) {
    const bool alone = ::flock(file->get(), LOCK_EX | LOCK_NB) == 0;
    if (alone || ::flock(file->get(), LOCK_SH | LOCK_NB) == 0) {
      return take(std::move(*file), alone);
    }
    if (errno != EWOULDBLOCK) return std::unexpected(system_error(errno, folder + "/users"));
    if (std::chrono::steady_clock::now() > until) {
      return std::unexpected(StoreError{StoreErrorKind::kIo,
                                        fmt::format("another process needs the store '{}' to itself", folder),
                                        "try again when it has ended"});
    }
    std::this_thread::sleep_for(kPause);
  }
}

StoreResult<void> StoreUsers::begin_anew() {
  line_.clear();
  if (::ftruncate(file_.get(), 0) != 0) return std::unexpected(system_error(errno, "the users of the store"));
  return {};
}

StoreResult<void> StoreUsers::write_line(const std::string& ours) {
  if (!alone_ || line_ == ours) return {};
  const ssize_t written = ::pwrite(file_.get(), ours.data(), ours.size(), 0);
  const int error = written < 0 ? errno : ENOSPC;
  if (written == static_cast<ssize_t>(ours.size()) && ::ftruncate(file_.get(), written) == 0) return {};
  return std::unexpected(system_error(error, "the users of the store"));
}

StoreResult<void> StoreUsers::keep_alone() {
  const auto ours = our_line();
  return ours ? write_line(*ours) : std::unexpected(ours.error());
}

StoreResult<void> StoreUsers::settle() {
  const auto ours = our_line();
  if (!ours) return std::unexpected(ours.error());
  if (auto written = write_line(*ours); !written) return written;
  // Turning the lock lets go of it for a moment, in which another may have been alone.
  if (alone_ && ::flock(file_.get(), LOCK_SH) != 0) {
    return std::unexpected(system_error(errno, "the users of the store"));
  }
  alone_ = false;
  auto line = read_line(file_.get());
  if (!line) return std::unexpected(std::move(line.error()));
  line_ = std::move(*line);
  if (line_ == *ours) return {};
  return std::unexpected(StoreError{StoreErrorKind::kOtherNamespace,
                                    "the store is in use from another PID namespace (another container?)",
                                    "one container, or the host, can use a store at a time"});
}

}  // namespace canorun::store
