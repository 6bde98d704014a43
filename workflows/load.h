// Reads flow files: a flow that can run, or everything that is wrong with the file.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/diagnostic.h"
#include "engine/base/result.h"
#include "engine/model/flow.h"
#include "engine/model/task_kind.h"

namespace canorun::workflows {

struct Loaded {
  std::shared_ptr<const model::Flow> flow;  ///< null when there are errors; keeps its children
  /// By place in the file, warnings too; behind them those of the files that it names.
  std::vector<Diagnostic> diagnostics;
};

/// The text of another flow file, by its absolute path.
using TextOf = std::function<Result<std::string>(const std::string& path)>;

/// Reads the file at `path`, which is also its name in diagnostics, and the flow files that it names, and so on. At
/// most 4 MiB and one byte are read of each, whatever stands there.
Loaded load_file(const std::string& path, model::Catalog catalog);

/// Reads a flow's text, as the store keeps it. `file` (may be empty) and `folder` are absolute; `name`
/// is what diagnostics call it. The flow files that it names come from `text_of`; null: there are none.
Loaded load_text(std::string name, std::string text, std::string file, std::string folder, model::Catalog catalog,
                 const TextOf& text_of = {});

}  // namespace canorun::workflows
