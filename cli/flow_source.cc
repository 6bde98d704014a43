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
    const bool elsewhere = std::ranges::any_of(
        loaded.diagnostics, [&](const Diagnostic& d) { return d.source && d.source->name() != name; });
    const std::string message = fmt::format(
        "{}{}: nothing was run", name,
        elsewhere ? " and the flows it runs have " + counted(errors, "error") : " has " + counted(errors, "error"));
    return std::unexpected(
        Refusal{.kind = RefusalKind::kInvalidFlow, .message = message, .diagnostics = std::move(loaded.diagnostics)});
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
  const auto text_of = [&](const std::string& path) -> Result<std::string> {
    const auto kept = run.start.flows.find(path);
    if (kept == run.start.flows.end()) return fail("the run was begun without it");
    auto found = store.text(kept->second);
    if (!found) return fail(std::move(found.error().message), std::move(found.error().hint));
    return std::move(*found);
  };
  auto loaded =
      workflows::load_text(name, std::move(*text), run.start.file, run.start.folder, tasks::catalog(), text_of);
  return take(wiring, std::move(loaded), name);
}

}  // namespace canorun::cli
