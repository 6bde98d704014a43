// Which process owns a run: files that live processes hold a lock on. See FORMAT.md, "owners".
#pragma once

#include <mutex>
#include <string>
#include <string_view>

#include "engine/base/fd.h"
#include "engine/store/store.h"

namespace canorun::store {

/// The `owners` folder, and this process's file in it. Safe for several threads.
class Owners {
 public:
  explicit Owners(std::string folder) : folder_(std::move(folder)) {}
  /// Removes this process's file: it owns nothing any more.
  ~Owners();

  /// The name of this process's file, which is made and locked when first asked for.
  StoreResult<std::string> own();

  /// Whether the name is that of this process's file.
  bool is_own(std::string_view name) const;

  /// Whether a live process holds the file. Removes a dead one's. In doubt, it lives: two processes
  /// must never both think that they own a run.
  bool alive(std::string_view name) const { return look(name, true); }

  /// The same, and removes nothing.
  bool lives(std::string_view name) const { return look(name, false); }

  /// How many dead owners have left a file. `removes`: and have it no longer.
  std::uint64_t dead(bool removes) const;

  /// Makes the owner's `wake_fd` readable.
  void wake(std::string_view name) const;

  /// Readable after `wake`; -1 where the system has no more of its kind.
  int wake_fd();

 private:
  StoreResult<void> make_own();
  bool look(std::string_view name, bool removes) const;
  void watch() const;
  std::string path(std::string_view name) const;

  std::string folder_;
  mutable std::mutex mutex_;
  std::string own_;
  Fd lock_;
  Fd inotify_;
};

}  // namespace canorun::store
