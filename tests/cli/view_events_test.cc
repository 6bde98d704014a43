#include "cli/view_events.h"

#include <doctest/doctest.h>

#include "cli/rows.h"

using namespace canorun;
using namespace canorun::test;

namespace {

std::string events(const std::vector<store::Row>& rows) {
  std::string out;
  for (std::size_t i = 0; i < rows.size(); ++i) out += cli::event_text(rows[i], i, {});
  return out;
}

}  // namespace

TEST_CASE("every kind of row has a line of its own") {
  auto rows = failed_run().rows;
  rows.push_back({at(5000), store::RunResumed{.state = "ship", .file = "/srv/new.yaml"}});
  rows.push_back({at(5001), store::StateEntered{.state = "pause", .visit = 2, .deadline = at(9000)}});
  rows.push_back({at(5002), store::RunSuspended{"SIGTERM"}});
  rows.push_back({at(5003), store::RunResumed{.state = "pause", .by_hand = true}});
  rows.push_back({at(5004), store::StateEnded{.state = "pause", .visit = 2, .set = {{"tries", 1}}}});
  rows.push_back({at(5005), good_run().rows.back().body});
  CHECK(events(rows) == R"(   0  2026-11-23T08:15:00.000Z  run_started         flow order version 2
   1  2026-11-23T08:15:00.000Z  state_entered       reserve
   2  2026-11-23T08:15:01.200Z  state_ended         reserve: ok in 1.2s: R-7
   3  2026-11-23T08:15:01.200Z  state_entered       ship, by way of choose
   4  2026-11-23T08:15:02.456Z  state_ended         ship: failed in 1.2s: exit code 3 (3 attempts)
   5  2026-11-23T08:15:02.456Z  run_ended           failed at ship: exit code 3
   6  2026-11-23T08:15:05.000Z  run_resumed         at ship, with /srv/new.yaml
   7  2026-11-23T08:15:05.001Z  state_entered       pause, visit 2, until 2026-11-23T08:15:09.000Z
   8  2026-11-23T08:15:05.002Z  run_suspended       SIGTERM
   9  2026-11-23T08:15:05.003Z  run_resumed         at pause, by hand
  10  2026-11-23T08:15:05.004Z  state_ended         pause, visit 2: ok in 0ms; set {"tries":1}
  11  2026-11-23T08:15:05.005Z  run_ended           succeeded at done, by way of choose: {"order":"A1"}
)");
}
