// Why canorun did not do what it was asked to: told on stderr, and as JSON on stdout.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "cli/exit_code.h"
#include "engine/base/diagnostic.h"
#include "engine/base/result.h"
#include "engine/store/store.h"

namespace canorun::cli {

/// The closed set of `error.kind`; the names and the exit code of each are in refusal.cc, in this order.
enum class RefusalKind : std::uint8_t {
  kUsage,
  kInvalidFlow,
  kInvalidInputs,
  kExpression,
  kVersionMismatch,
  kUnknownState,
  kMissingCompensation,
  kNoSuchRun,
  kRunExists,
  kRunOver,
  kOwned,
  kGroupTaken,
  kNoSuchBreaker,
  kStoreInUse,
  kNoStoreFolder,
  kStoreFull,
  kStorePermission,
  kNotAStore,
  kStoreCorrupt,
  kStoreNewerVersion,
  kStoreNotLocal,
  kStoreOtherNamespace,
  kStoreFailed,
  kInterrupted,
  kCancelled,
  kFault,
};

struct Refusal {
  RefusalKind kind;
  std::string message;
  std::string hint = {};
  std::vector<Diagnostic> diagnostics = {};  ///< of a flow or an expression
  std::vector<Error> problems = {};          ///< all of them, where there are several without a place
};

template <class T>
using OrRefusal = std::expected<T, Refusal>;

inline std::unexpected<Refusal> refuse(RefusalKind kind, std::string message, std::string hint = {}) {
  return std::unexpected(Refusal{kind, std::move(message), std::move(hint)});
}

Refusal refusal(store::StoreError error);

std::string_view kind_name(RefusalKind kind);
ExitCode exit_code(RefusalKind kind);

/// `{"error": {"kind", "message"}}`; with exit code 2 also `diagnostics`.
Json to_json(const Refusal& refusal);

/// Diagnostics first, then `error: message` and its hint, each on lines of their own.
std::string render(const Refusal& refusal, bool color);

}  // namespace canorun::cli
