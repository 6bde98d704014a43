#include "cli/progress.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>

#include "cli/rows.h"

using namespace canorun;
using namespace canorun::cli;
using namespace canorun::test;

namespace {

struct HeldClock final : Clock {
  WallTime now() const override { return at(0) + elapsed; }
  SteadyTime steady() const override { return SteadyTime{} + elapsed; }
  Millis elapsed{0};
};

const model::RunError kError{.kind = "exit", .message = "exit code 3\nand\x1b[2Jmore", .state = "ship", .attempts = 1};

std::vector<model::Event> story() {
  return {{"r-1", model::RunBegan{"order", false, {}}},
          {"r-1", model::StateBegan{"ship", 1}},
          {"r-1", model::AttemptBegan{"ship", 1, 3}},
          {"r-1", model::AttemptFailed{"ship", 1, 3, &kError, Millis{200}}},
          {"r-1", model::AttemptBegan{"ship", 2, 3}},
          {"r-1", model::StateSucceeded{"ship", 1, 2, Millis{1234}}},
          {"r-1", model::StateBegan{"note", 2}},
          {"r-1", model::AttemptBegan{"note", 1, 1}},
          {"r-1", model::Said{"note", model::LogLevel::kDebug, "fine print"}},
          {"r-1", model::Said{"note", model::LogLevel::kInfo, "two\nlines\n"}},
          {"r-1", model::Said{"note", model::LogLevel::kWarn, "mind"}},
          {"r-1", model::Said{"note", model::LogLevel::kError, "\x1b]0;title\x07"}},
          {"r-1", model::AttemptFailed{"note", 1, 1, &kError, {}}},
          {"r-1", model::StateFailed{"note", 2, &kError, Millis{90'000}, "pause"}},
          {"r-1", model::StateBegan{"pause", 1}},
          {"r-1", model::Waiting{"pause", at(5000)}},
          {"r-1", model::OrphansFound{"pause", 2}},
          {"r-1", model::Stopping{false, "SIGTERM"}}};
}

// What is written to stderr when a flow is watched through a pipe.
std::string told(Detail detail) {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  {
    boost::asio::io_context loop;
    HeldClock clock;
    Output err(ends[1]);
    Progress progress(loop.get_executor(), err, clock, {.detail = detail});
    for (const model::Event& event : story()) progress.on_event(event);
  }
  ::close(ends[1]);
  std::string out(64 * 1024, '\0');
  out.resize(static_cast<std::size_t>(::read(ends[0], out.data(), out.size())));
  ::close(ends[0]);
  return out;
}

}  // namespace

TEST_CASE("progress to a pipe is one plain line per event") {
  CHECK(told(Detail::kNormal) == R"(r-1: started flow order
ship: started
ship: attempt 1 of 3 failed: exit code 3 and)"
                                 "\xEF\xBF\xBD"
                                 R"([2Jmore; again in 200ms
ship: ok in 1.2s, attempt 2
note: started, visit 2
note: two
note: lines
note: warning: mind
note: error: )"
                                 "\xEF\xBF\xBD]0;title\xEF\xBF\xBD"
                                 R"(
note: failed in 1m 30s: exit code 3 and)"
                                 "\xEF\xBF\xBD"
                                 R"([2Jmore; goes to pause
pause: started
pause: waits until 2026-11-23T08:15:05.000Z
pause: ending 2 processes that an earlier attempt left behind
r-1: suspending: SIGTERM
)");
}

TEST_CASE("more detail adds attempts and fine print") {
  const std::string all = told(Detail::kVerbose);
  CHECK(all.find("ship: attempt 1 of 3\n") != std::string::npos);
  CHECK(all.find("note: fine print\n") != std::string::npos);
  CHECK(all.find("note: attempt 1 of 1 failed: exit code 3 and") != std::string::npos);
}

TEST_CASE("quiet leaves only what is said to be an error") {
  CHECK(told(Detail::kQuiet) == "note: error: \xEF\xBF\xBD]0;title\xEF\xBF\xBD\n");
}

TEST_CASE("a live line says what its state does, and for how long") {
  boost::asio::io_context loop;
  HeldClock clock;
  Output err(-1);
  Progress progress(loop.get_executor(), err, clock, {.live = true});
  const auto line = [&] {
    const auto lines = progress.live_lines(40);
    return lines.size() == 1 ? lines[0] : std::string("not one line");
  };
  progress.on_event({"r-1", model::StateBegan{"ship", 1}});
  clock.elapsed = Millis{1290};
  CHECK(line() == "⠋ ship 1.2s");
  progress.on_event({"r-1", model::AttemptBegan{"ship", 1, 3}});
  CHECK(line() == "⠋ ship 1.2s  attempt 1 of 3");
  progress.on_event({"r-1", model::AttemptFailed{"ship", 1, 3, &kError, Millis{5000}}});
  clock.elapsed = Millis{3000};
  CHECK(line() == "⠋ ship 3.0s  attempt 1 of 3 failed, aga…");
  CHECK(progress.live_lines(80)[0] == "⠋ ship 3.0s  attempt 1 of 3 failed, again in 3.2s");
  progress.on_event({"r-1", model::Waiting{"ship", at(63'000)}});
  CHECK(line() == "⠋ ship 3.0s  goes on in 1m 0s");
  progress.on_event({"r-1", model::StateSucceeded{"ship", 1, 2, Millis{3000}}});
  CHECK(progress.live_lines(40).empty());
}

TEST_CASE("what a run worked on when its rollback began is no live line any more, and what undoes it is one") {
  boost::asio::io_context loop;
  HeldClock clock;
  Output err(-1);
  Progress progress(loop.get_executor(), err, clock, {.live = true});
  using Lines = std::vector<std::string>;
  progress.on_event({"r-1", model::StateBegan{"ship", 1}});
  progress.on_event({"r-1.1", model::StateBegan{"pack", 1}, "ship"});
  CHECK(progress.live_lines(40) == Lines{"⠋ ship 0ms", "⠋ ship > pack 0ms"});
  progress.on_event({"r-1.1", model::RollbackBegan{1}, "ship"});
  CHECK(progress.live_lines(40) == Lines{"⠋ ship 0ms"});
  progress.on_event({"r-1", model::RollbackBegan{1}});
  CHECK(progress.live_lines(40).empty());
  progress.on_event({"r-1", model::CompensationBegan{"pay", 1, "compensate", ""}});
  CHECK(progress.live_lines(40) == Lines{"⠋ pay/compensate 0ms"});
  progress.on_event({"r-1", model::CompensationEnded{"pay", 1, "compensate", ""}});
  CHECK(progress.live_lines(40).empty());
}

TEST_CASE("branches have live lines of their own, and what is counted a bar, a rate and the time left") {
  boost::asio::io_context loop;
  HeldClock clock;
  Output err(-1);
  Progress progress(loop.get_executor(), err, clock, {.live = true});
  progress.on_event({"r-1", model::StateBegan{"fork", 1}});
  progress.on_event({"r-1", model::PartsBegan{"fork", 3, 1, true}});
  progress.on_event({"r-1", model::AttemptBegan{"fork", 1, 1, "eu"}});
  progress.on_event({"r-1", model::AttemptBegan{"fork", 1, 2, "us"}});
  CHECK(progress.live_lines(80) == std::vector<std::string>{"⠋ fork 0ms  ██████░░░░░░░░░░░░░░ 1 of 3 branches",
                                                            "⠋ fork/eu 0ms", "⠋ fork/us 0ms  attempt 1 of 2"});
  clock.elapsed = Millis{2000};
  progress.on_event({"r-1", model::PartEnded{"fork", "eu", &kError, 1, Millis{2000}, true}});
  CHECK(progress.live_lines(80) ==
        std::vector<std::string>{"⠋ fork 2.0s  █████████████░░░░░░░ 2 of 3 branches, 1 failed, 0.5/s, 2.0s left",
                                 "⠋ fork/us 2.0s  attempt 1 of 2"});
  progress.on_event({"r-1", model::StateSucceeded{"fork", 1, 1, Millis{2000}}});
  CHECK(progress.live_lines(80).empty());
}

TEST_CASE("items are counted, at most once a second, and only their failures have lines") {
  HeldClock clock;
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  {
    boost::asio::io_context loop;
    Output err(ends[1]);
    Progress progress(loop.get_executor(), err, clock, {});
    progress.on_event({"r-1", model::StateBegan{"many", 1}});
    progress.on_event({"r-1", model::PartsBegan{"many", 100, 0, false}});
    for (int i = 0; i < 100; ++i) {
      clock.elapsed += Millis{30};
      const std::string part = std::to_string(i);
      progress.on_event({"r-1", model::PartEnded{"many", part, i == 50 ? &kError : nullptr, 1, Millis{30}, false}});
    }
  }
  ::close(ends[1]);
  std::string out(4096, '\0');
  out.resize(static_cast<std::size_t>(::read(ends[0], out.data(), out.size())));
  ::close(ends[0]);
  CHECK(out ==
        "many: started\n"
        "many: 34 of 100 items, 33/s, 2.0s left\n"
        "many/50: failed in 30ms: exit code 3 and\xEF\xBF\xBD[2Jmore\n"
        "many: 68 of 100 items, 1 failed, 33/s, 1.0s left\n");
}

TEST_CASE("with more detail, what commands write comes line by line, as the terminal would leave it") {
  const SystemClock clock;
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  {
    boost::asio::io_context loop;
    Output err(ends[1]);
    Progress progress(loop.get_executor(), err, clock, {.detail = Detail::kVerbose});
    progress.on_event({"r-1", model::RunBegan{"order", false, {}}});
    progress.on_event({"r-1", model::Wrote{"ship", model::Stream::kStdout, "one\n10%\r100%\r\nha"}});
    progress.on_event({"r-1", model::Wrote{"ship", model::Stream::kStderr, "lf\n\x1b[2Jlast"}});
    progress.on_event({"r-1", model::StateSucceeded{"ship", 1, 1, Millis{5}}});
  }
  ::close(ends[1]);
  std::string out(4096, '\0');
  out.resize(static_cast<std::size_t>(::read(ends[0], out.data(), out.size())));
  ::close(ends[0]);
  CHECK(out ==
        "r-1: started flow order\nship | one\nship | 100%\nship | half\nship | \xEF\xBF\xBD[2Jlast\nship: ok in 5ms\n");
}
