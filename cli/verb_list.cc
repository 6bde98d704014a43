// canorun list: runs, newest first.
#include <fmt/format.h>

#include "cli/command_line.h"
#include "cli/verb.h"
#include "cli/view_list.h"
#include "cli/wiring.h"
#include "engine/base/suggest.h"

namespace canorun::cli {
namespace {

OrRefusal<std::optional<store::Status>> status_named(const std::optional<std::string>& name) {
  if (!name) return std::nullopt;
  if (const auto status = store::status_from(*name)) return status;
  std::vector<std::string_view> known;
  for (int i = 0; i <= static_cast<int>(store::Status::kCancelled); ++i) {
    known.push_back(store::status_name(static_cast<store::Status>(i)));
  }
  return refuse(RefusalKind::kUsage, fmt::format("no run can have the status '{}'", to_utf8(*name)),
                suggestion(*name, known));
}

class List final : public Verb {
 public:
  void declare(CommandLine& line) override {
    line.option(status_, "--status", "STATUS", "only runs in this status");
    line.option(flow_, "--flow", "NAME", "only runs of this flow");
    line.option(under_, "--under", "ID", "the children of this run, all of them");
    line.count(limit_, "--limit", "N", "at most so many; 0, the default: all");
  }

  OrRefusal<ExitCode> run(Wiring& wiring) override {
    const auto status = status_named(status_);
    if (!status) return std::unexpected(status.error());
    const auto store = wiring.open_store(Wiring::Access::kRead);
    if (!store) return std::unexpected(store.error());
    if (under_) {
      if (const auto parent = (*store)->find(*under_); !parent) return std::unexpected(refusal(parent.error()));
    }
    const auto runs = look(**store, *status, wiring.options().json);
    if (!runs) return std::unexpected(refusal(runs.error()));
    if (wiring.options().json) {
      Json documents = Json::array();
      for (const Listed& one : *runs) documents.push_back(to_json(one.run));
      wiring.document(documents);
    } else if (runs->empty()) {
      wiring.note("no runs\n");
    } else {
      wiring.out().write(list_text(*runs, wiring.clock().now(), wiring.out_style()));
    }
    return ExitCode::kSuccess;
  }

 private:
  // Whoever asks for some status or flow wants each such run, wherever it stands. Otherwise children are told under
  // their parents, and many of them only in part, but to programs.
  store::StoreResult<std::vector<Listed>> look(const store::CheckpointStore& store,
                                               const std::optional<store::Status>& status, bool all) const {
    const bool filtered = status || flow_;
    store::ListFilter filter{.status = status, .flow = flow_, .parent = under_, .limit = limit_};
    if (!filtered && !under_) filter.parent = "";
    auto runs = store.list(filter);
    if (!runs) return std::unexpected(std::move(runs.error()));
    if (under_) std::ranges::reverse(*runs);
    if (!filtered) return with_children(store, *runs, all || under_ ? 0 : kMostChildren);
    std::vector<Listed> listed;
    for (store::Summary& run : *runs) listed.push_back({std::move(run)});
    return listed;
  }

  std::optional<std::string> status_;
  std::optional<std::string> flow_;
  std::optional<std::string> under_;
  std::size_t limit_ = 0;
};

}  // namespace

std::unique_ptr<Verb> make_list() { return std::make_unique<List>(); }

}  // namespace canorun::cli
