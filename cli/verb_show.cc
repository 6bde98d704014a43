// canorun show: one run.
#include "cli/command_line.h"
#include "cli/run_document.h"
#include "cli/verb.h"
#include "cli/view_list.h"
#include "cli/view_run.h"
#include "cli/wiring.h"

namespace canorun::cli {
namespace {

class Show final : public Verb {
 public:
  void declare(CommandLine& line) override { line.required(id_, "ID", "the run"); }

  OrRefusal<ExitCode> run(Wiring& wiring) override {
    const auto store = wiring.open_store(Wiring::Access::kRead);
    if (!store) return std::unexpected(store.error());
    const auto record = (*store)->load(id_);
    if (!record) return std::unexpected(refusal(record.error()));
    const auto queued = queue_of(**store, *record);
    if (!queued) return std::unexpected(queued.error());
    if (wiring.options().json) {
      auto document = run_document(**store, run::replay(id_, record->rows), record->summary.status);
      if (!document) return std::unexpected(std::move(document.error()));
      if (*queued) (*document)["queued"] = {{"group", (*queued)->group}, {"before", (*queued)->before}};
      wiring.document(*document);
    } else {
      const auto command = [&](std::string_view words) { return wiring.command(words); };
      const WallTime now = wiring.clock().now();
      auto children = with_children(**store, {record->summary}, kMostChildren);
      if (!children) return std::unexpected(refusal(children.error()));
      children->erase(children->begin());  // the run itself
      wiring.out().write(run_text(*record, now, command, wiring.out_style(), *children, *queued));
    }
    return ExitCode::kSuccess;
  }

 private:
  static OrRefusal<std::optional<InQueue>> queue_of(const store::CheckpointStore& store,
                                                    const store::RunRecord& record) {
    if (record.summary.status != store::Status::kQueued) return std::nullopt;
    InQueue queued;
    for (const store::Row& row : record.rows) {
      if (const auto* waits = std::get_if<store::RunQueued>(&row.body)) queued.group = waits->group;
    }
    auto before = store.before_in_group(record.number);
    if (!before) return std::unexpected(refusal(before.error()));
    queued.before = std::move(*before);
    return queued;
  }

  std::string id_;
};

}  // namespace

std::unique_ptr<Verb> make_show() { return std::make_unique<Show>(); }

}  // namespace canorun::cli
