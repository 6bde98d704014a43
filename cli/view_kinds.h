// `kinds`: the kinds of tasks, their parameters and their output.
#pragma once

#include <string>

#include "cli/text.h"
#include "engine/model/task_kind.h"

namespace canorun::cli {

/// One line per kind.
std::string kinds_text(model::Catalog catalog, const Style& style);
/// All of one kind, with its example.
std::string kind_text(const model::TaskKind& kind, const Style& style);

/// `{name, doc, parameters: […], output: […], example}`
Json to_json(const model::TaskKind& kind);

}  // namespace canorun::cli
