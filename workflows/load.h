// Reads flow files: a flow that can run, or everything that is wrong with the file.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/base/diagnostic.h"
#include "engine/model/flow.h"
#include "engine/model/task_kind.h"

namespace canorun::workflows {

struct Loaded {
  std::shared_ptr<const model::Flow> flow;  ///< null when there are errors
  std::vector<Diagnostic> diagnostics;      ///< by place in the file; warnings too
};

/// Reads the file at `path`, which is also its name in diagnostics. At most 4 MiB and one byte are
/// read, whatever stands there.
Loaded load_file(const std::string& path, model::Catalog catalog);

/// Reads a flow's text, as the store keeps it. `file` (may be empty) and `folder` are absolute; `name`
/// is what diagnostics call it.
Loaded load_text(std::string name, std::string text, std::string file, std::string folder, model::Catalog catalog);

}  // namespace canorun::workflows
