// canorun torture: kills a flow at every row, and tells which steps are not safe to run twice.
#include <fmt/format.h>

#include <filesystem>

#include "cli/command_line.h"
#include "cli/flow_source.h"
#include "cli/folder_copy.h"
#include "cli/input_options.h"
#include "cli/verb.h"
#include "cli/view_torture.h"
#include "engine/base/duration.h"

namespace canorun::cli {
namespace {

namespace fs = std::filesystem;

class TortureVerb final : public Verb {
 public:
  void declare(CommandLine& line) override {
    line.required(file_, "FLOW",
                  "the flow file; its folder is copied for every run, and what is done elsewhere is really done");
    inputs_.declare(line);
    line.repeated(
        compare_, "--compare", "DIR",
        "what must be the same at the end, in the flow's folder; may be given many times; default: all of it");
    line.option(patience_, "--patience", "TIME",
                "how long a run that was killed may take to its end; default: ten times the whole run, at least 1m");
  }

  OrRefusal<ExitCode> run(Wiring& wiring) override {
    const auto patience = read_patience();
    if (!patience) return std::unexpected(patience.error());
    const auto flow = flow_from_file(wiring, file_);
    if (!flow) return std::unexpected(flow.error());
    auto inputs = inputs_.bind(**flow);
    if (!inputs) return std::unexpected(inputs.error());
    StopSignals stop;
    auto bench = TortureBench::make(
        {.flow = **flow, .inputs = inputs->values, .compare = compared(), .leave_out = own_folders(wiring)}, stop);
    if (!bench) return std::unexpected(bench.error());
    const fs::path& original = (*bench)->original();
    if (auto inside = check_compared(**flow, original); !inside) return std::unexpected(inside.error());
    warn(wiring, **flow, inputs->values, original);
    const auto report = torture(**bench, stop, *patience, [&](auto number, auto of, const Kill& kill, bool same) {
      tell(wiring, number, of, kill, same);
    });
    if (wiring.err().moves_cursor()) wiring.note("\r\x1b[K");
    if (!report) return std::unexpected(report.error());
    if (wiring.options().json) {
      wiring.document(torture_json((*flow)->name, (*flow)->version, *report));
    } else if (!wiring.options().quiet || !report->findings.empty()) {
      wiring.out().write(torture_text((*flow)->name, *report, wiring.out_style()));
    }
    return report->findings.empty() ? ExitCode::kSuccess : ExitCode::kFailed;
  }

 private:
  OrRefusal<std::optional<Millis>> read_patience() const {
    if (!patience_) return std::nullopt;
    const auto patience = parse_duration(*patience_);
    if (!patience) return refuse(RefusalKind::kUsage, "--patience: " + patience.error().message, patience.error().hint);
    return *patience;
  }

  std::vector<std::string> compared() const {
    std::vector<std::string> names;
    for (const std::string& name : compare_) {
      fs::path path = fs::path(name).lexically_normal();
      if (!path.has_filename() && path.has_parent_path()) path = path.parent_path();
      names.push_back(path.native());
    }
    return names;
  }

  OrRefusal<void> check_compared(const model::Flow& flow, const fs::path& original) const {
    for (const std::string& name : compare_) {
      const fs::path path(name);
      if (!name.empty() && !path.is_absolute() && is_within(fs::path(flow.folder) / path, original)) continue;
      return refuse(RefusalKind::kUsage,
                    fmt::format("--compare: '{}' is not in the folder that is copied", to_utf8(name)),
                    fmt::format("name what lies below {}, as it is seen from the flow's folder", original.native()));
    }
    return {};
  }

  // An absolute path means the same place in every run.
  static void warn(Wiring& wiring, const model::Flow& flow, const Json& inputs, const fs::path& original) {
    const std::string folder = one_line(original.native(), 200);
    wiring.note(fmt::format("{} is run again and again, in copies of {}; what it does elsewhere is done each time\n",
                            flow.name, folder));
    for (const auto& [name, value] : inputs.items()) {
      if (to_text(value).find(original.native()) == std::string::npos) continue;
      wiring.note(
          fmt::format("{} input '{}' leads into {} itself, and not into its copies: give it as it is seen from the "
                      "flow's folder\n",
                      wiring.err_style().warning("warning:"), name, folder));
    }
  }

  // A store beside the flow is none of its files.
  static std::vector<fs::path> own_folders(const Wiring& wiring) {
    const auto store = store_folder(wiring.options());
    std::error_code error;
    if (!store) return {};
    return {fs::absolute(*store, error).lexically_normal()};
  }

  static void tell(Wiring& wiring, std::size_t number, std::size_t of, const Kill& kill, bool same) {
    const std::string line =
        fmt::format("{} of {}: killed {}: {} end", number, of, kill_text(kill), same ? "the same" : "another");
    if (!wiring.err().moves_cursor()) return wiring.note(line + "\n");
    wiring.note("\r\x1b[K" + one_line(line, wiring.err().width() - 1));
  }

  std::string file_;
  InputOptions inputs_;
  std::vector<std::string> compare_;
  std::optional<std::string> patience_;
};

}  // namespace

std::unique_ptr<Verb> make_torture() { return std::make_unique<TortureVerb>(); }

}  // namespace canorun::cli
