// canorun breakers: the breakers that runs share, and those of runs that go on; closes one.
#include <fmt/format.h>

#include "cli/command_line.h"
#include "cli/live_records.h"
#include "cli/verb.h"
#include "cli/view_breakers.h"
#include "cli/wiring.h"
#include "engine/base/suggest.h"

namespace canorun::cli {
namespace {

using Records = std::vector<store::BreakerRecord>;

OrRefusal<Records> live_breakers(store::CheckpointStore& store) {
  auto breakers = only_live(store, store.shared().breakers());
  if (!breakers) return std::unexpected(refusal(std::move(breakers.error())));
  return std::move(*breakers);
}

class Breakers final : public Verb {
 public:
  void declare(CommandLine& line) override {
    line.optional(action_, "reset", "close the breaker NAME, as if nothing had failed");
    line.optional(name_, "NAME", "the breaker to close; of a run's own: RUN/NAME");
  }

  OrRefusal<ExitCode> run(Wiring& wiring) override {
    if (!action_.empty()) return reset(wiring);
    const auto store = wiring.open_store(Wiring::Access::kRead);
    if (!store) return std::unexpected(store.error());
    const auto breakers = live_breakers(**store);
    if (!breakers) return std::unexpected(breakers.error());
    const WallTime now = wiring.clock().now();
    if (wiring.options().json) {
      Json documents = Json::array();
      for (const store::BreakerRecord& breaker : *breakers) documents.push_back(to_json(breaker, now));
      wiring.document(documents);
    } else if (breakers->empty()) {
      wiring.note("no breakers: one is listed from its first failure on\n");
    } else {
      wiring.out().write(breakers_text(*breakers, now, wiring.out_style()));
    }
    return ExitCode::kSuccess;
  }

 private:
  OrRefusal<ExitCode> reset(Wiring& wiring) const {
    if (action_ != "reset") {
      return refuse(RefusalKind::kUsage, fmt::format("unexpected argument '{}'", to_utf8(action_)),
                    "usage: canorun breakers, or canorun breakers reset NAME");
    }
    if (name_.empty()) return refuse(RefusalKind::kUsage, "NAME is missing", "usage: canorun breakers reset NAME");
    const auto store = wiring.open_store(Wiring::Access::kWork);
    if (!store) return std::unexpected(store.error());
    const auto done = (*store)->shared().reset_breaker(name_);
    if (!done) return std::unexpected(refusal(done.error()));
    if (!*done) return unknown(**store);
    return tell(wiring, **store);
  }

  std::unexpected<Refusal> unknown(store::CheckpointStore& store) const {
    const auto breakers = live_breakers(store);
    if (!breakers) return std::unexpected(breakers.error());
    std::vector<std::string_view> known;
    for (const store::BreakerRecord& breaker : *breakers) known.push_back(breaker.key);
    return refuse(RefusalKind::kNoSuchBreaker,
                  fmt::format("there is no breaker '{}': one is listed from its first failure on", to_utf8(name_)),
                  suggestion(name_, known));
  }

  OrRefusal<ExitCode> tell(Wiring& wiring, store::CheckpointStore& store) const {
    if (!wiring.options().json) {
      if (!wiring.options().quiet) wiring.out().write(fmt::format("{} is closed\n", name_));
      return ExitCode::kSuccess;
    }
    const auto breakers = store.shared().breakers();
    if (!breakers) return std::unexpected(refusal(breakers.error()));
    const auto mine = std::ranges::find(*breakers, name_, &store::BreakerRecord::key);
    // A run that was deleted in this moment has taken it along.
    wiring.document(mine != breakers->end() ? to_json(*mine, wiring.clock().now()) : Json());
    return ExitCode::kSuccess;
  }

  std::string action_;
  std::string name_;
};

}  // namespace

std::unique_ptr<Verb> make_breakers() { return std::make_unique<Breakers>(); }

}  // namespace canorun::cli
