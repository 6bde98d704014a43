// canorun signal: tells a run what it waits for.
#include <fmt/format.h>

#include "cli/command_line.h"
#include "cli/flow_source.h"
#include "cli/resumption.h"
#include "cli/secret_inputs.h"
#include "cli/verb.h"
#include "cli/wiring.h"
#include "engine/base/suggest.h"
#include "engine/run/run_state.h"

namespace canorun::cli {
namespace {

class SendSignal final : public Verb {
 public:
  void declare(CommandLine& line) override {
    line.required(id_, "ID", "the run");
    line.required(name_, "NAME", "the signal, as a 'wait' state of its flow names it");
    line.option(data_, "--data", "JSON", "what the state gets as its output; default: null");
  }

  OrRefusal<ExitCode> run(Wiring& wiring) override {
    auto data = data_ ? parse_json(*data_) : Result<Json>(Json());
    if (!data) {
      return refuse(RefusalKind::kUsage, "--data: " + data.error().message,
                    "a text needs quotes of its own: --data '\"yes\"'");
    }
    auto store = wiring.open_store(Wiring::Access::kWork);
    if (!store) return std::unexpected(store.error());
    const auto record = (*store)->load(id_);
    if (!record) return std::unexpected(refusal(record.error()));
    const run::RunState run = run::replay(id_, record->rows);
    if (run.is_over()) {
      return refuse(RefusalKind::kRunOver,
                    fmt::format("run '{}' is over ({}) and takes no signal", id_, status_name(run.status)));
    }
    const auto flow = flow_of_run(wiring, **store, run);
    if (!flow) return std::unexpected(flow.error());
    if (auto fits = check(**flow, *data); !fits) return std::unexpected(fits.error());
    const auto owned = (*store)->send(id_, {.name = name_, .at = wiring.clock().now(), .data = std::move(*data)});
    if (!owned) return std::unexpected(refusal(owned.error()));
    tell(wiring, **store, *owned);
    return ExitCode::kSuccess;
  }

 private:
  // Some state of the flow waits for the signal, and takes what comes with it.
  OrRefusal<void> check(const model::Flow& flow, const Json& data) const {
    std::vector<std::string_view> known;
    const model::WaitShape* wanted = nullptr;
    for (const model::State& state : flow.states) {
      const auto* wait = std::get_if<model::WaitShape>(&state.shape);
      if (wait == nullptr) continue;
      known.push_back(wait->signal);
      if (wait->signal != name_) continue;
      if (model::fits(wait->type, data)) return {};
      wanted = wait;
    }
    if (wanted != nullptr) {
      return refuse(RefusalKind::kUsage,
                    fmt::format("signal '{}' wants {}, not {}", name_, model::input_type_name(wanted->type),
                                data_ ? type_name(data) : "nothing"),
                    "give it with --data, as JSON");
    }
    return refuse(RefusalKind::kUsage,
                  fmt::format("no state of flow '{}' waits for a signal '{}'", flow.name, to_utf8(name_)),
                  known.empty() ? "it has no 'wait' state" : suggestion(name_, known));
  }

  // What goes on with it: the run above all others has the secrets of all.
  std::string resume_words(const store::CheckpointStore& store) const {
    const auto root = root_of(store, id_);
    const auto record = root ? store.load(*root) : store.load(id_);
    if (!record) return "resume " + id_;
    const run::RunState run = run::replay(record->summary.id, record->rows);
    return "resume " + run.id + again_options(run.start);
  }

  void tell(Wiring& wiring, const store::CheckpointStore& store, bool owned) const {
    if (wiring.options().json) {
      wiring.document({{"id", id_}, {"signal", name_}, {"owned", owned}});
    } else if (!wiring.options().quiet) {
      wiring.out().write(fmt::format("{} has got {}\n", id_, name_));
      if (!owned) {
        wiring.note(fmt::format("no process works on it: {} goes on with it\n", wiring.command(resume_words(store))));
      }
    }
  }

  std::string id_;
  std::string name_;
  std::optional<std::string> data_;
};

}  // namespace

std::unique_ptr<Verb> make_signal() { return std::make_unique<SendSignal>(); }

}  // namespace canorun::cli
