#include "cli/view_proof.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "tasks/catalog.h"
#include "workflows/load.h"

using namespace canorun;

namespace {

std::string proof_of(const std::string& states) {
  const auto loaded = workflows::load_text("flow.yaml", "name: x\nvars: {n: 0}\nstates:\n" + states, "/flow.yaml", "/",
                                           tasks::catalog());
  REQUIRE(loaded.flow);
  return cli::proof_text(*loaded.flow, workflows::prove(*loaded.flow));
}

}  // namespace

TEST_CASE("what was proven of a flow, in a few lines") {
  CHECK(proof_of(
            "  a: {task: pass, on_error: failed, next: done}\n  failed: {exit: failure}\n  done: {exit: success}\n") ==
        "3 states, 2 exits\n"
        "  exits         failed, done: from every state one can be reached\n"
        "  longest path  2 states: a → failed\n"
        "  loops         none: no state is entered twice\n");
}

TEST_CASE("long lists and paths are shortened, and every loop has a line") {
  std::string states;
  for (int i = 0; i < 20; ++i) states += fmt::format("  s{}: {{task: pass, next: s{}}}\n", i, i + 1);
  states += "  s20: {task: pass, next: [{when: vars.n > 1, to: s3}, {to: again}]}\n";
  states += "  again: {task: pass, next: [{when: vars.n > 1, to: again}, {to: done}]}\n  done: {exit: success}\n";
  CHECK(proof_of(states) ==
        "23 states, 1 exit\n"
        "  exits         done: from every state one can be reached\n"
        "  longest path  23 states: s0 → s1 → s2 → s3 → … → s19 → s20 → again → done\n"
        "  loops         s3, s4, s5, s6, s7, s8, s9, s10 and 10 more: left at s20\n"
        "                again: left at again\n");
}
