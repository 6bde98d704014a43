// What stores say when they refuse: one wording for all implementations.
#pragma once

#include <cstdint>
#include <string_view>

#include "engine/store/store.h"

namespace canorun::store {

/// What to do when a folder cannot hold a store.
inline constexpr std::string_view kOtherFolderHint = "choose another folder with --store DIR or CANORUN_STORE";

StoreError no_such_run(std::string_view id);
StoreError no_such_run(RunNumber run);
StoreError run_exists(std::string_view id);
StoreError owned(std::string_view id);
/// `holder`: the run that holds the group.
StoreError group_taken(std::string_view group, std::string_view holder);
StoreError not_owner(std::string_view id);
StoreError row_exists(std::string_view id, std::uint64_t first, std::uint64_t next);
/// A row says that it replaces rows which are not there, or are something else.
StoreError replaces_nothing(std::string_view id);
StoreError no_such_text(std::string_view digest);
/// A run's first row is not a RunStarted, or its id is none.
StoreError not_a_run(std::string_view id);

/// An error number of the operating system, met while doing `what`.
StoreError system_error(int error, std::string_view what);

}  // namespace canorun::store
