// LMDB: one environment, its transactions and cursors. Who may share it is settled before: store_folder.h.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "engine/base/fd.h"
#include "engine/store/store.h"

struct MDB_env;
struct MDB_txn;
struct MDB_cursor;

namespace canorun::store {

/// The named databases; how they are laid out is in FORMAT.md. From kBuckets on they are those of the environment that
/// lasts as long as the machine runs.
enum class Table : std::uint8_t {
  kMeta,
  kIds,
  kRuns,
  kRows,
  kTexts,
  kRequests,
  kSignals,
  kBreakers,
  kWindows,
  kGroups,
  kBuckets,
  kQueue,
};
inline constexpr std::size_t kTables = 12;

/// Whether what is committed outlives the machine: `kLost` syncs nothing, and what a power cut left may be corrupt.
enum class Durability : std::uint8_t { kKept, kLost };

class LmdbEnv;

/// The turn of one process to write, in a queue that the system keeps. LMDB's own mutex can be missed by one who waits
/// for it: where another that waits is woken and killed, a third takes the mutex meanwhile, and knows of nobody.
class Turn {
 public:
  Turn() = default;
  /// Waits for it. Threads of one process do not keep each other waiting.
  explicit Turn(int fd);
  Turn(Turn&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Turn& operator=(Turn&&) = delete;
  ~Turn() { end(); }
  void end();

 private:
  int fd_ = -1;
};

/// A transaction; what was not committed is undone. Belongs to one thread at a time.
///
/// An error of LMDB sticks: what is asked afterwards gives nothing and does nothing, and `commit`
/// reports it. So a caller looks once, at the end.
class Txn {
 public:
  Txn(Txn&& other) noexcept;
  Txn(const Txn&) = delete;
  Txn& operator=(const Txn&) = delete;
  ~Txn();

  /// Opens a table, and makes it if asked to; false when it is not there.
  bool open(Table table, bool create);
  /// Whether there is no table at all.
  bool is_blank();

  /// What it gives is valid until the next change or the end of the transaction.
  std::optional<std::string_view> get(Table table, std::string_view key);
  void put(Table table, std::string_view key, std::string_view value);
  void erase(Table table, std::string_view key);

  bool failed() const { return code_ != 0; }
  StoreError error() const;
  StoreResult<void> commit();

 private:
  friend class LmdbEnv;
  friend class Cursor;
  Txn(LmdbEnv& env, MDB_txn* txn, Turn turn = {}) : turn_(std::move(turn)), env_(&env), txn_(txn) {}
  bool check(int code);

  Turn turn_;  ///< of one that writes
  LmdbEnv* env_;
  MDB_txn* txn_;
  int code_ = 0;
};

/// A place in a table. Ends before its transaction does. All moves give whether there is an entry.
class Cursor {
 public:
  Cursor(Txn& txn, Table table);
  Cursor(const Cursor&) = delete;
  Cursor& operator=(const Cursor&) = delete;
  ~Cursor();

  bool first();
  bool last();
  /// To the first entry that is not before `key`.
  bool seek(std::string_view key);
  bool next();
  bool previous();
  /// Erases the entry; `next` then goes to the one after it.
  void erase();

  std::string_view key() const { return key_; }
  std::string_view value() const { return value_; }

 private:
  bool move(int operation);

  Txn& txn_;
  MDB_cursor* cursor_ = nullptr;
  std::string_view key_;
  std::string_view value_;
};

/// Safe for several threads; one at a time writes.
class LmdbEnv {
 public:
  /// kNotAStore if `folder`/data.mdb is there and something else. Looks, and changes nothing.
  static StoreResult<void> check_foreign(const std::string& folder);

  /// Opens `folder`/data.mdb, made if it is not there. kNotAStore, kCorrupt, kNewerVersion.
  static StoreResult<std::unique_ptr<LmdbEnv>> open(const std::string& folder,
                                                    Durability durability = Durability::kKept);
  LmdbEnv(const LmdbEnv&) = delete;
  LmdbEnv& operator=(const LmdbEnv&) = delete;
  ~LmdbEnv();

  StoreResult<Txn> read();
  /// Waits for other writers. About `bytes` are going to be written.
  StoreResult<Txn> write(std::size_t bytes);

  /// Writes all that is committed to a file that is empty, without the pages that nothing takes. Does not sync it.
  StoreResult<void> copy_to(int fd) const;

  /// Gives back what readers that died still held, in this or other processes; gives how many they were.
  std::uint64_t clear_dead_readers();

  /// How many it found dead when it was opened.
  std::uint64_t dead_readers() const { return dead_readers_; }

  /// What its file takes on the disk, without holes.
  std::uint64_t bytes() const;
  /// Of them, what nothing takes.
  StoreResult<std::uint64_t> unused_bytes();

  /// How many transactions were ever committed to it, by anyone.
  std::uint64_t transactions() const;

  /// An error of LMDB or of the system, as one of ours.
  StoreError error(int code) const;

 private:
  friend class Txn;
  friend class Cursor;

  // LMDB's locks are the process's: to close a second environment of the same files would drop them.
  class Once {
   public:
    static StoreResult<Once> enter(const std::string& folder);
    Once(Once&& other) noexcept : key_(std::exchange(other.key_, {})) {}
    ~Once();

   private:
    explicit Once(std::string key) : key_(std::move(key)) {}
    std::string key_;
  };

  LmdbEnv(std::string folder, Once once, Durability durability)
      : folder_(std::move(folder)), once_(std::move(once)), durability_(durability) {}
  int open_with(std::uint64_t map_size);
  StoreResult<void> open_within_limits();
  StoreResult<void> check_length() const;
  /// Of data.mdb.
  int data_fd() const;
  void keep_hole(std::size_t bytes);
  bool out_of_room() const;

  std::string folder_;
  Once once_;
  Durability durability_;
  MDB_env* env_ = nullptr;
  std::uint64_t dead_readers_ = 0;
  std::array<unsigned, kTables> tables_{};
};

}  // namespace canorun::store
