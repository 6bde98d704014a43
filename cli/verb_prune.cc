// canorun prune: deletes old runs that ended, and gives back the space of what is gone.
#include <fmt/format.h>

#include "cli/command_line.h"
#include "cli/verb.h"
#include "cli/view_list.h"
#include "cli/wiring.h"
#include "engine/base/duration.h"

namespace canorun::cli {
namespace {

class Prune final : public Verb {
 public:
  void declare(CommandLine& line) override {
    line.option(older_than_, "--older-than", "TIME", "runs that ended longer ago than this, as in 30d or 12h");
    line.count(keep_, "--keep", "N", "all but the newest N of each flow");
    line.option(flow_, "--flow", "NAME", "only runs of this flow");
    line.flag(dry_run_, "--dry-run", "only say which runs would be deleted");
  }

  OrRefusal<ExitCode> run(Wiring& wiring) override {
    const auto which = read(wiring.clock().now());
    if (!which) return std::unexpected(which.error());
    const auto store = wiring.open_store(Wiring::Access::kWork);
    if (!store) return std::unexpected(store.error());
    return dry_run_ ? foretell(wiring, **store, *which) : remove(wiring, **store, *which);
  }

 private:
  OrRefusal<store::OldRuns> read(WallTime now) const {
    if (!older_than_ && !keep_) {
      return refuse(RefusalKind::kUsage, "prune needs to know which runs may go",
                    "give --older-than 30d, --keep 100, or both: then only runs go that neither keeps");
    }
    store::OldRuns which{.flow = flow_};
    if (older_than_) {
      const auto age = parse_duration(*older_than_);
      if (!age) return refuse(RefusalKind::kUsage, "--older-than: " + age.error().message, age.error().hint);
      which.before = now - *age;
    }
    if (keep_) which.keep = *keep_;
    return which;
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

  OrRefusal<ExitCode> remove(Wiring& wiring, store::CheckpointStore& store, const store::OldRuns& which) const {
    const auto deleted = store.delete_old(which);
    if (!deleted) return std::unexpected(refusal(deleted.error()));
    return tell(wiring, *deleted);
  }

  OrRefusal<ExitCode> tell(Wiring& wiring, const std::vector<std::string>& ids) const {
    if (wiring.options().json) {
      wiring.document({{"runs", ids}, {"dry_run", dry_run_}});
    } else if (!wiring.options().quiet) {
      wiring.out().write(fmt::format("{} {}\n", dry_run_ ? "would delete" : "deleted", counted(ids.size(), "run")));
    }
    return ExitCode::kSuccess;
  }

  std::optional<std::string> older_than_;
  std::optional<std::size_t> keep_;
  std::optional<std::string> flow_;
  bool dry_run_ = false;
};

}  // namespace

std::unique_ptr<Verb> make_prune() { return std::make_unique<Prune>(); }

}  // namespace canorun::cli
