#include "cli/view_run.h"

#include <doctest/doctest.h>

#include "cli/rows.h"

using namespace canorun;
using namespace canorun::test;

TEST_CASE("show tells the story of a run that failed, in the order of the report") {
  CHECK(cli::run_text(failed_run(), at(60'000), typed, {}) == R"(order-20261123-081500-k3f9  failed
  flow     order version 2, /srv/order.yaml
  started  2026-11-23T08:15:00.000Z
  ended    2026-11-23T08:15:02.456Z, failed in 2.4s
  inputs   amount = 42.0
           order_id = "A1"
  vars     tries = 0

  STATE    VISIT  ATTEMPTS  TIME  RESULT
  reserve      1         1  1.2s  ok      R-7
  choose                          route
  ship         1         3  1.2s  failed  exit code 3

error: exit code 3
  where: state ship, attempt 3, exit code 3
  the last it wrote to stderr:
    | connecting
    | )"
                                                              "\xEF\xBF\xBD"
                                                              R"([31mrefused
  rolled back: nothing, as nothing was owed
next:
  canorun resume order-20261123-081500-k3f9     # tries again from ship
  canorun logs order-20261123-081500-k3f9 ship  # all that it wrote
)");
}

TEST_CASE("show of a run that succeeded has its output and no report") {
  CHECK(cli::run_text(good_run(), at(60'000), typed, {}) == R"(order-20261123-081500-k3f9  succeeded
  flow     order version 2, /srv/order.yaml
  started  2026-11-23T08:15:00.000Z
  ended    2026-11-23T08:15:01.200Z, succeeded in 1.2s
  inputs   amount = 42.0
           order_id = "A1"
  vars     tries = 0
  output   {"order":"A1"}

  STATE    VISIT  ATTEMPTS  TIME  RESULT
  reserve      1         1  1.2s  ok      R-7
  choose                          route
  done                            exit
)");
}

TEST_CASE("show of a run that works says how long its state has taken") {
  const auto running = record({started(0), entered(0, "reserve")});
  CHECK(cli::run_text(running, at(72'000), typed, {}) == R"(order-20261123-081500-k3f9  running
  flow     order version 2, /srv/order.yaml
  started  2026-11-23T08:15:00.000Z
  inputs   amount = 42.0
           order_id = "A1"
  vars     tries = 0

  STATE    VISIT  ATTEMPTS    TIME  RESULT
  reserve      1            1m 12s  running

next:
  canorun logs order-20261123-081500-k3f9 --follow  # what it writes
  canorun cancel order-20261123-081500-k3f9         # ends it
)");
}

TEST_CASE("show of a run that was taken up elsewhere by hand says what was left") {
  auto left = record({started(0),
                      entered(0, "reserve"),
                      {at(10), store::RunSuspended{"SIGTERM"}},
                      {at(20), store::RunResumed{.state = "ship", .by_hand = true}},
                      entered(20, "ship")});
  left.summary.status = store::Status::kInterrupted;
  const std::string text = cli::run_text(left, at(30), typed, {});
  CHECK(text.substr(text.find("  resumed")) == R"(  resumed  1 time
  inputs   amount = 42.0
           order_id = "A1"
  vars     tries = 0

  STATE    VISIT  ATTEMPTS  TIME  RESULT
  reserve      1                  left
  ship         1                  interrupted

next:
  canorun resume order-20261123-081500-k3f9  # goes on at ship
)");
}

TEST_CASE("show keeps to the last fifty entries of a run that went in circles") {
  std::vector<store::Row> rows{started(0)};
  for (int i = 1; i <= 60; ++i) {
    rows.push_back(entered(i, "again", static_cast<std::uint64_t>(i)));
    rows.push_back(ended_well(i, "again", 0, i, static_cast<std::uint64_t>(i)));
  }
  const std::string text = cli::run_text(record(std::move(rows)), at(60), typed, {});
  CHECK(text.find("  again     10") == std::string::npos);
  CHECK(text.find("  again     11         1   0ms  ok      11\n") != std::string::npos);
  CHECK(text.find("  (10 came before: see its events)\n") != std::string::npos);
}

TEST_CASE("an output is summed up by what a person looks for first") {
  const auto sum = [](const Json& output) { return cli::output_summary(output, 20); };
  CHECK(sum(nullptr) == "");
  CHECK(sum(Json::object()) == "");
  CHECK(sum({{"exit_code", 0}, {"stdout", ""}, {"stderr", ""}}) == "");
  CHECK(sum({{"exit_code", 0}, {"stdout", "a\nb\x1b"}}) == "a b\xEF\xBF\xBD");
  CHECK(sum({{"exit_code", 0}, {"stdout", "{}"}, {"json", {{"id", 7}}}}) == R"({"id":7})");
  CHECK(sum({{"value", nullptr}}) == R"({"value":null})");
  CHECK(sum(Json("a very long text that goes on")) == "\"a very long text t…");
}
