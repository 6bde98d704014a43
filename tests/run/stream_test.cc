// Streams: windows, policies, what is durable, and what becomes of an open window.
#include <fmt/format.h>

#include "harness.h"

using namespace canorun;
using namespace canorun::test;
using namespace std::chrono_literals;

namespace {

// One flow; `more` is keys of the stream, `state` of its state.
std::string flow(const std::string& more, const std::string& state = "", const std::string& top = "") {
  return fmt::format(R"(
name: s
{}
states:
  s:
    stream:
      source: {{task: feed, with: {{value: "${{{{ cursor }}}}"}}}}
      initial: 0
      cursor: cursor + 1
      flush: {{task: act, with: {{value: {{items: "${{{{ items }}}}", cursor: "${{{{ cursor }}}}"}}}}}}
{}
{}
    next: done
  done: {{exit: success, output: "${{{{ states.s.output }}}}"}}
)",
                     top, more, state);
}

const char* const kByTwo = "      window: {count: 2}";

// What flushes and items were given, and their parts.
struct Streams : Fixture {
  Streams() {
    Harness::acts["s"] = [this](model::TaskContext& context, Json params) -> boost::asio::awaitable<model::Outcome> {
      const bool is_flush = context.part().find("flush") != std::string::npos;
      (is_flush ? flushed : items).push_back(params["value"]);
      parts.push_back(context.part());
      keys.insert(context.idempotency_key());
      if (is_flush && on_flush) {
        auto outcome = co_await on_flush(context, params);
        co_return outcome;
      }
      if (!is_flush && on_item) {
        auto outcome = co_await on_item(context, params);
        co_return outcome;
      }
      co_return model::Success{params["value"]};
    };
  }

  // Numbers from the cursor on, up to `last`, then the end.
  static void count_to(std::int64_t last, std::optional<model::Outcome> outcome = model::Success{}) {
    Harness::feed.begin = [last, outcome](Feed& feed, const Json& cursor) {
      for (auto at = cursor.get<std::int64_t>(); at < last; ++at) feed.lines.push_back(std::to_string(at));
      feed.outcome = outcome;
    };
  }
  void begin(const std::string& yaml) { process.start(flow_of(yaml)); }
  void until_flushes(std::size_t count) {
    process.until([&] { return flushed.size() == count; });
  }

  Act on_flush;
  Act on_item;
  std::vector<Json> flushed;
  std::vector<Json> items;
  std::vector<std::string> parts;
  std::set<std::string> keys;
};

Json window(Json items, Json cursor) { return {{"items", std::move(items)}, {"cursor", std::move(cursor)}}; }

}  // namespace

TEST_CASE_FIXTURE(Streams,
                  "a window is flushed when it is full, the last one at the source's end, each with its cursor") {
  count_to(5);
  const run::RunState& run = run_to_end(flow(kByTwo));
  CHECK(run.output == Json{{"items", 5}, {"windows", 3}, {"cursor", 5}, {"reason", "exhausted"}});
  CHECK(flushed == std::vector<Json>{window({"0", "1"}, 2), window({"2", "3"}, 4), window(Json::array({"4"}), 5)});
  CHECK(parts == std::vector<std::string>{"0:flush:2", "1:flush:2", "2:flush:1"});
  CHECK(keys.size() == 3);
  CHECK(Harness::feed.begun == std::vector<Json>{0});
  CHECK(Harness::feed.ended == 1);
  CHECK(
      rows() ==
      std::vector<std::string>{
          R"(run_started {"inputs":{},"vars":{}})",
          R"(state_entered {"state":"s","visit":1})",
          R"(window_ended {"attempts":1,"cursor":5,"items":5,"reason":"exhausted","skipped":0,"state":"s","visit":1,"window":2})",
          R"(state_ended {"attempts":1,"output":{"cursor":5,"items":5,"reason":"exhausted","windows":3},"state":"s","visit":1})",
          R"(run_ended {"output":{"cursor":5,"items":5,"reason":"exhausted","windows":3},"state":"done","status":"succeeded"})",
      });
  CHECK(process.recorder.has("window s 1 of 2"));
  CHECK(process.recorder.has("window s 3 of 5"));
}

TEST_CASE_FIXTURE(Streams, "a source that gives nothing flushes nothing") {
  count_to(0);
  const run::RunState& run = run_to_end(flow(kByTwo));
  CHECK(run.output == Json{{"items", 0}, {"windows", 0}, {"cursor", 0}, {"reason", "exhausted"}});
  CHECK(flushed.empty());
}

TEST_CASE_FIXTURE(Streams, "a window by time ends so long after its first item, and an empty one does not begin") {
  begin(flow("      window: {every: 5s}"));
  process.until([] { return static_cast<bool>(Harness::feed.ready); });
  process.clock.advance(60s);
  turn();
  CHECK(flushed.empty());
  Harness::feed.give({"a"});
  process.until([] { return Harness::feed.taken == 1; });
  process.clock.advance(4999ms);
  Harness::feed.give({"b"});
  turn();
  CHECK(flushed.empty());
  process.clock.advance(1ms);
  until_flushes(1);
  Harness::feed.give({"c"});
  process.until([] { return Harness::feed.taken == 3; });
  process.clock.advance(4999ms);
  turn();
  CHECK(flushed.size() == 1);
  process.clock.advance(1ms);
  until_flushes(2);
  CHECK(flushed == std::vector<Json>{window({"a", "b"}, 2), window(Json::array({"c"}), 3)});
}

TEST_CASE_FIXTURE(Streams, "a window by count and time ends with what comes first, and its time begins anew") {
  begin(flow("      window: {count: 2, every: 5s}"));
  process.until([] { return static_cast<bool>(Harness::feed.ready); });
  Harness::feed.give({"a"});
  process.until([] { return Harness::feed.taken == 1; });
  process.clock.advance(4s);
  Harness::feed.give({"b", "c"});
  process.until([] { return Harness::feed.taken == 3; });
  CHECK(flushed.size() == 1);
  process.clock.advance(4s);
  turn();
  CHECK(flushed.size() == 1);
  process.clock.advance(1s);
  until_flushes(2);
  CHECK(flushed == std::vector<Json>{window({"a", "b"}, 2), window(Json::array({"c"}), 3)});
}

TEST_CASE_FIXTURE(Streams, "each item has its action, in order, before it is in the window, and a piece of its own") {
  count_to(3);
  run_to_end(flow(R"(      window: {count: 2}
      as: line
      each: {task: act, with: {value: ["${{ line }}", "${{ index }}", "${{ cursor }}"]}})"));
  CHECK(items == std::vector<Json>{{"0", 0, 0}, {"1", 1, 1}, {"2", 0, 2}});
  CHECK(parts == std::vector<std::string>{"0:0", "0:1", "0:flush:2", "1:0", "1:flush:1"});
  CHECK(keys.size() == 5);
  CHECK(flushed[0] == window({"0", "1"}, 2));
}

TEST_CASE_FIXTURE(Streams, "an item that fails ends the stream with its error, and the open window is not flushed") {
  on_item = fails("exit", "exit code 3");
  count_to(3);
  const run::RunState& run = run_to_end(flow("      window: {count: 2}\n      each: {task: act}"));
  CHECK(run.error["kind"] == "exit");
  CHECK(run.error["message"] == "item 1: exit code 3");
  CHECK(flushed.empty());
  CHECK(Harness::feed.ended == 1);
}

TEST_CASE_FIXTURE(Streams, "items that fail are skipped, told and counted, and the cursor goes on behind them") {
  Harness::feed.begin = [](Feed& feed, const Json&) {
    feed.lines = {R"({"n": 1})", "no", R"({"n": 2})", R"({"m": 3})", "\xff", R"({"n": 4})"};
    feed.outcome = model::Success{};
  };
  const run::RunState& run = run_to_end(R"(
name: s
states:
  s:
    stream:
      source: {task: feed}
      parse: json
      cursor: item.n
      window: {count: 2}
      flush: {task: act, with: {value: "${{ items.map(i, i.n) }}"}}
      on_item_error: skip
    next: done
  done: {exit: success, output: "${{ states.s.output }}"}
)");
  CHECK(run.output == Json{{"items", 3}, {"windows", 2}, {"cursor", 4}, {"reason", "exhausted"}});
  CHECK(flushed == std::vector<Json>{{1, 2}, Json::array({4})});
  CHECK(rows()[2].find(R"("skipped":3)") != std::string::npos);
  std::vector<std::string> told;
  for (const std::string& line : process.recorder.lines) {
    if (line.starts_with("said")) told.push_back(line.substr(0, 31));
  }
  CHECK(told == std::vector<std::string>{"said s skipped item 2: not JSON", "said s skipped item 4: stream.c",
                                         "said s skipped item 5: not JSON"});
}

TEST_CASE_FIXTURE(Streams, "so many items may fail, and one more fails the state; what was committed counts") {
  Harness::feed.begin = [](Feed& feed, const Json&) {
    feed.lines = {"bad", "0", "bad", "1", "bad", "2"};
    feed.outcome = model::Success{};
  };
  const std::string yaml = flow(R"(      window: {count: 1}
      parse: json
      on_item_error: {max_errors: 2})");
  const run::RunState& run = run_to_end(yaml);
  CHECK(run.error["message"].get<std::string>().starts_with(
      "more than 2 items failed, the last one: item 5: not JSON: "));
  CHECK(flushed.size() == 2);
}

TEST_CASE_FIXTURE(Streams, "bytes that are no UTF-8 are replaced, and JSON may not nest too deep") {
  Harness::feed.begin = [](Feed& feed, const Json&) {
    feed.lines = {"a\xff"};
    feed.outcome = model::Success{};
  };
  run_to_end(flow(kByTwo));
  CHECK(flushed[0]["items"] == Json::array({"a\xef\xbf\xbd"}));
  Harness::feed.begin = [](Feed& feed, const Json&) { feed.lines = {std::string(600, '[') + std::string(600, ']')}; };
  Harness second{store};
  second.start(flow_of(flow("      window: {count: 2}\n      parse: json")), Json::object(), "r2");
  second.until_done();
  CHECK(second.finished->run.error["message"].get<std::string>().starts_with("item 1: JSON "));
}

TEST_CASE_FIXTURE(Streams, "the item that stops the stream is its last, and the source is ended before the flush") {
  int ended_before_flush = 0;
  on_flush = [&](model::TaskContext&, Json) -> boost::asio::awaitable<model::Outcome> {
    ended_before_flush = Harness::feed.ended;
    co_return model::Success{nullptr};
  };
  count_to(100, std::nullopt);
  const run::RunState& run = run_to_end(flow("      window: {count: 10}\n      stop_when: item == '3'"));
  CHECK(run.output == Json{{"items", 4}, {"windows", 1}, {"cursor", 4}, {"reason", "stopped"}});
  CHECK(ended_before_flush == 1);
  CHECK(flushed == std::vector<Json>{window({"0", "1", "2", "3"}, 4)});
}

TEST_CASE_FIXTURE(Streams, "a stopped stream that lost its process after the last flush reads nothing more") {
  count_to(100, std::nullopt);
  const auto flow = flow_of(::flow("      window: {count: 10}\n      stop_when: item == '3'"));
  process.start(flow);
  process.until_done();
  const auto all = store.load("r1")->rows;
  store::MemoryStore cut;
  std::optional<store::RunNumber> number;
  cut.create({"r1", {all.begin(), all.begin() + 3}, {{flow->digest, flow->text}}},
             [&](store::StoreResult<store::RunNumber> made) { number = *made; });
  REQUIRE(cut.release(*number));
  Harness::feed.begun.clear();
  Harness second{cut};
  second.resume(flow);
  second.until_done();
  CHECK(second.finished->run.output == process.finished->run.output);
  CHECK(Harness::feed.begun.empty());
}

TEST_CASE_FIXTURE(Streams, "a source that dies is an error with its exit code, and its open window is not flushed") {
  auto died = model::failure("exit", "exit code 7");
  died.error.exit_code = 7;
  count_to(3, died);
  const run::RunState& run = run_to_end(flow(kByTwo));
  CHECK(run.error ==
        Json{{"attempts", 1}, {"exit_code", 7}, {"kind", "exit"}, {"message", "exit code 7"}, {"state", "s"}});
  CHECK(flushed == std::vector<Json>{window({"0", "1"}, 2)});
}

TEST_CASE_FIXTURE(Streams, "a source that may be tried again begins behind the last committed cursor") {
  int starts = 0;
  Harness::feed.begin = [&](Feed& feed, const Json& cursor) {
    const auto from = cursor.get<int>();
    for (int at = from; at < from + 3; ++at) feed.lines.push_back(std::to_string(at));
    feed.outcome = model::failure("exit", "exit code 1");
    if (++starts > 2) feed.outcome = model::Success{};
  };
  process.start(flow_of(R"(
name: s
states:
  s:
    stream:
      source: {task: feed, with: {value: "${{ cursor }}"}, retry: {max: 1, delay: 1s, jitter: 0}}
      initial: 0
      cursor: cursor + 1
      window: {count: 2}
      flush: {task: act, with: {value: "${{ items }}"}}
    next: done
  done: {exit: success, output: "${{ states.s.output }}"}
)"));
  until_line("failed s/source 1 exit retry 1000");
  process.clock.advance(1s);
  process.until([&] { return starts == 2; });
  until_flushes(2);
  // A window was committed since: this is not the last attempt.
  process.until([&] { return process.recorder.last_begins("failed s/source 1 exit retry 1000"); });
  process.clock.advance(1s);
  process.until_done();
  CHECK(Harness::feed.begun == std::vector<Json>{0, 2, 4});
  CHECK(flushed == std::vector<Json>{{"0", "1"}, {"2", "3"}, {"4", "5"}, Json::array({"6"})});
  CHECK(process.finished->run.output["items"] == 7);
}

TEST_CASE_FIXTURE(Streams, "a flush that fails fails the state, after its retries, and nothing is committed") {
  on_flush = fails("exit", "exit code 1");
  count_to(2, std::nullopt);
  const run::RunState& run = run_to_end(R"(
name: s
states:
  s:
    stream:
      source: {task: feed, with: {value: "${{ cursor }}"}}
      initial: 0
      cursor: cursor + 1
      window: {count: 2}
      flush: {task: act, retry: {max: 2, delay: 0s}}
    next: done
  done: {exit: success}
)");
  CHECK(run.error["attempts"] == 3);
  CHECK(rows().size() == 4);
  CHECK(Harness::feed.ended == 1);
}

TEST_CASE_FIXTURE(Streams, "the source is not read while a flush hangs") {
  on_flush = hangs();
  count_to(100);
  begin(flow(kByTwo));
  until_flushes(1);
  turn();
  CHECK(Harness::feed.taken == 2);
}

TEST_CASE_FIXTURE(Streams, "a cancellation and a suspension flush the open window, commit it and end the run") {
  for (const bool cancel : {true, false}) {
    CAPTURE(cancel);
    flushed.clear();
    Harness::feed.taken = Harness::feed.ended = 0;
    count_to(3, std::nullopt);
    const std::string id = cancel ? "c1" : "s1";
    Harness other{store};
    other.start(flow_of(flow(kByTwo)), Json::object(), id);
    other.until([] { return Harness::feed.taken == 3; });
    other.until([&] { return flushed.size() == 1; });
    for (int turns = 0; turns < 5; ++turns) other.until([] { return true; });
    other.interrupt.raise(cancel ? run::Reason::kCancel : run::Reason::kSuspend, "SIGTERM");
    other.until_done();
    CHECK(flushed == std::vector<Json>{window({"0", "1"}, 2), window(Json::array({"2"}), 3)});
    CHECK(Harness::feed.ended == 1);
    const auto all = rows_of(store, id);
    REQUIRE(all.size() >= 4);
    CHECK(all[2].starts_with(R"(window_ended {"attempts":1,"cursor":3,"items":3,)"));
    CHECK(other.finished->run.status == (cancel ? store::Status::kCancelled : store::Status::kSuspended));
  }
}

TEST_CASE_FIXTURE(Streams, "a state's deadline and the run's timeout flush the open window first") {
  count_to(1, std::nullopt);
  begin(flow(kByTwo, "    timeout: 10s"));
  process.until([] { return Harness::feed.taken == 1; });
  process.clock.advance(10s);
  process.until_done();
  CHECK(process.finished->run.error["kind"] == "timeout");
  CHECK(flushed == std::vector<Json>{window(Json::array({"0"}), 1)});
  CHECK(rows()[2].starts_with("window_ended"));

  Harness::feed.taken = 0;
  Harness second{store};
  second.start(flow_of(flow(kByTwo, "", "timeout: 10s")), Json::object(), "r2");
  second.until([] { return Harness::feed.taken == 1; });
  second.clock.advance(10s);
  second.until_done();
  CHECK(second.finished->run.error["kind"] == "run_timeout");
  CHECK(flushed.size() == 2);
}

TEST_CASE_FIXTURE(Streams, "a flush that runs when the run is stopped ends by itself, but has only so much time") {
  std::optional<run::Timer> timer;
  on_flush = [&](model::TaskContext& context, Json) -> boost::asio::awaitable<model::Outcome> {
    timer.emplace(context.executor());
    timer->expires_after(9s);
    co_await timer->async_wait(boost::asio::use_awaitable);
    co_return model::Success{nullptr};
  };
  count_to(2, std::nullopt);
  const auto flow = flow_of(::flow(kByTwo));
  process.start(flow);
  until_flushes(1);
  process.interrupt.raise(run::Reason::kSuspend, "SIGTERM");
  turn();
  CHECK_FALSE(process.finished);
  process.clock.advance(9s);
  process.until_done();
  CHECK(rows()[2].starts_with(R"(window_ended {"attempts":1,"cursor":2,)"));
  CHECK(rows()[3] == R"(run_suspended {"reason":"SIGTERM"})");

  on_flush = hangs();
  Harness second{store};
  second.start(flow, Json::object(), "r2");
  second.until([&] { return flushed.size() == 2; });
  second.interrupt.raise(run::Reason::kSuspend, "SIGTERM");
  second.until([&, turns = 0]() mutable { return ++turns > 5; });
  CHECK_FALSE(second.finished);
  second.clock.advance(10s);
  second.until_done();
  CHECK(second.finished->run.status == store::Status::kSuspended);
  CHECK(rows_of(store, "r2")[2] == R"(run_suspended {"reason":"SIGTERM"})");
  CHECK(second.recorder.has("said s the open window was not flushed, and will be read again: it took too long"));
}

TEST_CASE_FIXTURE(Streams, "a suspension of a flush that becomes a cancellation ends it at once") {
  on_flush = hangs();
  count_to(2, std::nullopt);
  begin(flow(kByTwo));
  until_flushes(1);
  process.interrupt.raise(run::Reason::kSuspend, "SIGTERM");
  turn();
  process.interrupt.raise(run::Reason::kCancel, "by hand");
  process.until_done();
  CHECK(process.finished->run.status == store::Status::kCancelled);
}

TEST_CASE_FIXTURE(Streams, "an item whose action is cut off is not in the window that is flushed for it") {
  on_item = [this](model::TaskContext& context, Json params) -> boost::asio::awaitable<model::Outcome> {
    if (items.size() < 2) co_return model::Success{nullptr};
    auto hung = co_await hangs()(context, params);
    co_return hung;
  };
  count_to(5);
  const auto flow =
      flow_of(::flow("      window: {count: 9}\n      each: {task: act, with: {value: \"${{ item }}\"}}"));
  process.start(flow);
  process.until([&] { return items.size() == 2; });
  process.interrupt.raise(run::Reason::kSuspend, "SIGTERM");
  process.until_done();
  CHECK(flushed == std::vector<Json>{window(Json::array({"0"}), 1)});
  on_item = nullptr;
  Harness second{store};
  second.resume(flow);
  second.until_done();
  CHECK(Harness::feed.begun == std::vector<Json>{0, 1});
  CHECK(second.finished->run.output == Json{{"items", 5}, {"windows", 2}, {"cursor", 5}, {"reason", "exhausted"}});
  CHECK(items == std::vector<Json>{"0", "1", "1", "2", "3", "4"});
}

TEST_CASE_FIXTURE(Streams, "windows leave one row, however many there were, and the run goes on behind it") {
  count_to(1000, std::nullopt);
  const auto flow = flow_of(::flow("      window: {count: 1}"));
  process.start(flow);
  until_flushes(1000);
  process.interrupt.raise(run::Reason::kSuspend, "SIGTERM");
  process.until_done();
  const auto record = store.load("r1");
  CHECK(record->rows.size() == 4);
  CHECK(record->summary.rows == 1003);
  CHECK(process.finished->run.rows == 1003);
  count_to(1002);
  Harness second{store};
  second.resume(flow);
  second.until_done();
  CHECK(second.finished->run.output ==
        Json{{"items", 1002}, {"windows", 1002}, {"cursor", 1002}, {"reason", "exhausted"}});
  CHECK(second.finished->run.rows == 1008);
  const auto end = store.load("r1");
  CHECK(run::replay("r1", end->rows).rows == 1008);
  CHECK(end->rows.size() == 8);
}
