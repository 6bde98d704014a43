#include "cli/refusal.h"

#include <array>

#include "cli/text.h"

namespace canorun::cli {
namespace {

struct KindRow {
  std::string_view name;
  ExitCode code;
};

constexpr std::array kKinds{
    KindRow{"usage", ExitCode::kUsage},
    KindRow{"invalid_flow", ExitCode::kUsage},
    KindRow{"invalid_inputs", ExitCode::kUsage},
    KindRow{"expression", ExitCode::kUsage},
    KindRow{"version_mismatch", ExitCode::kUsage},
    KindRow{"unknown_state", ExitCode::kUsage},
    KindRow{"missing_compensation", ExitCode::kUsage},
    KindRow{"no_such_run", ExitCode::kRefused},
    KindRow{"run_exists", ExitCode::kRefused},
    KindRow{"run_over", ExitCode::kRefused},
    KindRow{"owned", ExitCode::kRefused},
    KindRow{"group_taken", ExitCode::kRefused},
    KindRow{"no_such_breaker", ExitCode::kRefused},
    KindRow{"store_in_use", ExitCode::kRefused},
    KindRow{"no_store_folder", ExitCode::kStore},
    KindRow{"store_full", ExitCode::kStore},
    KindRow{"store_permission", ExitCode::kStore},
    KindRow{"not_a_store", ExitCode::kStore},
    KindRow{"store_corrupt", ExitCode::kStore},
    KindRow{"store_newer_version", ExitCode::kStore},
    KindRow{"store_not_local", ExitCode::kStore},
    KindRow{"store_other_namespace", ExitCode::kStore},
    KindRow{"store_failed", ExitCode::kStore},
    KindRow{"interrupted", ExitCode::kResumeLater},
    KindRow{"cancelled", ExitCode::kCancelled},
    KindRow{"fault", ExitCode::kFailed},
};
static_assert(kKinds.size() == static_cast<std::size_t>(RefusalKind::kFault) + 1);

RefusalKind kind_of(store::StoreErrorKind kind) {
  using enum store::StoreErrorKind;
  switch (kind) {
    case kNoSuchRun: return RefusalKind::kNoSuchRun;
    case kRunExists: return RefusalKind::kRunExists;
    case kOwned: return RefusalKind::kOwned;
    case kGroupTaken: return RefusalKind::kGroupTaken;
    case kInUse: return RefusalKind::kStoreInUse;
    case kFull: return RefusalKind::kStoreFull;
    case kPermission: return RefusalKind::kStorePermission;
    case kNotAStore: return RefusalKind::kNotAStore;
    case kCorrupt: return RefusalKind::kStoreCorrupt;
    case kNewerVersion: return RefusalKind::kStoreNewerVersion;
    case kNotLocal: return RefusalKind::kStoreNotLocal;
    case kOtherNamespace: return RefusalKind::kStoreOtherNamespace;
    case kNotOwner:
    case kRowExists:
    case kNotFound:
    case kIo: return RefusalKind::kStoreFailed;
  }
  return RefusalKind::kStoreFailed;
}

void append(std::string& out, std::string_view message, std::string_view hint, const Style& style) {
  out += style.error("error:") + " " + printable(message) + "\n";
  if (!hint.empty()) out += style.dim("hint:") + " " + printable(hint) + "\n";
}

}  // namespace

Refusal refusal(store::StoreError error) {
  return {kind_of(error.kind), std::move(error.message), std::move(error.hint)};
}

std::string_view kind_name(RefusalKind kind) { return kKinds[static_cast<std::size_t>(kind)].name; }
ExitCode exit_code(RefusalKind kind) { return kKinds[static_cast<std::size_t>(kind)].code; }

Json to_json(const Refusal& refusal) {
  Json out = {{"error", {{"kind", kind_name(refusal.kind)}, {"message", refusal.message}}}};
  if (exit_code(refusal.kind) != ExitCode::kUsage) return out;
  Json& diagnostics = out["diagnostics"] = Json::array();
  for (const Diagnostic& diagnostic : refusal.diagnostics) diagnostics.push_back(to_json(diagnostic));
  for (const Error& problem : refusal.problems) {
    diagnostics.push_back({{"severity", "error"}, {"message", problem.message}, {"hint", problem.hint}});
  }
  return out;
}

std::string render(const Refusal& refusal, bool color) {
  const Style style{color};
  std::string out;
  for (const Diagnostic& diagnostic : refusal.diagnostics) out += render(diagnostic, color);
  for (const Error& problem : refusal.problems) append(out, problem.message, problem.hint, style);
  append(out, refusal.message, refusal.hint, style);
  return out;
}

}  // namespace canorun::cli
