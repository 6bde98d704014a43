// A cancellation, a suspension and a spent budget, in every shape and whatever its work is at.
#include "harness.h"

using namespace canorun;
using namespace canorun::test;
using namespace std::chrono_literals;

namespace {

struct Stop {
  std::string phase;
  const char* state;                         ///< of the state `s`, which goes to `done`
  std::function<void()> before = [] {};      ///< what its actions do
  std::function<bool(Fixture&)> is_reached;  ///< the phase
  Act then = gives(nullptr);                 ///< what they do once the run was taken up again
};

std::function<bool(Fixture&)> has(std::string line) {
  return [line](Fixture& fixture) { return fixture.process.recorder.has(line); };
}

std::function<bool(Fixture&)> begins(std::string begin) {
  return [begin](Fixture& fixture) {
    return std::ranges::any_of(fixture.process.recorder.lines,
                               [&](const std::string& line) { return line.starts_with(begin); });
  };
}

std::function<void()> acts(Act act) {
  return [act] { Harness::acts["s"] = act; };
}

// The feed prints so many lines, and then nothing.
std::function<void()> feeds(int lines, Act act) {
  return [lines, act] {
    Harness::acts["s"] = act;
    Harness::feed.begin = [lines](Feed& feed, const Json&) {
      for (int i = 0; i < lines; ++i) feed.lines.push_back(std::to_string(i));
    };
  };
}

const char* const kStream =
    "stream: {source: {task: feed, with: {value: 1}}, initial: 0, cursor: cursor + 1, window: {count: 2}, "
    "each: {task: act}, flush: {task: act}}";

std::vector<Stop> stops() {
  return {
      {"an attempt", "task: act", acts(hangs()), has("attempt s 1/1")},
      {"a backoff", "task: act\n    retry: {max: 3, delay: 10s}", acts(fails("exit")), begins("failed s 1")},
      {"branches", "split: {branches: {a: {task: act}, b: {task: act}}}", acts(hangs()), has("attempt s/b 1/1")},
      {"a bulkhead's queue", "split: {for_each: '[1, 2, 3]', do: {task: act}, bulkhead: 1}", acts(hangs()),
       has("attempt s/0 1/1")},
      {"a branch's backoff", "split: {branches: {a: {task: act, retry: {max: 3, delay: 10s}}}}", acts(fails("exit")),
       begins("failed s/a 1")},
      {"items", "batch: {items: '[1, 2, 3, 4]', concurrency: 2, do: {task: act}}", acts(hangs()),
       has("attempt s/1 1/1")},
      {"an ask", "poll: {do: {task: act}, until: output.ready, every: 10s}", acts(hangs()), begins("attempt s/"),
       gives({{"ready", true}})},
      {"a poll's delay", "poll: {do: {task: act}, until: output.ready, every: 10s}", acts(gives({{"ready", false}})),
       begins("poll s 1"), gives({{"ready", true}})},
      {"a step", "stepped: {initial: 0, do: {task: act}, cursor: 'cursor == 1 ? dyn(null) : cursor + 1'}",
       acts(hangs()), has("attempt s/0 1/1")},
      {"a timer", "timer: {for: 10s}", [] {}, begins("waiting s")},
      {"a wait", "wait: {signal: go}\n    timeout: 2h\n    on_error: done", [] {}, begins("waiting s")},
      {"a silent source", kStream, feeds(0, gives(1)), [](Fixture&) { return !Harness::feed.begun.empty(); }},
      {"an open window", kStream, feeds(1, gives(1)), [](Fixture&) { return Harness::feed.taken == 1; }},
      {"an item's action", kStream, feeds(1, hangs()), begins("attempt s/0:0")},
      {"a child's attempt", "task: flow\n    with: {file: acts.yaml}", [] { Harness::acts["w"] = hangs(); },
       begins("s: attempt w 1")},
      {"a child's backoff", "task: flow\n    with: {file: acts.yaml}", [] { Harness::acts["w"] = fails("exit"); },
       begins("s: failed w 1")},
      {"a child's timer", "task: flow\n    with: {file: naps.yaml}", [] {}, begins("s: waiting w")},
      {"a backoff between children", "task: flow\n    with: {file: fails.yaml}\n    retry: {max: 3, delay: 10s}",
       [] { Harness::acts["f"] = fails("exit"); }, begins("failed s 1")},
      {"a limit's queue", "task: act\n    rate_limit: api\n    retry: {max: 3, delay: 0s}", acts(fails("exit")),
       has("held s by api for 10s")},
      {"a branch in a limit's queue", "split: {for_each: '[1, 2, 3]', do: {task: act, rate_limit: api}}", acts(hangs()),
       has("held s/2 by api for 20s")},
      {"an item in a limit's queue", "batch: {items: '[1, 2]', concurrency: 2, do: {task: act, rate_limit: api}}",
       acts(hangs()), has("held s/1 by api for 10s")},
      {"an ask in a limit's queue",
       "poll: {do: {task: act, rate_limit: api, retry: {max: 3, delay: 0s}}, until: output.ready, every: 10s}",
       acts(fails("exit")), begins("held s/"), gives({{"ready", true}})},
      {"a step in a limit's queue",
       "stepped: {initial: 0, do: {task: act, rate_limit: api}, cursor: 'cursor == 1 ? dyn(null) : cursor + 1'}",
       acts(gives(1)), has("held s/1 by api for 10s")},
      {"a stream's item in a limit's queue",
       "stream: {source: {task: feed, with: {value: 1}}, initial: 0, cursor: cursor + 1, window: {count: 3}, "
       "each: {task: act, rate_limit: api}, flush: {task: act}}",
       feeds(2, gives(1)), has("held s/0:1 by api for 10s")},
      {"a source in a limit's queue",
       "stream: {source: {task: feed, with: {value: 1}, rate_limit: api, retry: {max: 3, delay: 0s}}, initial: 0, "
       "cursor: cursor + 1, window: {count: 2}, flush: {task: act}}",
       [] { Harness::feed.begin = [](Feed& feed, const Json&) { feed.outcome = model::failure("exit", "no"); }; },
       has("held s/source by api for 10s")},
      {"a child in a limit's queue", "task: flow\n    with: {file: limited.yaml}",
       [] { Harness::acts["w"] = fails("exit"); }, has("s: held w by api for 10s")},
      {"children side by side", "split: {for_each: '[1, 2]', do: {task: flow, with: {file: acts.yaml}}}",
       [] { Harness::acts["w"] = hangs(); }, begins("s/1: attempt w 1")},
  };
}

std::shared_ptr<const model::Flow> flow_of(const Stop& stop) {
  const std::string limit = "resources: {rate_limits: {api: {tokens: 1, per: 10s}}}\n";
  const std::string yaml = fmt::format(
      "name: stopped\ntimeout: 9h\n{}states:\n  s:\n    {}\n    next: done\n"
      "  done: {{exit: success, output: reached}}\n",
      limit, stop.state);
  const std::string end = "next: end}\n  end: {exit: success}\n";
  return test::flow_of(yaml,
                       {{"acts.yaml", "name: acts\nstates:\n  w: {task: act, retry: {max: 3, delay: 10s}, " + end},
                        {"naps.yaml", "name: naps\nstates:\n  w: {timer: {for: 10s}, " + end},
                        {"limited.yaml", "name: limited\n" + limit +
                                             "states:\n  w: {task: act, rate_limit: api, "
                                             "retry: {max: 3, delay: 0s}, " +
                                             end},
                        {"fails.yaml", "name: fails\nstates:\n  f: {task: act, " + end}});
}

// Reaches the phase, and raises the interrupt there.
void stop_in(Fixture& fixture, const Stop& stop, run::Reason reason) {
  stop.before();
  fixture.process.start(flow_of(stop));
  fixture.process.until([&] { return stop.is_reached(fixture); });
  fixture.turn();
  fixture.process.interrupt.raise(reason, "by a person");
  fixture.process.until_done();
}

void all_have_ended(const store::CheckpointStore& store) {
  const auto runs = store.list({});
  REQUIRE(runs);
  for (const store::Summary& run : *runs) CHECK(run.ended_at);
}

void nobody_waits(store::CheckpointStore& store) {
  const auto limits = store.shared().limits();
  REQUIRE(limits);
  for (const store::LimitRecord& limit : *limits) CHECK(limit.waiting == 0);
}

// Nothing of it goes on, whatever time passes.
void is_quiet(Fixture& fixture) {
  nobody_waits(fixture.store);
  const auto told = fixture.process.recorder.lines;
  fixture.process.clock.advance(24h);
  fixture.turn();
  CHECK(fixture.process.recorder.lines == told);
  const auto runs = fixture.store.list({});
  REQUIRE(runs);
  for (const store::Summary& run : *runs) CHECK(run.status != store::Status::kRunning);
}

}  // namespace

TEST_CASE("a cancellation ends a run and its children in every phase, and nothing goes on") {
  for (const Stop& stop : stops()) {
    CAPTURE(stop.phase);
    Fixture fixture;
    stop_in(fixture, stop, run::Reason::kCancel);
    const run::RunState& run = fixture.process.finished->run;
    CHECK(run.status == store::Status::kCancelled);
    CHECK(run.error == Json{{"kind", "cancelled"}, {"message", "by a person"}, {"state", "s"}, {"attempts", 0}});
    CHECK(fixture.rows().back().find(R"("status":"cancelled")") != std::string::npos);
    all_have_ended(fixture.store);
    is_quiet(fixture);
  }
}

TEST_CASE("a spent budget fails a run in every phase, unseen by on_error, and nothing goes on") {
  for (const Stop& stop : stops()) {
    CAPTURE(stop.phase);
    Fixture fixture;
    stop_in(fixture, stop, run::Reason::kRunTimeout);
    const run::RunState& run = fixture.process.finished->run;
    CHECK(run.status == store::Status::kFailed);
    CHECK(run.error["kind"] == "run_timeout");
    CHECK(run.state == "s");
    is_quiet(fixture);
  }
}

TEST_CASE("a suspension lets go of a run in every phase, and a resume brings it to its end") {
  for (const Stop& stop : stops()) {
    CAPTURE(stop.phase);
    Fixture fixture;
    stop_in(fixture, stop, run::Reason::kSuspend);
    CHECK(fixture.process.finished->run.status == store::Status::kSuspended);
    CHECK(fixture.rows().back() == R"(run_suspended {"reason":"by a person"})");
    is_quiet(fixture);
    Harness::acts = {{"s", stop.then}};
    Harness::feed.begin = [](Feed& feed, const Json&) { feed.outcome = model::Success{}; };
    Harness second{fixture.store};
    second.resume(flow_of(stop));
    second.until([&] {
      second.clock.advance(1min);
      return second.finished.has_value();
    });
    CHECK(second.finished->run.output == "reached");
    all_have_ended(fixture.store);
  }
}
