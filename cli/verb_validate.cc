// canorun validate: all that is wrong with flow files.
#include <fmt/format.h>

#include "cli/command_line.h"
#include "cli/verb.h"
#include "cli/view_proof.h"
#include "cli/wiring.h"
#include "tasks/catalog.h"
#include "workflows/load.h"

namespace canorun::cli {
namespace {

class Validate final : public Verb {
 public:
  void declare(CommandLine& line) override {
    line.several(files_, "FLOW", "flow files");
    line.flag(strict_, "--strict", "warnings are errors");
  }

  OrRefusal<ExitCode> run(Wiring& wiring) override {
    Json documents = Json::array();
    bool good = true;
    for (const std::string& file : files_) {
      const auto loaded = workflows::load_file(file, tasks::catalog());
      const bool passes = loaded.flow && (!strict_ || loaded.diagnostics.empty());
      good = good && passes;
      for (const Diagnostic& diagnostic : loaded.diagnostics) {
        if (wiring.options().json)
          documents.push_back(to_json(diagnostic));
        else if (!wiring.options().quiet || !passes)
          wiring.err().write(render(diagnostic, wiring.err_style().color));
      }
      if (passes && !wiring.options().json && !wiring.options().quiet) {
        wiring.out().write(fmt::format("{}: ok: {}", file, proof_text(*loaded.flow, workflows::prove(*loaded.flow))));
      }
    }
    if (wiring.options().json) wiring.document(documents);
    return good ? ExitCode::kSuccess : ExitCode::kUsage;
  }

 private:
  std::vector<std::string> files_;
  bool strict_ = false;
};

}  // namespace

std::unique_ptr<Verb> make_validate() { return std::make_unique<Validate>(); }

}  // namespace canorun::cli
