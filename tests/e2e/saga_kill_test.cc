// Sagas whose processes are killed at any moment, one after another and many at once: what they did outside is undone
// whole or not at all.
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <thread>

#include "canorun.h"
#include "ledger.h"
#include "support/counting_random.h"
#include "support/saga_flow.h"

using namespace canorun;
using namespace canorun::test;

namespace {

std::uint64_t upto(CountingRandom& random, std::uint64_t most) { return random.bits() % (most + 1); }

// Does its work, or fails, as a SagaAction says: what fails, what fails at first, and when it does its work.
const char* const kStep = R"(
at="$CANORUN_PART/$CANORUN_VISIT"
case " $1 " in *" $at "*) fails=yes ;; esac
case " $2 " in *" $at "*) test "$CANORUN_ATTEMPT" != 1 || fails=yes ;; esac
case "$3$fails" in success|start*) echo "+ $CANORUN_IDEMPOTENCY_KEY" >> "$LEDGER" ;; esac
test -z "$fails"
)";
const char* const kBack = R"(
case "$1" in
  stumbles) test "$CANORUN_ATTEMPT" != 1 || exit 8 ;;
  fails) test -e "$LEDGER.open" || exit 9 ;;
esac
echo "- $CANORUN_COMPENSATES" >> "$LEDGER"
)";

std::string step(const SagaAction& action) {
  const char* const when = !action.compensated ? "never" : action.from_start ? "start" : "success";
  return fmt::format("run: 'sh step.sh \"{}\" \"{}\" {}'", fmt::join(action.fails, " "),
                     fmt::join(action.stumbles, " "), when);
}

std::string back(const SagaAction& action) {
  constexpr std::array kHow{"works", "stumbles", "fails"};
  return fmt::format("run: 'sh back.sh {}'", kHow[static_cast<std::size_t>(action.undo)]);
}

const SagaWords kWords{.does = step,
                       .undoes = back,
                       .head = "inputs: {ledger: string}\nenv: {LEDGER: \"${{ inputs.ledger }}\"}\n",
                       .delay = "1ms"};

struct Saga : World {
  SagaFlow made;
  std::vector<std::string> run;

  explicit Saga(std::uint64_t seed) : made(make_saga(seed, kWords)) {
    file("step.sh", kStep);
    file("back.sh", kBack);
    run = {"run", file("saga.yaml", made.yaml), "--id", "r1", "-i", "ledger=" + ledger_path(), "--or-resume"};
  }
  std::string ledger_path() const { return folder() + "/ledger"; }

  // What is the same each time, in whichever order parts end.
  Json end() const {
    const Json shown = json({"show", "r1"});
    Json end{
        {"status", shown["status"]}, {"state", shown["state"]}, {"output", shown["output"]}, {"vars", shown["vars"]}};
    if (made.races && end["status"] == "failed" && !shown["error"].is_null()) end["status"] = "rolled_back";
    return end;
  }
  void check_ledger() const {
    const Ledger ledger = Ledger::read(ledger_path());
    const Json shown = json({"show", "r1"});
    if (shown["status"] == "succeeded" || shown["status"] == "failed") CHECK(ledger.is_full());
    if (shown["status"] != "rolled_back") return;
    for (const std::string& key : ledger.done) CHECK_MESSAGE(ledger.undone.contains(key), key);
  }
};

// Killed before or after a row that is still to come, or at a moment.
void kill_once(const Saga& saga, CountingRandom& random, std::size_t& row) {
  row += 1 + upto(random, 9);
  if (upto(random, 2) > 0) {
    const std::string crash = fmt::format("{}:{}", upto(random, 1) == 0 ? "before" : "after", row);
    saga.canorun(saga.run, {{"CANORUN_CRASH", crash}});
  } else {
    Program run(saga.command(saga.run));
    std::this_thread::sleep_for(std::chrono::milliseconds(upto(random, 60)));
    run.signal(SIGKILL);
    run.wait();
  }
}

void try_seed(std::uint64_t seed) {
  const Saga alone(seed);
  INFO(fmt::format("repeat it with CANORUN_SAGA_SEEDS={}\n{}", seed, alone.made.yaml));
  const Ran ran = alone.canorun(alone.run);
  REQUIRE_MESSAGE(ran.code != 2, ran.err);
  const Json whole = alone.end();
  alone.check_ledger();

  const Saga killed(seed);
  CountingRandom random(seed);
  std::size_t row = 0;
  for (std::uint64_t kills = 1 + upto(random, 3); kills > 0; --kills) kill_once(killed, random, row);
  killed.canorun(killed.run);
  CHECK(killed.end() == whole);
  killed.check_ledger();
  if (whole["status"] != "rollback_incomplete") return;
  killed.file("ledger.open", "");
  CHECK(killed.canorun({"resume", "r1"}).code == 3);
  CHECK(killed.json({"show", "r1"})["status"] == "rolled_back");
  killed.check_ledger();
}

// Five steps, of which the one whose number is given fails.
const char* const kFive = R"yaml(
name: five
inputs: {ledger: string, fails: int}
vars: {n: 0}
env: {LEDGER: "${{ inputs.ledger }}"}
states:
  work:
    run: ': saga98126; sleep 0.01; echo "+ $CANORUN_IDEMPOTENCY_KEY" >> "$LEDGER"; test "${{ vars.n }}" != "${{ inputs.fails }}"'
    compensate: {after: start, run: ': saga98126; sleep 0.01; echo "- $CANORUN_COMPENSATES" >> "$LEDGER"'}
    set: {n: "${{ vars.n + 1 }}"}
    next: [{when: vars.n < 5, to: work}, {to: done}]
  done: {exit: success}
)yaml";

}  // namespace

TEST_CASE("sagas that a seed makes up come to the same end, whenever their processes are killed") {
  std::uint64_t from = 1;
  std::uint64_t count = 50;
  if (const char* seeds = std::getenv("CANORUN_SAGA_SEEDS")) {
    char* more = nullptr;
    from = std::strtoull(seeds, &more, 10);
    count = *more == '+' ? std::strtoull(more + 1, nullptr, 10) : 1;
  }
  for (std::uint64_t seed = from; seed < from + count; ++seed) try_seed(seed);
}

TEST_CASE("many sagas at once in one store, killed and taken up by each other, are undone whole or not at all") {
  constexpr int kRuns = 40;
  const World world;
  const std::string flow = world.file("five.yaml", kFive);
  CountingRandom random(7);
  const auto ledger = [&](int run) { return fmt::format("{}/ledger{}", world.folder(), run); };
  std::vector<std::uint64_t> fails;
  std::vector<Start> starts;
  for (int run = 0; run < kRuns; ++run) {
    fails.push_back(upto(random, 6));  // 5 and 6: none
    starts.push_back(world.command({"run", flow, "--id", fmt::format("r{}", run), "--or-resume", "--quiet", "-i",
                                    "ledger=" + ledger(run), "-i", fmt::format("fails={}", fails.back())}));
  }
  std::vector<std::unique_ptr<Program>> programs;
  for (const Start& start : starts) programs.push_back(std::make_unique<Program>(start));
  for (int kills = 0; kills < 60; ++kills) {
    std::this_thread::sleep_for(std::chrono::milliseconds(upto(random, 30)));
    std::unique_ptr<Program>& one = programs[upto(random, programs.size() - 1)];
    one->signal(SIGKILL);
    one->wait();
    const auto next = upto(random, 2);
    one = std::make_unique<Program>(
        next == 0   ? world.command({"resume", "--all", "--quiet"})
        : next == 1 ? world.command({"resume", fmt::format("r{}", upto(random, kRuns - 1)), "--quiet"})
                    : starts[upto(random, kRuns - 1)]);
  }
  for (const auto& program : programs) program->wait();
  for (int run = 0; run < kRuns; ++run) {
    CAPTURE(run);
    const bool works = fails[static_cast<std::size_t>(run)] > 4;
    const Ran last = run_program(starts[static_cast<std::size_t>(run)]);
    CHECK_MESSAGE((last.code == (works ? 0 : 3) || last.code == 6), last.err);
    CHECK(world.json({"show", fmt::format("r{}", run)})["status"] == (works ? "succeeded" : "rolled_back"));
    const Ledger book = Ledger::read(ledger(run));
    CHECK(book.done.size() == (works ? 5 : fails[static_cast<std::size_t>(run)] + 1));
    CHECK((works ? book.is_full() : book.is_zero()));
  }
  CHECK(processes_with("saga98126") == 0);
}
