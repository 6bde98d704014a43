#include "cli/refusal.h"

#include <doctest/doctest.h>

using namespace canorun;
using namespace canorun::cli;

TEST_CASE("a refusal is one JSON document with a kind and a message") {
  CHECK(to_json_text(to_json(Refusal{RefusalKind::kNoSuchRun, "there is no run 'x'", "look at the list"})) ==
        R"({"error":{"kind":"no_such_run","message":"there is no run 'x'"}})");
}

TEST_CASE("with exit code 2 it has the diagnostics") {
  const auto source = std::make_shared<Source>("flow.yaml", "next: chrage\n");
  const Refusal refusal{.kind = RefusalKind::kInvalidFlow,
                        .message = "flow.yaml has 1 error: nothing was run",
                        .diagnostics = {{.code = Code::kUnknownState,
                                         .source = source,
                                         .span = {6, 12},
                                         .message = "unknown state 'chrage'",
                                         .hint = "did you mean 'charge'?"}}};
  CHECK(to_json_text(to_json(refusal)) ==
        R"({"diagnostics":[{"code":"unknown-state","column":7,"file":"flow.yaml","hint":"did you mean 'charge'?",)"
        R"("line":1,"message":"unknown state 'chrage'","severity":"error"}],)"
        R"("error":{"kind":"invalid_flow","message":"flow.yaml has 1 error: nothing was run"}})");
  CHECK(render(refusal, false) == R"(flow.yaml:1:7: error: unknown state 'chrage' [unknown-state]
    1 | next: chrage
      |       ^^^^^^ did you mean 'charge'?
error: flow.yaml has 1 error: nothing was run
)");
}

TEST_CASE("problems without a place come one by one, then what they mean") {
  const Refusal refusal{.kind = RefusalKind::kInvalidInputs,
                        .message = "2 inputs are wrong: nothing was run",
                        .problems = {{"input 'a' is missing (string)", "give it with -i a=…"}, {"no input 'b'"}}};
  CHECK(render(refusal, false) == R"(error: input 'a' is missing (string)
hint: give it with -i a=…
error: no input 'b'
error: 2 inputs are wrong: nothing was run
)");
}

TEST_CASE("control characters of a message do not reach the terminal") {
  CHECK(render({RefusalKind::kUsage, "no run '\x1b]0;x\x07'"}, false) ==
        "error: no run '\xEF\xBF\xBD]0;x\xEF\xBF\xBD'\n");
}

TEST_CASE("every error of a store has a kind and an exit code") {
  using store::StoreErrorKind;
  const auto told = [](StoreErrorKind kind) {
    const Refusal made = refusal(store::StoreError{kind, "m", "h"});
    CHECK(made.message == "m");
    CHECK(made.hint == "h");
    return std::string(kind_name(made.kind)) + " " + std::to_string(static_cast<int>(exit_code(made.kind)));
  };
  CHECK(told(StoreErrorKind::kNoSuchRun) == "no_such_run 6");
  CHECK(told(StoreErrorKind::kRunExists) == "run_exists 6");
  CHECK(told(StoreErrorKind::kOwned) == "owned 6");
  CHECK(told(StoreErrorKind::kGroupTaken) == "group_taken 6");
  CHECK(told(StoreErrorKind::kInUse) == "store_in_use 6");
  CHECK(told(StoreErrorKind::kNotOwner) == "store_failed 7");
  CHECK(told(StoreErrorKind::kRowExists) == "store_failed 7");
  CHECK(told(StoreErrorKind::kNotFound) == "store_failed 7");
  CHECK(told(StoreErrorKind::kFull) == "store_full 7");
  CHECK(told(StoreErrorKind::kPermission) == "store_permission 7");
  CHECK(told(StoreErrorKind::kNotAStore) == "not_a_store 7");
  CHECK(told(StoreErrorKind::kCorrupt) == "store_corrupt 7");
  CHECK(told(StoreErrorKind::kNewerVersion) == "store_newer_version 7");
  CHECK(told(StoreErrorKind::kNotLocal) == "store_not_local 7");
  CHECK(told(StoreErrorKind::kOtherNamespace) == "store_other_namespace 7");
  CHECK(told(StoreErrorKind::kIo) == "store_failed 7");
}
