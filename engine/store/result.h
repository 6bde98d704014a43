// What stores answer with.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <string>

namespace canorun::store {

enum class StoreErrorKind : std::uint8_t {
  kNoSuchRun,  ///< no run has this id
  kRunExists,  ///< the id is taken
  kOwned,      ///< another process works on the run
  kNotOwner,   ///< this process does not own the run that it writes to
  kRowExists,  ///< a row with this sequence is there, or one before it is missing
  kNotFound,   ///< no such text
  kFull,       ///< no space on the device, or the map is full
  kPermission,
  kNotAStore,       ///< the files are something else
  kCorrupt,         ///< truncated, or a row that cannot be read
  kNewerVersion,    ///< written by a version of canorun that came later
  kNotLocal,        ///< a network file system, or another machine
  kOtherNamespace,  ///< in use from another PID namespace
  kIo,              ///< anything else the system reported
  kGroupTaken,      ///< another run holds the concurrency group, or waits for it
  kInUse,           ///< other processes have the store open, and this one needs it to itself
};

struct StoreError {
  StoreErrorKind kind;
  std::string message;
  std::string hint = {};
};

template <class T>
using StoreResult = std::expected<T, StoreError>;

/// Called once, from any thread, possibly before the call that takes it returns.
template <class T>
using Completion = std::move_only_function<void(StoreResult<T>)>;

}  // namespace canorun::store
