#include "cli/run_document.h"

#include <algorithm>

#include "cli/view_list.h"

namespace canorun::cli {

OrRefusal<Json> run_document(const store::CheckpointStore& store, const run::RunState& run, store::Status status) {
  auto children = store.list({.parent = run.id});
  if (!children) return std::unexpected(refusal(std::move(children.error())));
  Json document = run::to_json(run, status);
  std::ranges::reverse(*children);
  for (const store::Summary& child : *children) document["children"].push_back(to_json(child));
  return document;
}

}  // namespace canorun::cli
