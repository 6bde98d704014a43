// canorun health: asks the services of a flow whether they are well.
#include <fmt/format.h>

#include <algorithm>

#include "cli/command_line.h"
#include "cli/flow_source.h"
#include "cli/input_options.h"
#include "cli/session.h"
#include "cli/verb.h"
#include "cli/view_health.h"

namespace canorun::cli {
namespace {

class Health final : public Verb {
 public:
  void declare(CommandLine& line) override {
    line.required(file_, "FLOW", "the flow file");
    inputs_.declare(line);
  }

  OrRefusal<ExitCode> run(Wiring& wiring) override {
    const auto flow = flow_from_file(wiring, file_);
    if (!flow) return std::unexpected(flow.error());
    auto inputs = inputs_.bind(**flow);
    if (!inputs) return std::unexpected(inputs.error());
    const auto store = wiring.nothing_kept();
    Session session(wiring, *store, {.resumable = false});
    const auto probed = session.work_on("health", [&](run::Runtime& runtime, run::Interrupt& interrupt) {
      return run::probe(runtime, *flow, std::move(inputs->values), interrupt);
    });
    if (probed.refused) return refuse(RefusalKind::kInvalidInputs, probed.refused->message, probed.refused->hint);
    if (probed.cut_off) return cut_off(**flow, probed.services);
    tell(wiring, **flow, probed.services);
    return is_healthy(probed.services) ? ExitCode::kSuccess : ExitCode::kFailed;
  }

 private:
  static std::unexpected<Refusal> cut_off(const model::Flow& flow, const std::vector<run::Health>& asked) {
    const auto probes =
        std::ranges::count_if(flow.services, [](const auto& service) { return service.health.has_value(); });
    const auto ended =
        std::ranges::count_if(asked, [](const auto& health) { return health.status != run::Health::Status::kNone; });
    return refuse(RefusalKind::kCancelled, fmt::format("interrupted when {} of {} probes had ended", ended, probes));
  }

  static void tell(Wiring& wiring, const model::Flow& flow, const std::vector<run::Health>& services) {
    if (wiring.options().json) {
      wiring.document(health_json(flow.name, services));
    } else if (services.empty()) {
      wiring.note(fmt::format("flow '{}' has no services\n", flow.name));
    } else if (!wiring.options().quiet) {
      wiring.out().write(health_text(services, wiring.out_style()));
    }
    wiring.err().write(health_report(services, wiring.err_style()));
  }

  std::string file_;
  InputOptions inputs_;
};

}  // namespace

std::unique_ptr<Verb> make_health() { return std::make_unique<Health>(); }

}  // namespace canorun::cli
