#include "cli/flow_source.h"

#include <fmt/format.h>

#include "tasks/catalog.h"
#include "workflows/load.h"

namespace canorun::cli {
namespace {

OrRefusal<std::shared_ptr<const model::Flow>> take(Wiring& wiring, workflows::Loaded loaded, const std::string& name) {
  if (!loaded.flow) {
    const auto errors =
        static_cast<std::size_t>(std::count_if(loaded.diagnostics.begin(), loaded.diagnostics.end(),
                                               [](const Diagnostic& d) { return d.severity == Severity::kError; }));
    return std::unexpected(Refusal{.kind = RefusalKind::kInvalidFlow,
                                   .message = fmt::format("{} has {}: nothing was run", name, counted(errors, "error")),
                                   .diagnostics = std::move(loaded.diagnostics)});
  }
  for (const Diagnostic& warning : loaded.diagnostics) wiring.note(render(warning, wiring.err_style().color));
  return std::move(loaded.flow);
}

}  // namespace

OrRefusal<std::shared_ptr<const model::Flow>> flow_from_file(Wiring& wiring, const std::string& path) {
  return take(wiring, workflows::load_file(path, tasks::catalog()), path);
}

OrRefusal<std::shared_ptr<const model::Flow>> flow_of_run(Wiring& wiring, const store::CheckpointStore& store,
                                                          const run::RunState& run) {
  auto text = store.text(run.start.digest);
  if (!text) return std::unexpected(refusal(std::move(text.error())));
  const std::string name = fmt::format("flow {} of run {}", run.start.flow, run.id);
  return take(wiring, workflows::load_text(name, std::move(*text), run.start.file, run.start.folder, tasks::catalog()),
              name);
}

}  // namespace canorun::cli
