// A cancellation, a suspension and a spent budget in every shape, at every phase, of a run that owes something: what is
// cut off, what is let finish, what is undone, and how it ends.
#include "harness.h"

using namespace canorun;
using namespace canorun::test;
using namespace std::chrono_literals;

namespace {

using run::Reason;
using store::Status;
using Strings = std::vector<std::string>;
using Reached = std::function<bool(Fixture&)>;

// What an interrupt means where the run is.
enum class Kind {
  kCut,      ///< the work is cut off, then what is owed is undone
  kLet,      ///< likewise, but the attempt is let finish first
  kGrace,    ///< likewise, but it has some time to end first
  kSetup,    ///< cut off, and nothing is owed yet
  kUndoing,  ///< a rollback goes on to its end
  kAfter,    ///< a cancellation cuts it short; the outcome stands
  kTearing,  ///< likewise; and a suspension lets it have some seconds
};

struct Moment {
  std::string phase;
  Kind kind;
  std::string state = "task: act";  ///< of `s`, between `p` and `t`
  std::function<void()> before = [] {};
  Reached is_reached = {};
  std::string also = "";      ///< what is undone beside `p`
  Act then = gives(nullptr);  ///< what `s` does once the run was taken up again
  std::string service = "{setup: {task: act}}";
  std::string undo = "{task: act}";  ///< of `p`
  std::string on_end = "";
};

// Acts that pend end once they may.
bool may_end = false;

Act pends() {
  return [](model::TaskContext& context, Json) -> boost::asio::awaitable<model::Outcome> {
    run::Timer timer(context.executor());
    while (!may_end) {
      timer.expires_after(1s);
      co_await timer.async_wait(boost::asio::use_awaitable);
    }
    co_return model::Success{nullptr};
  };
}

Reached begins(std::string begin) {
  return [begin](Fixture& fixture) {
    return std::ranges::any_of(fixture.process.recorder.lines,
                               [&](const std::string& line) { return line.starts_with(begin); });
  };
}

std::function<void()> does(std::string work, Act act) {
  return [work, act] { Harness::acts[work] = act; };
}

// `t` fails, and something of the rollback does that.
std::function<void()> undoes(std::string work, Act act) {
  return [work, act] {
    Harness::acts["t"] = fails("exit");
    Harness::acts[work] = act;
  };
}

// The feed prints so many lines, and then nothing.
std::function<void()> feeds(int lines, std::string work, Act act) {
  return [lines, work, act] {
    Harness::acts[work] = act;
    Harness::feed.begin = [lines](Feed& feed, const Json&) {
      for (int i = 0; i < lines; ++i) feed.lines.push_back(std::to_string(i));
    };
  };
}

void broken_feed() {
  Harness::feed.begin = [](Feed& feed, const Json&) { feed.outcome = model::failure("exit", "no"); };
}

std::string with(const std::string& more) { return more.empty() ? "{task: act}" : "{task: act, " + more + "}"; }
std::string split(const std::string& more) { return "split: {branches: {a: " + with(more) + "}}"; }
std::string batch(const std::string& more) {
  return "batch: {items: '[1, 2]', concurrency: 2, do: " + with(more) + "}";
}
std::string poll(const std::string& more) { return "poll: {do: " + with(more) + ", until: output.ready, every: 10s}"; }
std::string stepped(const std::string& more) {
  return "stepped: {initial: 0, do: " + with(more) + ", cursor: 'cursor == 1 ? dyn(null) : cursor + 1'}";
}
std::string stream(const std::string& source, const std::string& each, const std::string& flush) {
  return fmt::format(
      "stream: {{source: {{task: feed{}}}, initial: 0, cursor: cursor + 1, window: {{count: 2}}, each: {}, flush: {}}}",
      source, with(each), with(flush));
}
std::string child(const std::string& file) { return "task: flow\n    with: {file: " + file + ".yaml}"; }

const std::string kRetry = "retry: {max: 3, delay: 10s}";
const std::string kLimit = "rate_limit: api, retry: {max: 3, delay: 0s}";
const std::string kOwes = "compensate: {task: act}";
const std::string kOwesFromStart = "compensate: {task: act, after: start}";
const Json kReady{{"ready", true}};

std::vector<Moment> moments_of_states() {
  const Act no = fails("exit");
  return {
      {"an attempt", Kind::kCut, "task: act", does("s", hangs()), begins("attempt s 1/1")},
      {"a backoff", Kind::kCut, "task: act\n    " + kRetry, does("s", no), begins("failed s 1")},
      {"a limit's queue", Kind::kCut, "task: act\n    rate_limit: api\n    retry: {max: 3, delay: 0s}", does("s", no),
       begins("held s by api")},
      {"a backoff of what owes", Kind::kCut, "task: act\n    " + kRetry + "\n    " + kOwes, does("s", no),
       begins("failed s 1")},
      {"an attempt that owes from its start", Kind::kCut, "task: act\n    " + kOwesFromStart, does("s", hangs()),
       begins("attempt s 1/1"), "s/compensate"},
      {"an attempt that owes", Kind::kLet, "task: act\n    " + kOwes, does("s", pends()), begins("attempt s 1/1"),
       "s/compensate"},
      {"a branch", Kind::kCut, split(""), does("s", hangs()), begins("attempt s/a")},
      {"a branch's backoff", Kind::kCut, split(kRetry), does("s", no), begins("failed s/a 1")},
      {"a branch's queue", Kind::kCut, split(kLimit), does("s", no), begins("held s/a by api")},
      {"a bulkhead's queue", Kind::kCut, "split: {for_each: '[1, 2, 3]', do: {task: act}, bulkhead: 1}",
       does("s", hangs()), begins("attempt s/0")},
      {"a branch that owes", Kind::kLet, split(kOwes), does("s/a", pends()), begins("attempt s/a"), "s/compensate:a"},
      {"a branch that owes from its start", Kind::kCut, split(kOwesFromStart), does("s/a", hangs()),
       begins("attempt s/a"), "s/compensate:a"},
      {"an item", Kind::kCut, batch(""), does("s", hangs()), begins("attempt s/1")},
      {"an item's backoff", Kind::kCut, batch(kRetry), does("s", no), begins("failed s/1 1")},
      {"an item's queue", Kind::kCut, batch(kLimit), does("s", no), begins("held s/1 by api")},
      {"an item that owes", Kind::kLet, batch(kOwes), does("s/1", pends()), begins("attempt s/1"),
       "s/compensate:1, s/compensate:0"},
      {"an ask", Kind::kCut, poll(""), does("s", hangs()), begins("attempt s/"), "", gives(kReady)},
      {"an ask's backoff", Kind::kCut, poll(kRetry), does("s", no), begins("failed s/"), "", gives(kReady)},
      {"an ask's queue", Kind::kCut, poll(kLimit), does("s", no), begins("held s/"), "", gives(kReady)},
      {"a poll's delay", Kind::kCut, poll(""), does("s", gives({{"ready", false}})), begins("poll s 1"), "",
       gives(kReady)},
      {"a step", Kind::kCut, stepped(""), does("s/1", hangs()), begins("attempt s/1")},
      {"a step's backoff", Kind::kCut, stepped(kRetry), does("s/1", no), begins("failed s/1 1")},
      {"a step's queue", Kind::kCut, stepped(kLimit), does("s", no), begins("held s/0 by api")},
      {"a timer", Kind::kCut, "timer: {for: 10s}", [] {}, begins("waiting s")},
      {"a wait", Kind::kCut, "wait: {signal: go}\n    timeout: 2h\n    on_error: t", [] {}, begins("waiting s")},
      {"a silent source", Kind::kCut, stream("", "", ""), feeds(0, "s", gives(1)),
       [](Fixture&) { return !Harness::feed.begun.empty(); }},
      {"an open window", Kind::kCut, stream("", "", ""), feeds(1, "s", gives(1)),
       [](Fixture&) { return Harness::feed.taken == 1; }},
      {"a source's backoff", Kind::kCut, stream(", " + kRetry, "", ""), broken_feed, begins("failed s/source 1")},
      {"a source's queue", Kind::kCut, stream(", " + kLimit, "", ""), broken_feed, begins("held s/source by api")},
      {"an event", Kind::kCut, stream("", "", ""), feeds(1, "s/0:0", hangs()), begins("attempt s/0:0")},
      {"an event's backoff", Kind::kCut, stream("", kRetry, ""), feeds(1, "s/0:0", no), begins("failed s/0:0 1")},
      {"an event's queue", Kind::kCut, stream("", kLimit, ""), feeds(1, "s/0:0", no), begins("held s/0:0 by api")},
      {"a flush", Kind::kGrace, stream("", "", ""), feeds(2, "s/0:flush:2", hangs()), begins("attempt s/0:flush")},
      {"a flush's backoff", Kind::kGrace, stream("", "", kRetry), feeds(2, "s/0:flush:2", no),
       begins("failed s/0:flush:2 1")},
      {"a flush's queue", Kind::kGrace, stream("", "", kLimit), feeds(2, "s/0:flush:2", no),
       begins("held s/0:flush:2 by api")},
      {"a child's attempt", Kind::kCut, child("acts"), does("w", hangs()), begins("s: attempt w")},
      {"a child's backoff", Kind::kCut, child("acts"), does("w", no), begins("s: failed w 1")},
      {"a child's timer", Kind::kCut, child("naps"), [] {}, begins("s: waiting w")},
      {"a child that owes", Kind::kCut, child("owes"), does("x", hangs()), begins("s: attempt x"), "s: w/compensate"},
      {"a child of a child", Kind::kCut, child("above"), does("w", hangs()), begins("s > b: attempt w")},
      {"a branch's child", Kind::kCut, "split: {branches: {a: {task: flow, with: {file: acts.yaml}}}}",
       does("w", hangs()), begins("s/a: attempt w")},
      {"an item's child", Kind::kCut, "batch: {items: '[1]', do: {task: flow, with: {file: acts.yaml}}}",
       does("w", hangs()), begins("s/0: attempt w")},
      {"a backoff between children", Kind::kCut, child("acts_once") + "\n    " + kRetry, does("w", no),
       begins("failed s 1")},
  };
}

// A moment whose work is not that of `s`.
Moment other(std::string phase, Kind kind, std::function<void()> before, std::string line, std::string also = "") {
  return {std::move(phase), kind, "task: act", std::move(before), begins(std::move(line)), std::move(also)};
}

std::vector<Moment> moments_beside() {
  const Act no = fails("exit");
  std::vector<Moment> all;
  const auto add = [&](Moment moment, std::string Moment::* where = nullptr, std::string what = "") {
    if (where != nullptr) moment.*where = std::move(what);
    all.push_back(std::move(moment));
  };
  const std::string setup = "services.db.setup";
  const std::string teardown = "services.db.teardown";
  const auto has = [](const std::string& key, const std::string& more) { return "{" + key + ": " + with(more) + "}"; };
  add(other("a setup", Kind::kSetup, does(setup, hangs()), "attempt " + setup));
  add(other("a setup's backoff", Kind::kSetup, does(setup, no), "failed " + setup), &Moment::service,
      has("setup", kRetry));
  add(other("a setup's queue", Kind::kSetup, does(setup, no), "held " + setup), &Moment::service, has("setup", kLimit));
  add(other("on_end", Kind::kAfter, does("on_end.1", pends()), "attempt on_end.1"), &Moment::on_end, with(""));
  add(other("on_end's backoff", Kind::kAfter, does("on_end.1", fails_first(1, 1)), "failed on_end.1"), &Moment::on_end,
      with(kRetry));
  add(other("on_end's queue", Kind::kAfter, does("on_end.1", fails_first(1, 1)), "held on_end.1"), &Moment::on_end,
      with(kLimit));
  add(other("a teardown", Kind::kTearing, does(teardown, pends()), "attempt " + teardown), &Moment::service,
      has("teardown", ""));
  add(other("a teardown's backoff", Kind::kTearing, does(teardown, fails_first(1, 1)), "failed " + teardown),
      &Moment::service, has("teardown", kRetry));
  add(other("a compensation", Kind::kUndoing, undoes("p/compensate", pends()), "attempt p/compensate"));
  add(other("a compensation's backoff", Kind::kUndoing, undoes("p/compensate", fails_first(1, 1)),
            "failed p/compensate"),
      &Moment::undo, with(kRetry));
  add(other("a compensation's queue", Kind::kUndoing, undoes("p/compensate", fails_first(1, 1)), "held p/compensate"),
      &Moment::undo, with(kLimit));
  add(other("an item's compensation", Kind::kUndoing, undoes("s/compensate:0", pends()), "attempt s/compensate:0",
            "s/compensate:1, s/compensate:0"),
      &Moment::state, batch(kOwes));
  add(other("a branch's compensation", Kind::kUndoing, undoes("s/compensate:a", pends()), "attempt s/compensate:a",
            "s/compensate:a"),
      &Moment::state, split(kOwes));
  return all;
}

std::shared_ptr<const model::Flow> flow_of(const Moment& moment) {
  const std::string yaml = fmt::format(R"(
name: stopped
timeout: 9h
resources:
  rate_limits: {{api: {{tokens: 1, per: 10s}}}}
  services: {{db: {}}}
{}states:
  p: {{task: act, compensate: {}, next: s}}
  s:
    {}
    next: t
  t: {{task: act, next: done}}
  done: {{exit: success, output: reached}}
)",
                                       moment.service, moment.on_end.empty() ? "" : "on_end: [" + moment.on_end + "]\n",
                                       moment.undo, moment.state);
  const std::string acts = "name: acts\nstates:\n  w: {task: act, RETRYnext: end}\n  end: {exit: success}\n";
  const auto retried = [&](const std::string& retry) {
    std::string text = acts;
    return text.replace(text.find("RETRY"), 5, retry);
  };
  return test::flow_of(
      yaml, {{"acts.yaml", retried(kRetry + ", ")},
             {"acts_once.yaml", retried("")},
             {"naps.yaml", "name: naps\nstates:\n  w: {timer: {for: 10s}, next: end}\n  end: {exit: success}\n"},
             {"above.yaml",
              "name: above\nstates:\n  b: {task: flow, with: {file: acts.yaml}, next: end}\n  end: {exit: success}\n"},
             {"owes.yaml",
              "name: owes\nstates:\n  w: {task: act, compensate: {task: act}, next: x}\n  x: {task: act, next: end}\n"
              "  end: {exit: success}\n"}});
}

// What was undone, in its order: `s/compensate:1, s/compensate:0, p/compensate`.
std::string undone(const Harness& process) {
  std::string text;
  for (const std::string& line : process.recorder.lines) {
    const auto at = line.find("undid ");
    if (at == line.npos) continue;
    text += (text.empty() ? "" : ", ") + line.substr(0, at) + line.substr(at + 6, line.rfind(' ') - at - 6);
  }
  return text;
}

std::string expected_undone(const Moment& moment) {
  return moment.also.empty() ? "p/compensate" : moment.also + ", p/compensate";
}

void lets_end() {
  may_end = true;
  Harness::acts.erase("s");
}

void to_the_end(Harness& process, Millis step = 1s) {
  process.until([&] {
    process.clock.advance(step);
    return process.finished.has_value();
  });
}

// Gives it time to end: whether it has.
bool ends_soon(Harness& process) {
  int turns = 0;
  process.until([&] { return process.finished || ++turns > 20; });
  return process.finished.has_value();
}

// It ends when this time is over, and not before.
void ends_after(Harness& process, Millis time) {
  process.clock.advance(time - 1s);
  CHECK(!ends_soon(process));
  process.clock.advance(1s);
  REQUIRE(ends_soon(process));
}

// Stops it there. True: that was enough to end it.
bool stop_in(Fixture& fixture, const Moment& moment, Reason reason) {
  may_end = false;
  Harness::acts["s/compensate"] = gives(nullptr);
  moment.before();
  fixture.process.start(flow_of(moment));
  fixture.process.until([&] { return moment.is_reached(fixture); });
  fixture.turn();
  REQUIRE(!fixture.process.finished);
  fixture.process.interrupt.raise(reason, "by a person");
  return ends_soon(fixture.process);
}

// Nothing of it goes on, whatever time passes.
void is_quiet(Fixture& fixture) {
  const auto limits = fixture.store.shared().limits();
  REQUIRE(limits);
  for (const store::LimitRecord& limit : *limits) CHECK(limit.waiting == 0);
  const Strings told = fixture.process.recorder.lines;
  const Strings all = fixture.rows();
  fixture.process.clock.advance(24h);
  fixture.turn();
  CHECK(fixture.process.recorder.lines == told);
  CHECK(fixture.rows() == all);
  CHECK(Harness::feed.ended == static_cast<int>(Harness::feed.begun.size()));
  const auto runs = fixture.store.list({});
  REQUIRE(runs);
  for (const store::Summary& run : *runs) CHECK(run.status != Status::kRunning);
}

// No run below it is left open.
void all_have_ended(store::CheckpointStore& store) {
  const auto runs = store.list({});
  REQUIRE(runs);
  for (const store::Summary& run : *runs) CHECK(run.ended_at);
}

// The last rows, from that where the rollback begins, less the errors in them.
std::string last_rows(const Strings& rows, const std::string& from) {
  std::string text;
  bool begun = false;
  for (const std::string& row : rows) {
    begun = begun || row.starts_with(from);
    if (!begun) continue;
    text += (text.empty() ? "" : ", ") + row.substr(0, row.find(' '));
    const auto status = row.find(R"("status":")");
    if (status != row.npos) text += " " + row.substr(status + 10, row.find('"', status + 10) - status - 10);
  }
  return text;
}

std::string rollback_rows(const Moment& moment, const std::string& status) {
  std::string text = "rollback_started " + status;
  const std::string all = expected_undone(moment);
  std::size_t own = 1;  // what a child undoes is in its own rows
  for (std::size_t at = 0; (at = all.find(", ", at)) != all.npos; ++at) own += all[0] != 's' || all[1] != ':';
  for (std::size_t i = 0; i < own; ++i) text += ", compensation_ended";
  return fmt::format("{}, outcome_reached {}, run_ended {}", text, status, status);
}

// It was stopped before it had an outcome, and is rolled back with the status and error of what stopped it.
void ends_undone(Fixture& fixture, const Moment& moment, Status status, const std::string& kind) {
  const run::RunState& run = fixture.process.finished->run;
  CHECK(run.status == status);
  CHECK(run.error["kind"] == kind);
  CHECK(undone(fixture.process) == expected_undone(moment));
  CHECK(last_rows(fixture.rows(), "rollback_started") ==
        rollback_rows(moment, std::string(store::status_name(status))));
  CHECK(run.still_owed() == 0);
}

void ends_stopped(Fixture& fixture, const Moment& moment, bool cancelled) {
  ends_undone(fixture, moment, cancelled ? Status::kCancelled : Status::kRolledBack,
              cancelled ? "cancelled" : "run_timeout");
  CHECK(fixture.process.finished->run.state == "s");
}

// A rollback, or an outcome, that an interrupt changes nothing of.
void goes_on(Fixture& fixture, const Moment& moment, bool ended) {
  CHECK(!ended);
  lets_end();
  to_the_end(fixture.process);
  const run::RunState& run = fixture.process.finished->run;
  if (moment.kind == Kind::kUndoing) {
    ends_undone(fixture, moment, Status::kRolledBack, "exit");
  } else {
    CHECK(run.status == Status::kSucceeded);
    CHECK(run.output == "reached");
    CHECK(fixture.rows().back() == R"(run_ended {"output":"reached","state":"done","status":"succeeded"})");
  }
}

void check_ended(const Moment& moment, Reason reason) {
  Fixture fixture;
  const bool ended = stop_in(fixture, moment, reason);
  const bool cancelled = reason == Reason::kCancel;
  const std::string kind = cancelled ? "cancelled" : "run_timeout";
  switch (moment.kind) {
    case Kind::kLet:
      CHECK(!ended);
      lets_end();
      to_the_end(fixture.process);
      ends_stopped(fixture, moment, cancelled);
      break;
    case Kind::kGrace:
      CHECK(!ended);
      ends_after(fixture.process, 30s);
      ends_stopped(fixture, moment, cancelled);
      break;
    case Kind::kCut:
      REQUIRE(ended);
      ends_stopped(fixture, moment, cancelled);
      break;
    case Kind::kSetup: {
      REQUIRE(ended);
      const run::RunState& run = fixture.process.finished->run;
      CHECK(run.status == (cancelled ? Status::kCancelled : Status::kFailed));
      CHECK(run.error["kind"] == kind);
      CHECK(undone(fixture.process).empty());
      break;
    }
    case Kind::kUndoing: goes_on(fixture, moment, ended); break;
    case Kind::kAfter:
    case Kind::kTearing:
      if (!cancelled) {
        goes_on(fixture, moment, ended);
      } else {
        REQUIRE(ended);
        CHECK(fixture.process.finished->run.status == Status::kSucceeded);
      }
      break;
  }
  all_have_ended(fixture.store);
  is_quiet(fixture);
}

void check_suspended(const Moment& moment) {
  Fixture fixture;
  const bool ended = stop_in(fixture, moment, Reason::kSuspend);
  CHECK(ended == (moment.kind != Kind::kTearing && moment.kind != Kind::kGrace));
  if (!ended) ends_after(fixture.process, 10s);
  CHECK(fixture.process.finished->run.status == Status::kSuspended);
  CHECK(fixture.rows().back().starts_with(R"(run_suspended {"reason":"by a person")"));
  CHECK(undone(fixture.process).find("p/") == std::string::npos);
  is_quiet(fixture);
  const std::string before = undone(fixture.process);

  Harness::acts = {{"s", moment.then}};
  Harness::feed.begin = [](Feed& feed, const Json&) { feed.outcome = model::Success{}; };
  Harness second{fixture.store};
  second.resume(flow_of(moment));
  to_the_end(second, 1min);
  const run::RunState& run = second.finished->run;
  const std::string after = undone(second);
  if (moment.kind == Kind::kUndoing) {
    CHECK(run.status == Status::kRolledBack);
    CHECK(run.error["kind"] == "exit");
    CHECK((before.empty() ? after : before + ", " + after) == expected_undone(moment));
  } else {
    CHECK(run.status == Status::kSucceeded);
    CHECK(run.output == "reached");
    CHECK(after.empty());
  }
  all_have_ended(fixture.store);
}

template <class Check>
void at_every_moment(Check check) {
  for (const auto& moments : {moments_of_states(), moments_beside()}) {
    for (const Moment& moment : moments) {
      CAPTURE(moment.phase);
      check(moment);
    }
  }
}

}  // namespace

TEST_CASE("cancelled at any moment, a run undoes what it owes and nothing goes on") {
  at_every_moment([](const Moment& moment) { check_ended(moment, Reason::kCancel); });
}

TEST_CASE("with its budget spent at any moment, a run undoes what it owes and nothing goes on") {
  at_every_moment([](const Moment& moment) { check_ended(moment, Reason::kRunTimeout); });
}

TEST_CASE("suspended at any moment, a run undoes nothing, and a resume brings it to the end it had before it") {
  at_every_moment([](const Moment& moment) { check_suspended(moment); });
}
