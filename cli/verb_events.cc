// canorun events: the rows of a run, in order.
#include "cli/command_line.h"
#include "cli/follow.h"
#include "cli/verb.h"
#include "cli/view_events.h"
#include "cli/wiring.h"
#include "engine/run/run_state.h"
#include "engine/store/row_effects.h"

namespace canorun::cli {
namespace {

class Events final : public Verb {
 public:
  void declare(CommandLine& line) override {
    line.required(id_, "ID", "the run");
    line.flag(follow_, "-f,--follow", "go on until the run has ended");
  }

  OrRefusal<ExitCode> run(Wiring& wiring) override {
    const auto store = wiring.open_store(Wiring::Access::kRead);
    if (!store) return std::unexpected(store.error());
    std::uint64_t next = 0;
    for (;;) {
      // The status is read before the rows: what comes in between is printed, and then there is an end.
      const auto summary = (*store)->find(id_);
      if (!summary) return std::unexpected(refusal(summary.error()));
      if (summary->rows > next) {
        const auto record = (*store)->load(id_);
        if (!record) return std::unexpected(refusal(record.error()));
        print(wiring, record->rows, next);
      }
      if (!follow_ || !goes_on(summary->status) || wiring.out().is_over()) return ExitCode::kSuccess;
      wait_a_little();
    }
  }

 private:
  static void print(Wiring& wiring, const std::vector<store::Row>& rows, std::uint64_t& next) {
    std::string text;
    std::uint64_t sequence = 0;
    for (const store::Row& row : rows) {
      const std::uint64_t at = sequence + store::gap_before(row);
      sequence = at + 1;
      if (at < next) continue;
      text +=
          wiring.options().json ? to_json_text(run::to_json(row, at)) + "\n" : event_text(row, at, wiring.out_style());
      if (text.size() < 64 * 1024) continue;
      wiring.out().write(text);
      text.clear();
    }
    wiring.out().write(text);
    next = sequence;
  }

  std::string id_;
  bool follow_ = false;
};

}  // namespace

std::unique_ptr<Verb> make_events() { return std::make_unique<Events>(); }

}  // namespace canorun::cli
