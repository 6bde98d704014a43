#include "engine/store/lmdb_env.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <lmdb.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <set>
#include <utility>

#include "engine/store/errors.h"
#include "engine/store/store_folder.h"

namespace canorun::store {
namespace {

constexpr std::uint64_t kMapSize = 1ULL << 40;
constexpr std::uint64_t kSmallestMap = 1ULL << 24;
constexpr unsigned kReaders = 4096;
constexpr mode_t kFileMode = 0600;
// What LMDB makes of it: one cache line per reader, and three for the rest.
constexpr off_t kLockFile = 64 * (kReaders - 1 + 3);
constexpr std::uint64_t kHole = 1ULL << 20;
constexpr std::size_t kLongestKey = 511;
constexpr std::string_view kRestoreHint =
    "restore the folder from a backup, or choose another one with --store DIR or CANORUN_STORE";
constexpr std::array<const char*, kTables> kTableNames{
    "meta", "ids", "runs", "rows", "texts", "requests", "signals", "breakers", "windows", "groups", "buckets", "queue"};
static_assert(kTableNames.back() != nullptr);
// Where the number stands that every data file of LMDB begins with.
constexpr off_t kMagicAt = 16;
constexpr std::uint32_t kMagic = 0xBEEFC0DE;

MDB_val value_of(std::string_view bytes) { return {bytes.size(), const_cast<char*>(bytes.data())}; }
std::string_view bytes_of(const MDB_val& value) { return {static_cast<const char*>(value.mv_data), value.mv_size}; }

// The process's limit; without one, more than there is.
std::uint64_t limit_of(__rlimit_resource_t resource) {
  rlimit limit{};
  return ::getrlimit(resource, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY ? limit.rlim_cur : UINT64_MAX;
}

bool begins_like_a_store(const std::string& file) {
  const Fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  std::uint32_t magic = 0;
  return fd && ::pread(fd.get(), &magic, sizeof magic, kMagicAt) == sizeof magic && magic == kMagic;
}

StoreError not_a_store(const std::string& folder) {
  return {StoreErrorKind::kNotAStore, fmt::format("the store '{}' is not a store of canorun", folder),
          std::string(kOtherFolderHint)};
}

// LMDB writes its lock file through a map, where a disk that is full is a signal, not an error: the
// room is taken before.
StoreResult<void> reserve_lock_file(int fd) {
  struct stat found{};
  if (::fstat(fd, &found) != 0) return std::unexpected(system_error(errno, "the lock file of the store"));
  if (found.st_size >= kLockFile && found.st_blocks * 512 >= kLockFile) return {};
  if (::fallocate(fd, 0, 0, kLockFile) == 0 || errno == EOPNOTSUPP) return {};
  return std::unexpected(system_error(errno, "the lock file of the store"));
}

// LMDB's own modes depend on the umask.
StoreResult<void> make_files(const std::string& folder) {
  const auto data = open_private(folder + "/data.mdb");
  if (!data) return std::unexpected(data.error());
  const auto lock = open_private(folder + "/lock.mdb");
  if (!lock) return std::unexpected(lock.error());
  return reserve_lock_file(lock->get());
}

struct flock first_byte(short type) {
  struct flock lock{};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_len = 1;
  return lock;
}

std::mutex once_mutex;
std::set<std::string>& open_here() {
  static std::set<std::string> folders;
  return folders;
}

}  // namespace

StoreResult<LmdbEnv::Once> LmdbEnv::Once::enter(const std::string& folder) {
  struct stat found{};
  if (::stat(folder.c_str(), &found) != 0) return std::unexpected(system_error(errno, folder));
  // With the pid: a forked child has none of its parent's locks.
  std::string key = fmt::format("{} {} {}", ::getpid(), found.st_dev, found.st_ino);
  const std::lock_guard lock(once_mutex);
  if (open_here().insert(key).second) return Once(std::move(key));
  return std::unexpected(StoreError{StoreErrorKind::kIo, fmt::format("this process has the store '{}' open", folder)});
}

LmdbEnv::Once::~Once() {
  if (key_.empty()) return;
  const std::lock_guard lock(once_mutex);
  open_here().erase(key_);
}

StoreResult<void> LmdbEnv::check_foreign(const std::string& folder) {
  const std::string data = folder + "/data.mdb";
  struct stat found{};
  const bool something = ::stat(data.c_str(), &found) == 0 && S_ISREG(found.st_mode) && found.st_size > 0;
  if (!something || begins_like_a_store(data)) return {};
  return std::unexpected(not_a_store(folder));
}

StoreResult<std::unique_ptr<LmdbEnv>> LmdbEnv::open(const std::string& folder, Durability durability) {
  auto once = Once::enter(folder);
  if (!once) return std::unexpected(std::move(once.error()));
  if (auto made = make_files(folder); !made) return std::unexpected(std::move(made.error()));
  std::unique_ptr<LmdbEnv> env(new LmdbEnv(folder, std::move(*once), durability));
  if (auto opened = env->open_within_limits(); !opened) return std::unexpected(std::move(opened.error()));
  if (auto whole = env->check_length(); !whole) return std::unexpected(std::move(whole.error()));
  env->dead_readers_ = env->clear_dead_readers();
  return env;
}

LmdbEnv::~LmdbEnv() {
  if (env_ != nullptr) mdb_env_close(env_);
}

StoreResult<void> LmdbEnv::open_within_limits() {
  // A quarter of a limited address space, so that the rest of the program has room.
  std::uint64_t size = std::min(kMapSize, limit_of(RLIMIT_AS) / 4 & ~std::uint64_t{0xFFFF});
  int code = open_with(size);
  for (; code == ENOMEM && size > kSmallestMap; code = open_with(size)) size /= 2;
  if (code == 0) return {};
  if (code == MDB_INVALID && begins_like_a_store(folder_ + "/data.mdb")) code = MDB_CORRUPTED;
  return std::unexpected(error(code));
}

int LmdbEnv::open_with(std::uint64_t map_size) {
  if (const int code = mdb_env_create(&env_); code != 0) return code;
  mdb_env_set_mapsize(env_, map_size);
  mdb_env_set_maxreaders(env_, kReaders);
  mdb_env_set_maxdbs(env_, kTables);
  const unsigned flags = durability_ == Durability::kLost ? MDB_NOTLS | MDB_NOSYNC : MDB_NOTLS;
  const int code = mdb_env_open(env_, folder_.c_str(), flags, kFileMode);
  if (code != 0) {
    mdb_env_close(std::exchange(env_, nullptr));
    return code;
  }
  // The one descriptor that LMDB 0.9 leaves open to children.
  return ::fcntl(data_fd(), F_SETFD, FD_CLOEXEC) == 0 ? 0 : errno;
}

int LmdbEnv::data_fd() const {
  int fd = -1;
  mdb_env_get_fd(env_, &fd);
  return fd;
}

// To touch the map behind the end of its file is a signal, not an error.
StoreResult<void> LmdbEnv::check_length() const {
  MDB_envinfo info{};
  MDB_stat stat{};
  struct ::stat file{};
  mdb_env_info(env_, &info);  // before the length: the file of a live store grows
  mdb_env_stat(env_, &stat);
  if (::fstat(data_fd(), &file) != 0) return std::unexpected(system_error(errno, folder_));
  const std::uint64_t needed = (static_cast<std::uint64_t>(info.me_last_pgno) + 1) * stat.ms_psize;
  if (static_cast<std::uint64_t>(file.st_size) >= needed) return {};
  return std::unexpected(StoreError{
      StoreErrorKind::kCorrupt,
      fmt::format("the store '{}' is truncated: data.mdb has {} bytes and needs {}", folder_, file.st_size, needed),
      std::string(kRestoreHint)});
}

// LMDB may leave pages unwritten that it took at the end of the file and gave up in the same
// transaction; without a hole there, a sound file could look truncated.
void LmdbEnv::keep_hole(std::size_t bytes) {
  MDB_envinfo info{};
  MDB_stat stat{};
  struct ::stat file{};
  const int fd = data_fd();
  mdb_env_info(env_, &info);
  mdb_env_stat(env_, &stat);
  if (::fstat(fd, &file) != 0) return;
  const std::uint64_t end = (static_cast<std::uint64_t>(info.me_last_pgno) + 1) * stat.ms_psize;
  const std::uint64_t wanted = end + kHole + 4 * bytes;
  if (static_cast<std::uint64_t>(file.st_size) >= wanted) return;
  const std::uint64_t size = std::min(wanted + kHole, limit_of(RLIMIT_FSIZE));
  // Where it cannot be had, LMDB's own writes say what is wrong.
  if (size > static_cast<std::uint64_t>(file.st_size) && ::ftruncate(fd, static_cast<off_t>(size)) != 0) return;
}

Turn::Turn(int fd) : fd_(fd) {
  struct flock lock = first_byte(F_WRLCK);
  while (::fcntl(fd, F_OFD_SETLKW, &lock) != 0) {
    if (errno == EINTR) continue;
    fd_ = -1;  // LMDB's mutex is still there
    return;
  }
}

void Turn::end() {
  struct flock lock = first_byte(F_UNLCK);
  if (fd_ >= 0) ::fcntl(std::exchange(fd_, -1), F_OFD_SETLK, &lock);
}

StoreResult<Txn> LmdbEnv::read() {
  MDB_txn* txn = nullptr;
  int code = mdb_txn_begin(env_, nullptr, MDB_RDONLY, &txn);
  if (code == MDB_READERS_FULL) {
    clear_dead_readers();
    code = mdb_txn_begin(env_, nullptr, MDB_RDONLY, &txn);
  }
  if (code != 0) return std::unexpected(error(code));
  return Txn(*this, txn);
}

StoreResult<Txn> LmdbEnv::write(std::size_t bytes) {
  MDB_txn* txn = nullptr;
  Turn turn(data_fd());
  if (const int code = mdb_txn_begin(env_, nullptr, 0, &txn); code != 0) return std::unexpected(error(code));
  keep_hole(bytes);
  return Txn(*this, txn, std::move(turn));
}

StoreResult<void> LmdbEnv::copy_to(int fd) const {
  const int code = mdb_env_copyfd2(env_, fd, MDB_CP_COMPACT);
  // That some pages are neither used nor free.
  if (code != 0) return std::unexpected(error(code == MDB_INCOMPATIBLE ? MDB_CORRUPTED : code));
  return {};
}

std::uint64_t LmdbEnv::clear_dead_readers() {
  int dead = 0;
  mdb_reader_check(env_, &dead);
  return static_cast<std::uint64_t>(std::max(dead, 0));
}

std::uint64_t LmdbEnv::bytes() const {
  struct ::stat file{};
  return ::fstat(data_fd(), &file) == 0 ? static_cast<std::uint64_t>(file.st_blocks) * 512 : 0;
}

StoreResult<std::uint64_t> LmdbEnv::unused_bytes() {
  constexpr MDB_dbi kFreePages = 0;  // each entry: how many, then their numbers
  auto txn = read();
  MDB_stat stat{};
  MDB_cursor* cursor = nullptr;
  if (!txn) return std::unexpected(std::move(txn.error()));
  mdb_env_stat(env_, &stat);
  int code = mdb_cursor_open(txn->txn_, kFreePages, &cursor);
  std::uint64_t pages = 0;
  MDB_val key{};
  MDB_val value{};
  while (code == 0 && (code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0) {
    std::size_t count = 0;
    if (value.mv_size >= sizeof count) std::memcpy(&count, value.mv_data, sizeof count);
    pages += count;
  }
  if (cursor != nullptr) mdb_cursor_close(cursor);
  if (code != MDB_NOTFOUND) return std::unexpected(error(code));
  return pages * stat.ms_psize;
}

std::uint64_t LmdbEnv::transactions() const {
  MDB_envinfo info{};
  mdb_env_info(env_, &info);
  return info.me_last_txnid;
}

StoreError LmdbEnv::error(int code) const {
  const auto as = [&](StoreErrorKind kind, std::string_view what, std::string_view hint) {
    return StoreError{kind, fmt::format("the store '{}' {}", folder_, what), std::string(hint)};
  };
  switch (code) {
    case MDB_MAP_FULL:
    case MDB_MAP_RESIZED:
    case MDB_TXN_FULL: return as(StoreErrorKind::kFull, "is full", "allow more address space (ulimit -v)");
    case MDB_READERS_FULL: return as(StoreErrorKind::kIo, "is read by too many processes at once", "try again later");
    case MDB_INVALID:
    case MDB_INCOMPATIBLE: return not_a_store(folder_);
    case MDB_VERSION_MISMATCH:
      return as(StoreErrorKind::kNewerVersion, "was made by another version of LMDB", "use the canorun that made it");
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND: return as(StoreErrorKind::kCorrupt, "is damaged", kRestoreHint);
    case ENOMEM: return as(StoreErrorKind::kIo, "does not fit into the address space", "allow more of it (ulimit -v)");
    default: break;
  }
  if (code < 0) return as(StoreErrorKind::kIo, fmt::format("failed: {}", mdb_strerror(code)), {});
  if (code == EIO && out_of_room()) code = ENOSPC;
  return system_error(code, fmt::format("the store '{}'", folder_));
}

// LMDB reports a short write, which is what the end of a disk or of a limit gives first, as an
// input/output error.
bool LmdbEnv::out_of_room() const {
  struct statvfs disk{};
  struct ::stat file{};
  int fd = -1;
  if (env_ == nullptr || mdb_env_get_fd(env_, &fd) != 0 || ::fstat(fd, &file) != 0) return false;
  if (static_cast<std::uint64_t>(file.st_size) >= limit_of(RLIMIT_FSIZE)) return true;
  return ::fstatvfs(fd, &disk) == 0 && disk.f_bavail * disk.f_frsize < kHole;
}

Txn::Txn(Txn&& other) noexcept
    : turn_(std::move(other.turn_)), env_(other.env_), txn_(std::exchange(other.txn_, nullptr)), code_(other.code_) {}

Txn::~Txn() {
  if (txn_ != nullptr) mdb_txn_abort(txn_);
}

// The entry is there; anything else but its absence sticks.
bool Txn::check(int code) {
  if (code != 0 && code != MDB_NOTFOUND && code_ == 0) code_ = code;
  return code == 0;
}

bool Txn::open(Table table, bool create) {
  const auto at = static_cast<std::size_t>(table);
  return !failed() && check(mdb_dbi_open(txn_, kTableNames[at], create ? MDB_CREATE : 0, &env_->tables_[at]));
}

bool Txn::is_blank() {
  MDB_dbi main = 0;
  MDB_stat stat{};
  return !failed() && check(mdb_dbi_open(txn_, nullptr, 0, &main)) && check(mdb_stat(txn_, main, &stat)) &&
         stat.ms_entries == 0;
}

std::optional<std::string_view> Txn::get(Table table, std::string_view key) {
  if (failed() || key.empty() || key.size() > kLongestKey) return std::nullopt;
  MDB_val at = value_of(key);
  MDB_val value{};
  if (!check(mdb_get(txn_, env_->tables_[static_cast<std::size_t>(table)], &at, &value))) return std::nullopt;
  return bytes_of(value);
}

void Txn::put(Table table, std::string_view key, std::string_view value) {
  if (failed()) return;
  MDB_val at = value_of(key);
  MDB_val data = value_of(value);
  check(mdb_put(txn_, env_->tables_[static_cast<std::size_t>(table)], &at, &data, 0));
}

void Txn::erase(Table table, std::string_view key) {
  if (failed()) return;
  MDB_val at = value_of(key);
  check(mdb_del(txn_, env_->tables_[static_cast<std::size_t>(table)], &at, nullptr));
}

StoreError Txn::error() const { return env_->error(code_); }

StoreResult<void> Txn::commit() {
  if (!failed()) check(mdb_txn_commit(std::exchange(txn_, nullptr)));
  if (txn_ == nullptr) turn_.end();
  if (failed()) return std::unexpected(error());
  return {};
}

Cursor::Cursor(Txn& txn, Table table) : txn_(txn) {
  if (!txn.failed()) {
    txn.check(mdb_cursor_open(txn.txn_, txn.env_->tables_[static_cast<std::size_t>(table)], &cursor_));
  }
}

Cursor::~Cursor() {
  if (cursor_ != nullptr) mdb_cursor_close(cursor_);
}

bool Cursor::first() { return move(MDB_FIRST); }
bool Cursor::last() { return move(MDB_LAST); }
bool Cursor::next() { return move(MDB_NEXT); }
bool Cursor::previous() { return move(MDB_PREV); }

bool Cursor::seek(std::string_view key) {
  if (key.empty()) return first();  // LMDB takes no empty one
  key_ = key;
  return move(MDB_SET_RANGE);
}

void Cursor::erase() {
  if (!txn_.failed() && cursor_ != nullptr) txn_.check(mdb_cursor_del(cursor_, 0));
}

bool Cursor::move(int operation) {
  if (txn_.failed() || cursor_ == nullptr) return false;
  MDB_val key = value_of(key_);
  MDB_val value{};
  if (!txn_.check(mdb_cursor_get(cursor_, &key, &value, static_cast<MDB_cursor_op>(operation)))) return false;
  key_ = bytes_of(key);
  value_ = bytes_of(value);
  return true;
}

}  // namespace canorun::store
