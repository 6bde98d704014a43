// canorun prune: deletes old runs that ended, and gives back the space of what is gone.
#include <fmt/format.h>

#include "cli/command_line.h"
#include "cli/verb.h"
#include "cli/view_list.h"
#include "cli/wiring.h"
#include "engine/base/duration.h"
#include "engine/store/lmdb_store.h"

namespace canorun::cli {
namespace {

std::string compaction_text(const store::Compaction& compaction) {
  const auto& [before, after] = compaction;
  const std::string given =
      before > after ? fmt::format("gave back {}", human_size(before - after)) : std::string("nothing to give back");
  return fmt::format("{}: the store takes {}\n", given, human_size(after));
}

class Prune final : public Verb {
 public:
  void declare(CommandLine& line) override {
    line.option(older_than_, "--older-than", "TIME", "runs that ended longer ago than this, as in 30d or 12h");
    line.count(keep_, "--keep", "N", "all but the newest N of each flow");
    line.option(flow_, "--flow", "NAME", "only runs of this flow");
    line.flag(dry_run_, "--dry-run", "only say which runs would be deleted");
    line.flag(compact_, "--compact", "give space back to the disk; nothing else may use the store meanwhile");
  }

  OrRefusal<ExitCode> run(Wiring& wiring) override {
    const auto which = read(wiring.clock().now());
    if (!which) return std::unexpected(which.error());
    if (compact_) return compact(wiring, *which);
    const auto store = wiring.open_store(Wiring::Access::kWork);
    if (!store) return std::unexpected(store.error());
    if (dry_run_) return foretell(wiring, **store, **which);
    const auto deleted = (*store)->delete_old(**which);
    if (!deleted) return std::unexpected(refusal(deleted.error()));
    return tell(wiring, *deleted);
  }

 private:
  // None: no run is to be deleted.
  OrRefusal<std::optional<store::OldRuns>> read(WallTime now) const {
    const bool names_runs = older_than_ || keep_;
    if (!names_runs && (!compact_ || flow_)) {
      return refuse(RefusalKind::kUsage, "prune needs to know which runs may go",
                    "give --older-than 30d, --keep 100, or both: then only runs go that neither keeps");
    }
    if (compact_ && dry_run_) return refuse(RefusalKind::kUsage, "--compact cannot be tried out: leave out --dry-run");
    if (!names_runs) return std::nullopt;
    store::OldRuns which{.flow = flow_};
    if (older_than_) {
      const auto age = parse_duration(*older_than_);
      if (!age) return refuse(RefusalKind::kUsage, "--older-than: " + age.error().message, age.error().hint);
      which.before = now - *age;
    }
    if (keep_) which.keep = *keep_;
    return which;
  }

  OrRefusal<ExitCode> compact(Wiring& wiring, const std::optional<store::OldRuns>& which) const {
    const auto folder = store_folder(wiring.options());
    if (!folder) return std::unexpected(folder.error());
    auto store = open_on_disk(*folder, true);
    if (!store) return std::unexpected(refusal(store.error()));
    if (*store == nullptr) return tell(wiring, {}, store::Compaction{});
    const auto deleted = which ? (*store)->delete_old(*which) : std::vector<std::string>();
    if (!deleted) return std::unexpected(refusal(deleted.error()));
    const auto done = store::LmdbStore::compact(std::move(*store));
    if (done) return tell(wiring, *deleted, *done);
    if (which) wiring.note(deleted_text(*deleted));
    return std::unexpected(refusal(done.error()));
  }

  OrRefusal<ExitCode> foretell(Wiring& wiring, const store::CheckpointStore& store, const store::OldRuns& which) const {
    const auto old = store.old_runs(which);
    if (!old) return std::unexpected(refusal(old.error()));
    std::vector<std::string> ids;
    std::vector<Listed> listed;
    for (const store::Summary& run : *old) {
      ids.push_back(run.id);
      listed.push_back({run});
    }
    if (!wiring.options().json && !old->empty()) {
      wiring.out().write(list_text(listed, wiring.clock().now(), wiring.out_style()));
    }
    return tell(wiring, ids);
  }

  std::string deleted_text(const std::vector<std::string>& ids) const {
    return fmt::format("{} {}\n", dry_run_ ? "would delete" : "deleted", counted(ids.size(), "run"));
  }

  OrRefusal<ExitCode> tell(Wiring& wiring, const std::vector<std::string>& ids,
                           const std::optional<store::Compaction>& compaction = {}) const {
    if (wiring.options().json) {
      Json document{{"runs", ids}, {"dry_run", dry_run_}, {"compacted", nullptr}};
      if (compaction)
        document["compacted"] = {{"bytes_before", compaction->before}, {"bytes_after", compaction->after}};
      wiring.document(document);
    } else if (!wiring.options().quiet) {
      if (older_than_ || keep_) wiring.out().write(deleted_text(ids));
      if (compaction) wiring.out().write(compaction_text(*compaction));
    }
    return ExitCode::kSuccess;
  }

  std::optional<std::string> older_than_;
  std::optional<std::size_t> keep_;
  std::optional<std::string> flow_;
  bool dry_run_ = false;
  bool compact_ = false;
};

}  // namespace

std::unique_ptr<Verb> make_prune() { return std::make_unique<Prune>(); }

}  // namespace canorun::cli
