#include "cli/wiring.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "engine/store/fault_store.h"
#include "engine/store/lmdb_store.h"
#include "engine/store/memory_store.h"

namespace canorun::cli {
namespace {

std::string_view variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? std::string_view(value) : std::string_view();
}

Style style_for(const Options& options, const Output& output) {
  if (options.color != "auto") return {options.color == "always"};
  return {output.moves_cursor() && variable("NO_COLOR").empty()};
}

// The fault seam (cli.md).
OrRefusal<std::optional<store::CrashPoint>> crash_point() {
  auto crash = store::crash_point_from(variable("CANORUN_CRASH"));
  if (!crash) return refuse(RefusalKind::kUsage, "CANORUN_CRASH: " + crash.error().message, crash.error().hint);
  return *crash;
}

bool is_there(const std::string& path) {
  struct stat found{};
  return ::stat(path.c_str(), &found) == 0 || errno != ENOENT;
}

}  // namespace

OrRefusal<std::string> store_folder(const Options& options) {
  if (options.store) {
    if (options.store->empty()) return refuse(RefusalKind::kUsage, "--store takes the name of a folder");
    return *options.store;
  }
  if (const auto named = variable("CANORUN_STORE"); !named.empty()) return std::string(named);
  if (const auto state = variable("XDG_STATE_HOME"); state.starts_with('/')) return fmt::format("{}/canorun", state);
  if (const auto home = variable("HOME"); home.starts_with('/')) return fmt::format("{}/.local/state/canorun", home);
  return refuse(RefusalKind::kNoStoreFolder, "there is no folder for the store, as HOME is not set",
                "name one with --store DIR or CANORUN_STORE");
}

Wiring::Wiring(Options options)
    : options_(std::move(options)),
      out_(STDOUT_FILENO),
      err_(STDERR_FILENO),
      out_style_(style_for(options_, out_)),
      err_style_(style_for(options_, err_)) {}

void Wiring::document(const Json& value) { out_.write(to_json_text(value) + "\n"); }

void Wiring::tell(const Refusal& refusal) {
  err_.write(render(refusal, err_style_.color));
  if (options_.json) document(to_json(refusal));
}

void Wiring::note(std::string_view text) {
  if (!options_.quiet) err_.write(text);
}

OrRefusal<std::unique_ptr<store::CheckpointStore>> Wiring::open_store(Access access) {
  const auto folder = store_folder(options_);
  if (!folder) return std::unexpected(folder.error());
  if (access != Access::kStart && !is_there(*folder)) return nothing_kept();
  const auto crash = crash_point();
  if (!crash) return std::unexpected(crash.error());
  auto opened = store::LmdbStore::open({.folder = *folder});
  if (!opened) return std::unexpected(refusal(std::move(opened.error())));
  if (access == Access::kRead || !*crash) return std::move(*opened);
  return std::make_unique<store::FaultStore>(std::move(*opened), **crash);
}

store::StoreResult<std::unique_ptr<store::LmdbStore>> open_on_disk(const std::string& folder, bool alone) {
  if (!is_there(folder)) return nullptr;
  return store::LmdbStore::open({.folder = folder, .alone = alone});
}

std::unique_ptr<store::CheckpointStore> Wiring::nothing_kept() {
  return std::make_unique<store::MemoryStore>(store::MemoryStore::Keeps::kSummaries);
}

std::string Wiring::command(std::string_view words) const {
  if (!options_.store) return fmt::format("canorun {}", words);
  return fmt::format("canorun {} --store {}", words, shell_word(*options_.store));
}

}  // namespace canorun::cli
