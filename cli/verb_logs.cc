// canorun logs: what the commands of a run wrote.
#include <fmt/format.h>

#include <map>

#include "cli/command_line.h"
#include "cli/follow.h"
#include "cli/log_reader.h"
#include "cli/verb.h"
#include "cli/view_logs.h"
#include "cli/wiring.h"
#include "engine/base/suggest.h"
#include "engine/run/run_state.h"
#include "engine/store/row_effects.h"

namespace canorun::cli {
namespace {

class Logs final : public Verb {
 public:
  void declare(CommandLine& line) override {
    line.required(id_, "ID", "the run");
    line.optional(state_, "STATE", "only what this state wrote");
    line.flag(follow_, "-f,--follow", "go on until the run has ended");
  }

  OrRefusal<ExitCode> run(Wiring& wiring) override {
    const auto store = wiring.open_store(Wiring::Access::kRead);
    if (!store) return std::unexpected(store.error());
    auto record = (*store)->load(id_);
    if (!record) return std::unexpected(refusal(record.error()));
    note_visits(record->rows);
    if (auto known = check_state(record->rows); !known) return std::unexpected(known.error());

    LogReader reader((*store)->log_folder(id_), state_);
    LogView view(wiring.out(), form(wiring.options()), wiring.out_style(),
                 [&](std::uint64_t row) { return visit(**store, row); });
    const LogReader::Taker taker{
        .chunk = [&](const run::AttemptName& name, const run::Chunk& chunk) { view.chunk(name, chunk); },
        .gap = [&](const run::AttemptName& name, std::uint64_t left_out) { view.gap(name, left_out); }};
    for (auto status = record->summary.status;;) {
      reader.read(taker);
      if (!follow_ || !goes_on(status) || wiring.out().is_over()) break;
      wait_a_little();
      const auto summary = (*store)->find(id_);
      if (!summary) return std::unexpected(refusal(summary.error()));
      status = summary->status;
    }
    view.finish();
    return ExitCode::kSuccess;
  }

 private:
  static LogView::Form form(const Options& options) {
    return options.json ? LogView::Form::kJson : options.quiet ? LogView::Form::kBytes : LogView::Form::kHeaders;
  }

  // With --follow a state may come later.
  OrRefusal<void> check_state(const std::vector<store::Row>& rows) const {
    const bool beside_states = state_.find('.') != std::string::npos;  // `on_end.1`, `services.db.setup`
    if (state_.empty() || follow_ || beside_states) return {};
    const run::RunState run = run::replay(id_, rows);
    if (run.find(state_) != nullptr) return {};
    std::vector<std::string_view> names;
    for (const run::StateRecord& state : run.states) names.push_back(state.name);
    return refuse(RefusalKind::kUnknownState, fmt::format("run '{}' did not enter a state '{}'", id_, to_utf8(state_)),
                  suggestion(state_, names));
  }

  std::uint64_t visit(const store::CheckpointStore& store, std::uint64_t row) {
    if (!visits_.contains(row)) {
      if (auto record = store.load(id_)) note_visits(record->rows);
    }
    const auto found = visits_.find(row);
    return found != visits_.end() ? found->second : 1;
  }

  void note_visits(const std::vector<store::Row>& rows) {
    std::uint64_t sequence = 0;
    for (const store::Row& row : rows) {
      sequence += store::gap_before(row);
      if (const auto* entered = std::get_if<store::StateEntered>(&row.body)) visits_[sequence] = entered->visit;
      ++sequence;
    }
  }

  std::string id_;
  std::string state_;
  bool follow_ = false;
  std::map<std::uint64_t, std::uint64_t> visits_;  ///< by the row that entered the state
};

}  // namespace

std::unique_ptr<Verb> make_logs() { return std::make_unique<Logs>(); }

}  // namespace canorun::cli
