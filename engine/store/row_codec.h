// Rows and run records as bytes. What they look like: FORMAT.md.
#pragma once

#include <string>
#include <string_view>

#include "engine/store/store.h"

namespace canorun::store {

/// How deep values of a row may nest, so that reading it back needs a bounded stack.
inline constexpr std::size_t kMaxRowDepth = 1024;

/// What is kept of a run beside its rows.
struct RunEntry {
  Summary summary;
  std::string owner = {};  ///< the name of an owner's file; empty: nobody's
  std::string group = {};  ///< the concurrency group that it has a place in, as long as it has that owner
};

/// Fails only where a value nests deeper than `kMaxRowDepth`.
StoreResult<std::string> encode(const Row& row);

/// Any bytes may come in. kNewerVersion for what a later canorun wrote, kCorrupt for what nobody did.
StoreResult<Row> decode_row(std::string_view bytes);

std::string encode(const RunEntry& entry);

/// As `decode_row`.
StoreResult<RunEntry> decode_entry(std::string_view bytes);

/// A signal that waits to be taken; its number is its key's.
StoreResult<std::string> encode(const Signal& signal);
StoreResult<Signal> decode_signal(std::string_view bytes);

}  // namespace canorun::store
