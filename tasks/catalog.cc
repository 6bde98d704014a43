#include "tasks/catalog.h"

#include <algorithm>
#include <array>

#include "tasks/exec.h"
#include "tasks/fail.h"
#include "tasks/file.h"
#include "tasks/flow.h"
#include "tasks/http.h"
#include "tasks/log.h"
#include "tasks/pass.h"
#include "tasks/shell.h"

namespace canorun::tasks {
namespace {

constexpr std::array kKinds{kExec, kFail, kFile, kFlow, kHttp, kLog, kPass, kShell};

constexpr bool strictly_sorted(const auto& entries) {
  return std::ranges::adjacent_find(entries, [](const auto& a, const auto& b) { return a.name >= b.name; }) ==
         entries.end();
}

static_assert(strictly_sorted(kKinds));
static_assert(std::ranges::all_of(kKinds, [](const auto& kind) { return strictly_sorted(kind.params); }));
static_assert(std::ranges::all_of(kKinds, [](const auto& kind) { return strictly_sorted(kind.outputs); }));

}  // namespace

model::Catalog catalog() { return kKinds; }

}  // namespace canorun::tasks
