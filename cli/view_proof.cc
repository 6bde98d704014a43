#include "cli/view_proof.h"

#include <fmt/format.h>

#include "cli/text.h"
#include "workflows/way.h"

namespace canorun::cli {
namespace {

constexpr std::size_t kMostNames = 8;
constexpr std::size_t kMostLoops = 8;

std::vector<std::string_view> names(const model::Flow& flow, const std::vector<model::StateId>& states) {
  std::vector<std::string_view> all;
  for (const model::StateId id : states) all.push_back(flow.states[id].name);
  return all;
}

}  // namespace

std::string proof_text(const model::Flow& flow, const workflows::Proof& proof) {
  std::string out = fmt::format("{}, {}\n", counted(flow.states.size(), "state"), counted(proof.exits.size(), "exit"));
  Table table;
  table.row({{"exits"}, {listed(names(flow, proof.exits), kMostNames) + ": from every state one can be reached"}});
  table.row({{"longest path"},
             {fmt::format("{}{}: {}", proof.longest_is_exact ? "" : "at least ", counted(proof.longest.size(), "state"),
                          workflows::way_text(names(flow, proof.longest), kMostNames))}});
  if (proof.loops.empty()) table.row({{"loops"}, {"none: no state is entered twice"}});
  for (std::size_t i = 0; i < proof.loops.size() && i < kMostLoops; ++i) {
    const workflows::Loop& loop = proof.loops[i];
    table.row({{i == 0 ? "loops" : ""},
               {fmt::format("{}: left at {}", listed(names(flow, loop.states), kMostNames),
                            listed(names(flow, loop.left_at), kMostNames))}});
  }
  if (proof.loops.size() > kMostLoops) table.row({{""}, {fmt::format("and {} more", proof.loops.size() - kMostLoops)}});
  return out + table.text("  ");
}

}  // namespace canorun::cli
