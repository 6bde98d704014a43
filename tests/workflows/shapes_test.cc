// The shapes that hold actions, and `wait`: what is compiled of them.
#include <doctest/doctest.h>

#include "workflows/flows.h"

using namespace canorun;
using namespace canorun::workflows;
using model::Slot;
using testing::evaluated;
using testing::load;
using testing::load_state;
using testing::problems;

namespace {

/// The first state's shape, of a flow without any problem.
template <class Shape>
Shape shape_of(const Loaded& loaded) {
  REQUIRE_MESSAGE(loaded.flow, problems(loaded));
  CHECK(problems(loaded) == "");
  return std::get<Shape>(loaded.flow->states.at(0).shape);
}

const std::string kInputs = "inputs: {urls: list, n: int}\n";

}  // namespace

TEST_CASE("a split of named branches keeps their order, and each branch is an action of its own") {
  const auto loaded = load_state(R"({
    split: {
      branches: {us: {run: ./fetch us, retry: 2, timeout: 3s}, eu: {task: pass, with: {value: "${{ inputs.n }}"}}},
      join: {quorum: 1},
      bulkhead: 4},
    timeout: 5s,
    next: [{when: output.succeeded > 1 && output.branches.us.output.exit_code == 0, to: done}, {to: done}]})",
                                 "defaults: {retry: 1, timeout: 9s, env: {A: b}}\n" + kInputs);
  const auto split = shape_of<model::SplitShape>(loaded);
  REQUIRE(split.branches.size() == 2);
  CHECK(split.branches[0].name == "us");
  CHECK(split.branches[0].action.kind->name == "shell");
  CHECK(*split.branches[0].action.params.literal() == Json{{"script", "./fetch us"}});
  CHECK(split.branches[0].action.retry.policy.max == 2);
  CHECK(split.branches[0].action.timeout == Millis{3'000});
  CHECK(split.branches[0].action.env.size() == 1);
  CHECK(split.branches[1].name == "eu");
  CHECK(split.branches[1].action.retry.policy.max == 1);
  CHECK(split.branches[1].action.timeout == Millis{9'000});
  CHECK(evaluated(split.branches[1].action.params, {{Slot::kInputs, {{"n", 7}}}}) == Json{{"value", 7}});
  CHECK(!split.for_each);
  CHECK(!split.each);
  CHECK(split.join.kind == policy::JoinKind::kQuorum);
  CHECK(split.join.count == 1);
  CHECK(split.bulkhead == 4);
  CHECK(loaded.flow->states[0].deadline == Millis{5'000});
}

TEST_CASE("a split for each element calls it what `as` says") {
  const auto split = shape_of<model::SplitShape>(load_state(
      R"({split: {for_each: inputs.urls, as: url, do: {task: pass, with: {value: "${{ [url, index] }}"}}}, next: done})",
      kInputs));
  CHECK(split.branches.empty());
  CHECK(evaluated(*split.for_each, {{Slot::kInputs, {{"urls", {"a"}}}}}) == Json{"a"});
  CHECK(evaluated(split.each->params, {{Slot::kItem, "u"}, {Slot::kIndex, 3}}) == Json{{"value", {"u", 3}}});
  CHECK(split.join == policy::Join{});
  CHECK(!split.bulkhead);
}

TEST_CASE("every form of join") {
  const auto join = [](const std::string& written) {
    return shape_of<model::SplitShape>(load_state("{split: {branches: {a: {run: a}, b: {run: b}, c: {run: c}}, join: " +
                                                  written + "}, timeout: 1s, next: done}"))
        .join;
  };
  using policy::Join;
  using policy::JoinKind;
  CHECK(join("all") == Join{});
  CHECK(join("any") == Join{.kind = JoinKind::kAny});
  CHECK(join("partial_timeout") == Join{.kind = JoinKind::kPartialTimeout});
  CHECK(join("{quorum: 3}") == Join{.kind = JoinKind::kQuorum, .count = 3});
  CHECK(join("{partial_results: 2}") == Join{.kind = JoinKind::kPartialResults, .count = 2});
  const auto share = [&](const std::string& written) {
    const Join made = join("{percentage: " + written + "}");
    CHECK(made.kind == JoinKind::kPercentage);
    return made.share.hundredths;
  };
  CHECK(share("75") == 7'500);
  CHECK(share("75%") == 7'500);
  CHECK(share("'33.3'") == 3'330);
  CHECK(share("33.33") == 3'333);
  CHECK(share("33.33%") == 3'333);
  CHECK(share("0.01%") == 1);
  CHECK(share("007") == 700);
  CHECK(share("100.00%") == 10'000);
}

TEST_CASE("a batch has its defaults, and every key") {
  const auto plain =
      shape_of<model::BatchShape>(load_state("{batch: {items: '[1, 2]', do: {task: pass}}, next: done}"));
  CHECK(plain.concurrency == 1);
  CHECK(plain.min_success == policy::Share{10'000});
  const auto batch = shape_of<model::BatchShape>(load_state(
      R"({batch: {items: "${{ inputs.urls }}", as: file, concurrency: 8, min_success: 90%,
          do: {run: 'convert ${{ file }} ${{ index }}', cwd: data, retry: {max: 1, when: "file != 'x' && error.kind == 'exit'"}}},
          next: [{when: "output.items[0].output.exit_code == 0", to: done}, {to: done}]})",
      kInputs));
  CHECK(evaluated(batch.items, {{Slot::kInputs, {{"urls", {1}}}}}) == Json{1});
  CHECK(batch.concurrency == 8);
  CHECK(batch.min_success == policy::Share{9'000});
  CHECK(*batch.each.params.literal() ==
        Json{{"script", "convert \"${CANORUN_V1}\" \"${CANORUN_V2}\""}, {"cwd", "data"}});
  REQUIRE(batch.each.script_values.size() == 2);
  CHECK(evaluated(batch.each.script_values[0], {{Slot::kItem, "a b"}}) == "a b");
  CHECK(evaluated(batch.each.script_values[1], {{Slot::kIndex, 5}}) == 5);
  CHECK(evaluated(*batch.each.retry.when, {{Slot::kItem, "y"}, {Slot::kError, {{"kind", "exit"}}}}) == true);
  CHECK(shape_of<model::BatchShape>(load_state("{batch: {items: '[]', min_success: 0, do: {task: pass}}, next: done}"))
            .min_success == policy::Share{0});
}

TEST_CASE("a poll asks at a fixed distance, or backs off") {
  const auto poll = shape_of<model::PollShape>(load_state(
      "{poll: {do: {task: pass, with: {value: 1}}, until: output.value == 1, every: 5s, max_errors: 3}, timeout: 30m, "
      "next: [{when: output.polls > 1 && output.value == 1, to: done}, {to: done}]}"));
  CHECK(poll.ask.kind->name == "pass");
  CHECK(evaluated(poll.until, {{Slot::kOutput, {{"value", 1}}}}) == true);
  CHECK(poll.every.backoff == policy::Backoff::kFixed);
  CHECK(poll.max_errors == 3);
  for (const std::uint32_t k : {0U, 1U, 50U}) CHECK(policy::delay_before(poll.every, k, 0.9) == Millis{5'000});
  const auto backoff = [](const std::string& written) {
    const auto made = shape_of<model::PollShape>(
        load_state("{poll: {do: {run: x}, until: true, backoff: " + written + "}, next: done}"));
    CHECK(made.every.backoff == policy::Backoff::kExponential);
    CHECK(made.max_errors == 0);
    return made.every;
  };
  const auto all = backoff("{delay: 1s, factor: 3, cap: 2m, jitter: 0.5}");
  CHECK(all.delay == Millis{1'000});
  CHECK(all.factor == 3.0);
  CHECK(all.cap == Millis{120'000});
  CHECK(all.jitter == 0.5);
  CHECK(backoff("{delay: 1s}").cap == Millis{60'000});
  CHECK(backoff("{delay: 1s}").factor == 2.0);
  CHECK(backoff("{delay: 1s}").jitter == 0.1);
  // A first delay above the default cap is meant.
  CHECK(backoff("{delay: 5m}").cap == Millis{300'000});
}

TEST_CASE("steps see the cursor and their number, and so does what comes after them") {
  const auto stepped = shape_of<model::SteppedShape>(load_state(
      R"({stepped: {initial: {page: "${{ inputs.n }}"},
          do: {run: './page.sh ${{ cursor }} ${{ step }}', parse: json},
          cursor: "step < 3 ? cursor.page + output.json.more : null"},
          next: [{when: output.steps > 1 && output.last.exit_code == 0, to: done}, {to: done}]})",
      kInputs));
  CHECK(evaluated(stepped.initial, {{Slot::kInputs, {{"n", 1}}}}) == Json{{"page", 1}});
  CHECK(evaluated(stepped.step.script_values.at(0), {{Slot::kCursor, 4}}) == 4);
  CHECK(evaluated(stepped.step.script_values.at(1), {{Slot::kStep, 2}}) == 2);
  CHECK(evaluated(stepped.cursor,
                  {{Slot::kStep, 1}, {Slot::kCursor, {{"page", 5}}}, {Slot::kOutput, {{"json", {{"more", 2}}}}}}) == 7);
  CHECK(*shape_of<model::SteppedShape>(load_state("{stepped: {do: {task: pass}, cursor: dyn(null)}, next: done}"))
             .initial.literal() == Json());
}

TEST_CASE("a stream of a command's lines") {
  const auto loaded = load_state(
      R"({stream: {source: {run: './events.sh --from ${{ cursor }}', retry: 2}, initial: 0, parse: json, as: event,
          cursor: event.offset, window: {count: 100, every: 5s},
          each: {task: pass, with: {value: "${{ [event.id, index, cursor] }}"}},
          flush: {run: ./store.sh, stdin: "${{ items }}", env: {TO: "${{ cursor }}"}},
          on_item_error: skip, stop_when: event.type == 'end'},
          next: [{when: output.items > 1 && output.windows > 1 && output.reason == 'stopped', to: done}, {to: done}]})",
      "defaults: {timeout: 9s}\n");
  const auto stream = shape_of<model::StreamShape>(loaded);
  const auto& source = std::get<model::Action>(stream.source);
  CHECK(evaluated(source.script_values.at(0), {{Slot::kCursor, 4}}) == 4);
  CHECK(source.retry.policy.max == 2);
  CHECK(!source.timeout);  // it may print for as long as it likes
  CHECK(*stream.initial.literal() == 0);
  CHECK(stream.json);
  const Json event{{"offset", 7}, {"id", "x"}, {"type", "end"}};
  CHECK(evaluated(*stream.cursor, {{Slot::kItem, event}}) == 7);
  CHECK(stream.count == 100);
  CHECK(stream.every == Millis{5'000});
  CHECK(stream.each->timeout == Millis{9'000});
  CHECK(evaluated(stream.each->params, {{Slot::kItem, event}, {Slot::kIndex, 1}, {Slot::kCursor, 6}}) ==
        Json{{"value", {"x", 1, 6}}});
  CHECK(evaluated(stream.flush.params, {{Slot::kItems, {1, 2}}, {Slot::kCursor, 7}}) ==
        Json{{"script", "./store.sh"}, {"stdin", {1, 2}}, {"env", {{"TO", 7}}}});
  CHECK(stream.on_item_error.skip);
  CHECK(!stream.on_item_error.max);
  CHECK(evaluated(*stream.stop_when, {{Slot::kItem, event}}) == true);
}

TEST_CASE("a stream of a file's lines needs no cursor") {
  const auto stream = shape_of<model::StreamShape>(
      load_state("{stream: {source: {file: '${{ inputs.n }}.log', follow: true}, window: {count: 1}, flush: {run: x}, "
                 "on_item_error: {max_errors: 3}}, next: done}",
                 kInputs));
  const auto& file = std::get<model::StreamShape::File>(stream.source);
  CHECK(evaluated(file.path, {{Slot::kInputs, {{"n", 3}}}}) == "3.log");
  CHECK(file.follow);
  CHECK(!stream.json);
  CHECK(!stream.cursor);
  CHECK(!stream.every);
  CHECK(!stream.each);
  CHECK(!stream.stop_when);
  CHECK(*stream.initial.literal() == Json());
  CHECK(stream.on_item_error.skip);
  CHECK(stream.on_item_error.max == 3);
  const auto plain = shape_of<model::StreamShape>(load_state(
      "{stream: {source: {file: a.log}, parse: text, cursor: cursor + size(item), initial: 0, window: {every: 1s}, "
      "flush: {run: x}}, next: done}"));
  CHECK(!std::get<model::StreamShape::File>(plain.source).follow);
  CHECK(!plain.on_item_error.skip);
  CHECK(!plain.count);
  CHECK(evaluated(*plain.cursor, {{Slot::kCursor, 2}, {Slot::kItem, "abc"}}) == 5);
}

TEST_CASE("a wait names its signal, and its payload is its output") {
  const auto loaded = load_state(
      "{wait: {signal: order.approved-2, type: map}, timeout: 1h, next: [{when: output.by == 'ada', to: done}, {to: "
      "done}]}");
  const auto wait = shape_of<model::WaitShape>(loaded);
  CHECK(wait.signal == "order.approved-2");
  CHECK(wait.type == model::InputType::kMap);
  CHECK(loaded.flow->states[0].deadline == Millis{3'600'000});
  CHECK(shape_of<model::WaitShape>(load_state("{wait: {signal: a}, next: done}")).type == model::InputType::kAny);
}
