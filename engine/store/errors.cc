#include "engine/store/errors.h"

#include <fmt/format.h>

#include <cerrno>
#include <system_error>

namespace canorun::store {
namespace {

StoreErrorKind kind_of(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG: return StoreErrorKind::kFull;
    case EACCES:
    case EPERM:
    case EROFS: return StoreErrorKind::kPermission;
    default: return StoreErrorKind::kIo;
  }
}

}  // namespace

StoreError no_such_run(std::string_view id) {
  return {StoreErrorKind::kNoSuchRun, fmt::format("no run has the id '{}'", id), "`canorun list` shows all runs"};
}

StoreError no_such_run(RunNumber run) {
  return {StoreErrorKind::kNoSuchRun, fmt::format("run number {} is not in the store", run)};
}

StoreError run_exists(std::string_view id) {
  return {StoreErrorKind::kRunExists, fmt::format("a run with the id '{}' exists", id),
          fmt::format("`canorun resume {}` continues it", id)};
}

StoreError owned(std::string_view id) {
  return {StoreErrorKind::kOwned, fmt::format("another process works on the run '{}'", id)};
}

StoreError group_taken(std::string_view group, std::string_view holder) {
  return {StoreErrorKind::kGroupTaken, fmt::format("the run '{}' has the concurrency group '{}'", holder, group),
          fmt::format("wait for it, or stop it with `canorun cancel {}`", holder)};
}

StoreError not_owner(std::string_view id) {
  return {StoreErrorKind::kNotOwner, fmt::format("this process does not own the run '{}'", id)};
}

StoreError row_exists(std::string_view id, std::uint64_t first, std::uint64_t next) {
  return {StoreErrorKind::kRowExists,
          fmt::format("row {} of the run '{}' is not its next one, which is {}", first, id, next)};
}

StoreError replaces_nothing(std::string_view id) {
  return {StoreErrorKind::kRowExists,
          fmt::format("a row of the run '{}' would replace rows that are not the windows before it", id)};
}

StoreError no_such_text(std::string_view digest) {
  return {StoreErrorKind::kNotFound, fmt::format("the store has no flow with the digest {}", digest)};
}

StoreError not_a_run(std::string_view id) {
  return {StoreErrorKind::kIo,
          fmt::format("'{}' cannot be started: a run has a valid id and begins with its start", id)};
}

StoreError system_error(int error, std::string_view what) {
  const StoreErrorKind kind = kind_of(error);
  return {kind, fmt::format("{}: {}", what, std::generic_category().message(error)),
          kind == StoreErrorKind::kFull ? "make room, then try again" : std::string(kOtherFolderHint)};
}

}  // namespace canorun::store
