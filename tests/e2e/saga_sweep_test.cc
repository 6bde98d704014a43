// A run that is rolled back may die at any instruction, too: killed before and after every row, it comes to the same
// end, nothing of what it did is left, and nothing that was undone is undone again.
#include "ledger.h"
#include "sweep.h"

using namespace canorun;
using namespace canorun::test;

namespace {

// Every shape that can be undone, a loop, and work that is owed though it failed.
const std::string kFails = R"(
name: fails
inputs: {ledger: string}
vars: {round: 0}
env: {LEDGER: "${{ inputs.ledger }}"}
states:
  reserve:
    run: 'ENTER; echo {\"round\": 1}'
    parse: json
    compensate: {run: 'UNDO; test "${{ output.json.round }}" = 1'}
    set: {round: "${{ vars.round + output.json.round }}"}
    next: [{when: vars.round < 2, to: reserve}, {to: fan}]
  fan:
    split:
      branches:
        eu: {run: 'ENTER', compensate: {run: 'UNDO'}}
        us: {run: 'ENTER; exit 4', compensate: {after: start, run: 'UNDO'}}
        none: {run: exit 5, compensate: {run: 'UNDO'}}
      join: {partial_results: 3}
      bulkhead: 1
    next: each
  each:
    batch:
      items: "['x', 'y', 'z']"
      do: {run: 'test "${{ item }}" != y; ENTER', compensate: {run: 'echo "- ${{ action.idempotency_key }}" >> "$LEDGER"'}}
      concurrency: 1
      min_success: 2
    next: charge
  charge:
    run: 'ENTER; exit 3'
    compensate: {after: start, run: 'UNDO'}
    next: never
    on_error: ship
  ship: {run: exit 9, next: never}
  never: {exit: success}
)";

const std::string kExits = R"(
name: exits
inputs: {ledger: string}
env: {LEDGER: "${{ inputs.ledger }}"}
states:
  reserve: {run: 'ENTER', compensate: {run: 'UNDO'}, next: charge}
  charge: {run: 'ENTER', compensate: {run: 'UNDO', after: start}, next: gone}
  gone: {exit: rollback, output: "${{ states.charge.visits }}"}
on_end: [{run: 'test "$S" = rolled_back && touch "$LEDGER.told"', env: {S: "${{ run.status }}"}}]
)";

std::string with_scripts(std::string text) {
  for (const auto& [word, script] : {std::pair{"ENTER", kEnter}, std::pair{"UNDO", kUndo}}) {
    for (std::size_t at = 0; (at = text.find(word, at)) != std::string::npos;) text = replaced(text, word, script);
  }
  return text;
}

// What was recorded as undone when the process was killed, and how often it had been done then.
struct Recorded {
  std::map<std::string, std::ptrdiff_t> times;

  explicit Recorded(const World& world) {
    const Ledger ledger = Ledger::read(world.folder() + "/ledger");
    std::ptrdiff_t recorded = 0;
    std::istringstream rows(world.canorun({"events", "r1", "--json"}).out);
    for (std::string row; std::getline(rows, row);) {
      if (row.find("\"compensation_ended\"") != std::string::npos) ++recorded;
    }
    // They are undone one after another: the last may have been done without its row.
    REQUIRE(std::ssize(ledger.undoing) - recorded >= 0);
    REQUIRE(std::ssize(ledger.undoing) - recorded <= 1);
    for (const std::string& key : ledger.undoing) {
      if (recorded-- > 0) times[key] = ledger.times_undone(key);
    }
  }
};

// The number of rows. `steps`: that do something.
std::size_t sweep_rollback(const std::string& text, std::size_t steps, const std::string& told = {}) {
  const TempFolder flows;
  const std::string flow = flows.path() + "/saga.yaml";
  write_file(flow, with_scripts(text));
  std::optional<Recorded> recorded;
  const auto killed = [&](const World& world) { recorded.emplace(world); };
  const auto ended = [&](const World& world) {
    const Ledger ledger = Ledger::read(world.folder() + "/ledger");
    CHECK(ledger.done.size() == steps);
    CHECK(ledger.is_zero());
    for (const auto& [key, times] : recorded->times) CHECK(ledger.times_undone(key) == times);
    CHECK(ledger.undoing.size() <= steps + 1);
    if (!told.empty()) CHECK(exists(world.folder() + "/" + told));
  };
  return sweep({.flow = flow, .inputs = {"ledger={world}/ledger"}, .killed = killed, .ended = ended});
}

}  // namespace

TEST_CASE("a run that fails and is rolled back survives a kill at every row") {
  CHECK(sweep_rollback(kFails, 7) == 29);
}

TEST_CASE("a run that comes to exit: rollback survives a kill at every row, and tells its end") {
  CHECK(sweep_rollback(kExits, 2, "ledger.told") == 10);
}
