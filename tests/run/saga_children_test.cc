// Runs below runs that are rolled back: by themselves, with their parent, as a whole, and later.
#include "engine/base/ids.h"
#include "engine/run/children.h"
#include "harness.h"

using namespace canorun;
using namespace canorun::test;
using namespace std::chrono_literals;

namespace {

using Strings = std::vector<std::string>;

// Its two steps are undone when the third fails.
constexpr const char* kChild = R"(
name: child
states:
  a: {task: act, compensate: {task: act}, next: b}
  b: {task: act, compensate: {task: act}, next: c}
  c: {task: act, next: end}
  end: {exit: success, output: 5}
)";

// Runs it between two steps.
std::string parent(const std::string& more = "") {
  return fmt::format(R"(
name: parent
states:
  p: {{task: act, compensate: {{task: act}}, next: s}}
  s: {{task: flow, with: {{file: child.yaml}}, {}next: q}}
  q: {{task: act, next: done}}
  done: {{exit: success}}
{})",
                     more, more.find("lost") == std::string::npos ? "" : "  lost: {exit: failure}\n");
}

struct SagaChildren : Fixture {
  SagaChildren() {
    for (const char* state : {"p", "a", "b", "s"}) Harness::acts[std::string(state) + "/compensate"] = undoes();
  }
  Act undoes() {
    return [this](model::TaskContext& context, Json params) -> boost::asio::awaitable<model::Outcome> {
      undone.push_back(fmt::format("{} {}{}", context.run_id(), context.state(),
                                   params.contains("value") ? " " + to_json_text(params["value"]) : ""));
      co_return model::Success{nullptr};
    };
  }
  void begin(const std::string& yaml, const std::string& child = kChild) {
    flow = flow_of(yaml, {{"child.yaml", child}});
    process.start(flow);
  }
  const run::RunState& end() {
    process.until_done();
    return process.finished->run;
  }
  const run::RunState& again() {
    last.emplace(store);
    last->resume(flow);
    last->until_done();
    REQUIRE(!last->finished->store_error);
    return last->finished->run;
  }
  Strings take_undone() { return std::exchange(undone, {}); }

  std::shared_ptr<const model::Flow> flow;
  Strings undone;
  std::optional<Harness> last;
};

}  // namespace

TEST_CASE_FIXTURE(SagaChildren, "a child that fails is rolled back before its parent's action fails") {
  Harness::acts["c"] = fails("exit", "exit code 3");
  SUBCASE("and then its parent is") {
    begin(parent());
    CHECK(end().status == store::Status::kRolledBack);
    CHECK(process.finished->run.error["message"] == "run r1.1: c: exit code 3");
    CHECK(undone == Strings{"r1.1 b", "r1.1 a", "r1 p"});
    CHECK(runs_of(store) == Strings{"r1 rolled_back", "r1.1 rolled_back"});
  }
  SUBCASE("each attempt's child anew") {
    begin(parent("retry: {max: 1, delay: 1s, jitter: 0}, "));
    until_line("failed s 1 exit retry 1000");
    process.clock.advance(1s);
    CHECK(end().status == store::Status::kRolledBack);
    CHECK(undone == Strings{"r1.1 b", "r1.1 a", "r1.2 b", "r1.2 a", "r1 p"});
  }
  SUBCASE("and its parent may handle it") {
    begin(parent("on_error: lost, "));
    CHECK(end().status == store::Status::kFailed);
    CHECK(undone == Strings{"r1.1 b", "r1.1 a"});
    CHECK(runs_of(store) == Strings{"r1 failed", "r1.1 rolled_back"});
  }
}

TEST_CASE_FIXTURE(SagaChildren, "a child that cannot be rolled back whole is not retried, and nobody handles it") {
  Harness::acts["c"] = fails("exit", "exit code 3");
  Harness::acts["a/compensate"] = fails("exit", "exit code 9");
  begin(parent("retry: {max: 3, delay: 1s, jitter: 0}, on_error: lost, "));
  CHECK(end().status == store::Status::kRollbackIncomplete);
  CHECK(process.finished->run.error["kind"] == "compensation");
  CHECK(take_undone() == Strings{"r1.1 b", "r1 p"});
  CHECK(runs_of(store) == Strings{"r1 rollback_incomplete", "r1.1 rollback_incomplete"});

  CHECK(again().status == store::Status::kRollbackIncomplete);
  CHECK(take_undone().empty());
  Harness::acts["a/compensate"] = undoes();
  CHECK(again().status == store::Status::kRolledBack);
  CHECK(take_undone() == Strings{"r1.1 a"});
  CHECK(runs_of(store) == Strings{"r1 rolled_back", "r1.1 rolled_back"});
}

TEST_CASE_FIXTURE(SagaChildren, "the rollback of a child is finished before that of its parent") {
  Harness::acts["c"] = fails("exit", "exit code 3");
  Harness::acts["a/compensate"] = fails("exit", "exit code 9");
  Harness::acts["p/compensate"] = fails("exit", "exit code 9");
  begin(parent());
  CHECK(end().status == store::Status::kRollbackIncomplete);
  CHECK(take_undone() == Strings{"r1.1 b"});
  Harness::acts["a/compensate"] = Harness::acts["p/compensate"] = undoes();
  CHECK(again().status == store::Status::kRolledBack);
  CHECK(take_undone() == Strings{"r1.1 a", "r1 p"});
}

TEST_CASE_FIXTURE(SagaChildren, "a child that succeeded is undone as a whole, by what its parent says") {
  Harness::acts["q"] = fails("exit", "exit code 3");
  begin(parent("compensate: {task: act, with: {value: \"${{ output }}\"}}, "));
  CHECK(end().status == store::Status::kRolledBack);
  CHECK(undone == Strings{"r1 s 5", "r1 p"});
  CHECK(runs_of(store) == Strings{"r1 rolled_back", "r1.1 succeeded"});
}

TEST_CASE_FIXTURE(SagaChildren, "a cancellation rolls back a child that works, then its parent") {
  Harness::acts["c"] = hangs();
  begin(parent());
  until_line("s: attempt c 1/1");
  process.interrupt.raise(run::Reason::kCancel, "by a person");
  CHECK(end().status == store::Status::kCancelled);
  CHECK(undone == Strings{"r1.1 b", "r1.1 a", "r1 p"});
  CHECK(runs_of(store) == Strings{"r1 cancelled", "r1.1 cancelled"});
}

TEST_CASE_FIXTURE(SagaChildren, "who cancels a run that nobody works on rolls back its child, too") {
  Harness::acts["c"] = hangs();
  bool dies = false;
  SUBCASE("suspended") {}
  SUBCASE("interrupted") { dies = true; }
  {
    Harness first(store);
    flow = flow_of(parent(), {{"child.yaml", kChild}});
    first.start(flow);
    first.until([&] { return first.recorder.has("s: attempt c 1/1"); });
    if (!dies) {
      first.interrupt.raise(run::Reason::kSuspend, "SIGTERM");
      first.until_done();
    }
  }
  if (dies) {
    REQUIRE(store.release(1));
    REQUIRE(store.release(2));
  }
  const char* const left = dies ? "interrupted" : "suspended";
  CHECK(runs_of(store) == Strings{fmt::format("r1 {}", left), fmt::format("r1.1 {}", left)});
  Harness other(store);
  other.cancel("r1", "by a person", flow);
  other.until_done();
  CHECK(undone == Strings{"r1.1 b", "r1.1 a", "r1 p"});
  CHECK(runs_of(store) == Strings{"r1 cancelled", "r1.1 cancelled"});
}

TEST_CASE_FIXTURE(SagaChildren, "a rollback that was cut off below goes on there") {
  Harness::acts["c"] = fails("exit", "exit code 3");
  Harness::acts["a/compensate"] = hangs();
  {
    Harness first(store);
    flow = flow_of(parent(), {{"child.yaml", kChild}});
    first.start(flow);
    first.until([&] { return first.recorder.has("s: attempt a/compensate 1/1"); });
  }
  REQUIRE(store.release(1));
  REQUIRE(store.release(2));
  CHECK(take_undone() == Strings{"r1.1 b"});
  Harness::acts["a/compensate"] = undoes();
  CHECK(again().status == store::Status::kRolledBack);
  CHECK(take_undone() == Strings{"r1.1 a", "r1 p"});
  CHECK(runs_of(store) == Strings{"r1 rolled_back", "r1.1 rolled_back"});
}

TEST_CASE_FIXTURE(SagaChildren, "a child that is undone as a whole is stopped with its parent all the same") {
  Harness::acts["c"] = hangs();
  begin(parent("compensate: {task: act}, "));
  until_line("s: attempt c 1/1");
  process.interrupt.raise(run::Reason::kCancel, "by a person");
  CHECK(end().status == store::Status::kCancelled);
  CHECK(undone == Strings{"r1.1 b", "r1.1 a", "r1 p"});
  CHECK(runs_of(store) == Strings{"r1 cancelled", "r1.1 cancelled"});
}

TEST_CASE_FIXTURE(SagaChildren, "a child that was left in its work goes no further when its parent is rolled back") {
  Harness::acts["c"] = hangs();
  Harness::acts["services.db.setup"] = gives(nullptr);
  const std::string yaml = parent() + "resources: {services: {db: {setup: {task: act}}}}\n";
  begin(yaml);
  until_line("s: attempt c 1/1");
  REQUIRE(store.release(1));
  REQUIRE(store.release(2));
  Harness::acts["c"] = gives(1);
  Harness::acts["services.db.setup"] = fails("exit");
  CHECK(again().status == store::Status::kRolledBack);
  CHECK(undone == Strings{"r1.1 b", "r1.1 a", "r1 p"});
  CHECK(runs_of(store) == Strings{"r1 rolled_back", "r1.1 cancelled"});
  CHECK(!last->recorder.has("r1.1: attempt c 1/1"));
}

TEST_CASE_FIXTURE(SagaChildren, "what a child still owes is seen by the process that comes after") {
  Harness::acts["p"] = gives(1);
  Harness::acts["c"] = fails("exit");
  Harness::acts["a/compensate"] = fails("exit");
  Harness::acts["s/x"] = hangs();
  const std::string yaml = R"(
name: parent
states:
  s:
    split:
      branches:
        x: {task: act}
        y: {task: flow, with: {file: child.yaml}}
      join: {partial_results: 2}
    next: done
  done: {exit: success}
)";
  begin(yaml);
  until_line("part s/y compensation");
  REQUIRE(store.release(1));
  Harness::acts["s/x"] = gives(1);
  CHECK(again().status == store::Status::kRollbackIncomplete);
  CHECK(runs_of(store) == Strings{"r1 rollback_incomplete", "r1.1 rollback_incomplete"});
}
