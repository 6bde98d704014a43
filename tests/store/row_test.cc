#include "engine/store/row.h"

#include "support.h"

using namespace canorun;
using namespace canorun::store;
using namespace canorun::store::test;

TEST_CASE("every status has a name that reads back") {
  for (int i = 0; i <= static_cast<int>(Status::kCancelled); ++i) {
    const auto status = static_cast<Status>(i);
    CHECK(status_from(status_name(status)) == status);
  }
  CHECK(status_name(Status::kRollbackIncomplete) == "rollback_incomplete");
  CHECK(!status_from("Running"));
  CHECK(!status_from(""));
}

TEST_CASE("every type of row has the name that events print") {
  CHECK(type_name(started()) == "run_started");
  CHECK(type_name(entered("a")) == "state_entered");
  CHECK(type_name(state_ended("a")) == "state_ended");
  CHECK(type_name(suspended()) == "run_suspended");
  CHECK(type_name(resumed()) == "run_resumed");
  CHECK(type_name(run_ended(Status::kFailed)) == "run_ended");
  CHECK(type_name({kStart, RunQueued{}}) == "run_queued");
  CHECK(type_name({kStart, OutcomeReached{}}) == "outcome_reached");
  CHECK(type_name({kStart, RollbackStarted{}}) == "rollback_started");
  CHECK(type_name({kStart, CompensationEnded{}}) == "compensation_ended");
  CHECK(type_name({kStart, PartBegan{}}) == "part_began");
}

TEST_CASE("a summary is folded from the rows") {
  Summary summary;
  apply(summary, started());
  apply(summary, entered("a"));
  apply(summary, state_ended("a"));
  apply(summary, entered("b"));
  CHECK(summary == Summary{"", "order", 2, Status::kRunning, "b", kStart, {}, 4});
  apply(summary, suspended());
  CHECK(summary == Summary{"", "order", 2, Status::kSuspended, "b", kStart, {}, 5});
  apply(summary, run_ended(Status::kFailed));
  CHECK(summary == Summary{"", "order", 2, Status::kFailed, "done", kStart, after_start(60), 6});
  apply(summary, resumed());
  CHECK(summary == Summary{"", "order", 2, Status::kRunning, "done", kStart, {}, 7});
  apply(summary, {kStart, RunQueued{"g"}});
  CHECK(summary == Summary{"", "order", 2, Status::kQueued, "done", kStart, {}, 8});
  apply(summary, entered("c"));
  CHECK(summary == Summary{"", "order", 2, Status::kRunning, "c", kStart, {}, 9});
  apply(summary, {after_start(9), OutcomeReached{{.status = Status::kSucceeded, .state = "end"}}});
  CHECK(summary == Summary{"", "order", 2, Status::kRunning, "end", kStart, {}, 10});
  apply(summary, run_ended(Status::kFailed));
  apply(summary, {after_start(9), RollbackStarted{{.status = Status::kRolledBack, .state = "undo"}}});
  CHECK(summary == Summary{"", "order", 2, Status::kRunning, "undo", kStart, {}, 12});
  apply(summary, {kStart, RunResumed{.state = "undo", .version = 3}});
  CHECK(summary.version == 3);
}

TEST_CASE("only runs that nobody must look at may be deleted") {
  std::vector<std::string_view> over;
  std::vector<std::string_view> deletable;
  for (int i = 0; i <= static_cast<int>(Status::kCancelled); ++i) {
    const auto status = static_cast<Status>(i);
    if (is_over(status)) over.push_back(status_name(status));
    if (may_be_deleted(status)) deletable.push_back(status_name(status));
  }
  CHECK(over == std::vector<std::string_view>{"succeeded", "rolled_back", "cancelled"});
  CHECK(deletable == std::vector<std::string_view>{"succeeded", "failed", "rolled_back", "cancelled"});
}
