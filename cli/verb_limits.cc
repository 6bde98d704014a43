// canorun limits: the rate limits that runs share, and those of runs that go on.
#include "cli/command_line.h"
#include "cli/live_records.h"
#include "cli/verb.h"
#include "cli/view_limits.h"
#include "cli/wiring.h"

namespace canorun::cli {
namespace {

class Limits final : public Verb {
 public:
  void declare(CommandLine&) override {}

  OrRefusal<ExitCode> run(Wiring& wiring) override {
    const auto store = wiring.open_store(Wiring::Access::kRead);
    if (!store) return std::unexpected(store.error());
    const auto limits = only_live(**store, (*store)->shared().limits());
    if (!limits) return std::unexpected(refusal(limits.error()));
    const store::Moment now{wiring.clock().now(), wiring.clock().steady()};
    if (wiring.options().json) {
      Json documents = Json::array();
      for (const store::LimitRecord& limit : *limits) documents.push_back(to_json(limit, now));
      wiring.document(documents);
    } else if (limits->empty()) {
      wiring.note("no limits: one is listed once something was taken of it\n");
    } else {
      wiring.out().write(limits_text(*limits, now, wiring.out_style()));
    }
    return ExitCode::kSuccess;
  }
};

}  // namespace

std::unique_ptr<Verb> make_limits() { return std::make_unique<Limits>(); }

}  // namespace canorun::cli
