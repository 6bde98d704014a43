// The folder that a store is in: made, checked, and joined by one PID namespace only. See FORMAT.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/fd.h"
#include "engine/store/store.h"

namespace canorun::store {

/// What a compaction writes before it becomes the store's file; one that was cut off leaves it behind.
inline constexpr std::string_view kCompactedFile = "data.mdb.new";

/// Makes the folder (0700) and those above it that are missing, durably, and those in it; gives its
/// absolute path. What is in a new store is durable after `sync_folder`.
StoreResult<std::string> make_store_folder(const std::string& folder);

/// Makes one folder (0700) inside the store, if it is not there.
StoreResult<void> make_inner_folder(const std::string& folder);

/// What tells this run of the machine from others. kIo without /proc.
StoreResult<std::string> boot_id();

/// Opens a file, made if it is not there, as 0600 whatever the umask. Close-on-exec.
StoreResult<Fd> open_private(const std::string& path);

/// Makes what was made and removed in a folder durable.
StoreResult<void> sync_folder(const std::string& folder);

/// Whether LMDB can serve a file system: `type` as statfs gives it, `mount_type` as the mount table does.
bool is_local(std::uint64_t type, std::string_view mount_type);

/// kNotLocal for a folder on a network file system.
StoreResult<void> check_local(const std::string& folder);

/// This process among those that have the store open. Lets go of it when destroyed.
class StoreUsers {
 public:
  /// Waits a while for a user that needs the store to itself. The place is not confirmed before `settle`.
  static StoreResult<StoreUsers> join(const std::string& folder);

  /// Waits a moment for others to end. kInUse.
  static StoreResult<StoreUsers> join_alone(const std::string& folder);

  /// Nobody else has the store open, nor can open it before `settle`.
  bool alone() const { return alone_; }

  /// The store was once complete.
  bool complete() const { return !line_.empty(); }

  /// For who is alone: the store is about to be made.
  StoreResult<void> begin_anew();

  /// The store is complete: shares it with others like us. kOtherNamespace.
  StoreResult<void> settle();

  /// For who is alone: the store is complete, and stays ours for as long as this lives.
  StoreResult<void> keep_alone();

 private:
  static StoreResult<StoreUsers> take(Fd file, bool alone);
  StoreResult<void> write_line(const std::string& ours);

  StoreUsers(Fd file, bool alone, std::string line) : file_(std::move(file)), alone_(alone), line_(std::move(line)) {}

  Fd file_;
  bool alone_;
  std::string line_;  ///< of the live users, or of the last ones
};

}  // namespace canorun::store
