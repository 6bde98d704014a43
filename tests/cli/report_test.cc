#include "cli/report.h"

#include <doctest/doctest.h>

#include "cli/conclusion.h"
#include "cli/rows.h"

using namespace canorun;
using namespace canorun::test;

namespace {

std::string report(const store::RunRecord& record) {
  return cli::failure_report(run::replay(record.summary.id, record.rows), record.summary.status, typed, {});
}

}  // namespace

TEST_CASE("a run that succeeded has nothing to report") { CHECK(report(good_run()) == ""); }

TEST_CASE("a run that nothing is kept of has no command that comes next") {
  const auto record = failed_run();
  CHECK(cli::failure_report(run::replay("x", record.rows), store::Status::kFailed, {}, {}) == R"(error: exit code 3
  where: state ship, attempt 3, exit code 3
  the last it wrote to stderr:
    | connecting
    | )"
                                                                                              "\xEF\xBF\xBD"
                                                                                              R"([31mrefused
  rolled back: nothing, as nothing was owed
)");
}

TEST_CASE("a failure exit is named, and cannot be resumed") {
  const auto run =
      record({started(0),
              entered(0, "reserve"),
              ended_badly(9, "reserve", 9, 1),
              {at(9), store::RunEnded{.status = store::Status::kFailed, .state = "sorry", .entered = true}}});
  CHECK(report(run) == R"(error: the run reached the failure exit 'sorry'
  rolled back: nothing, as nothing was owed
next:
  canorun show order-20261123-081500-k3f9  # what led there
)");
}

TEST_CASE("a run that was cancelled says by what, and where it was") {
  const Json error = model::RunError{.kind = "cancelled", .message = "interrupted (SIGINT)", .state = "ship"}.to_json();
  const auto run =
      record({started(0),
              entered(0, "ship"),
              {at(9), store::StateEnded{.state = "ship", .error = error}},
              {at(9), store::RunEnded{.status = store::Status::kCancelled, .state = "ship", .error = error}}});
  CHECK(report(run) == R"(cancelled: interrupted (SIGINT)
  where: state ship
  rolled back: nothing, as nothing was owed
)");
}

TEST_CASE("a run that was suspended says how it goes on") {
  const auto run = record({started(0), entered(0, "ship"), {at(9), store::RunSuspended{"SIGTERM"}}});
  CHECK(report(run) == R"(next:
  canorun resume order-20261123-081500-k3f9  # goes on at ship
)");
}

TEST_CASE("every status has its exit code") {
  using store::Status;
  const auto code = [](Status status) { return static_cast<int>(cli::exit_code(status)); };
  CHECK(code(Status::kSucceeded) == 0);
  CHECK(code(Status::kFailed) == 1);
  CHECK(code(Status::kRolledBack) == 3);
  CHECK(code(Status::kRollbackIncomplete) == 4);
  CHECK(code(Status::kCancelled) == 5);
  CHECK(code(Status::kSuspended) == 75);
  CHECK(code(Status::kWaiting) == 75);
  CHECK(code(Status::kInterrupted) == 75);
}
