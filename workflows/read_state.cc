#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <utility>

#include "workflows/action_keys.h"

namespace canorun::workflows {
namespace {

/// A state that is an action has the action's keys.
template <const auto& kTable, std::size_t kRow>
constexpr ShapedKey<StateDef> of_action() {
  const ShapedKey<ActionDef>& row = kTable[kRow];
  return {row.shapes, {{row.key}, [](Reader& reader, const Entry& entry, const Accept& accepts, StateDef& state) {
                         ActionDef action;
                         if (ActionDef* const known = action_in(state)) action = std::move(*known);
                         kTable[kRow].key.read(reader, entry, accepts, action);
                         if (action.kind != nullptr) state.shape = std::move(action);
                       }}};
}

/// A shape that is read as a whole.
template <class Type, class Def>
constexpr ShapedKey<StateDef> shape(ShapeBits bit, std::string_view name, std::string_view doc,
                                    std::string_view actions = {}) {
  return {bit, key<StateDef>(name, doc, Type{}, [](StateDef& s, Def def) { s.shape = std::move(def); }), actions};
}

constexpr std::array<ShapedKey<StateDef>, 11> kShapes{{
    of_action<kActionShapes, 0>(),
    of_action<kActionShapes, 1>(),
    shape<accept::Split, SplitDef>(kSplit, "split", "Runs branches side by side, then joins them.",
                                   "'do', or in a branch"),
    shape<accept::Batch, BatchDef>(kBatch, "batch", "Runs one action for every element of a list.", "'do'"),
    shape<accept::Poll, PollDef>(kPoll, "poll", "Asks again and again, until the answer will do.", "'do'"),
    shape<accept::Timer, TimerDef>(kTimer, "timer", "Waits `for` a duration or `until` a time."),
    shape<accept::Stepped, SteppedDef>(
        kStepped, "stepped", "Goes on in steps, and remembers after each of them how far it has come.", "'do'"),
    shape<accept::Stream, StreamDef>(kStream, "stream", "Reads lines without an end, window by window.",
                                     "'source', 'each' or 'flush'"),
    shape<accept::Wait, WaitDef>(kWait, "wait", "Waits until `canorun signal` says so."),
    {kRoute, key<StateDef>("route", "Decides where to go, and does nothing else: the first rule that holds.",
                           accept::Rules{.only_list = true},
                           [](StateDef& s, RulesDef rules) {
                             s.shape = RouteDef{};
                             s.next = std::move(rules);
                           })},
    shape<accept::ExitKind, ExitDef>(kExit, "exit", "Ends the run; `rollback` undoes what it did first."),
}};

// Read after the shape.
constexpr std::array<ShapedKey<StateDef>, 12> kStateKeys{{
    {kEvery, key<StateDef>("description", "What the state is for.", accept::Text{},
                           [](StateDef& s, std::string_view text) { s.description = text; })},
    {kGoesOn, key<StateDef>(
                  "next", "The state that follows, or rules: the first whose `when` holds.", accept::Rules{},
                  [](StateDef& s, RulesDef rules) { s.next = std::move(rules); }, kRequired)},
    {kGoesOn,
     key<StateDef>("on_error",
                   "The state that follows a failure, or rules with `error` in scope. Otherwise the run fails.",
                   accept::Rules{}, [](StateDef& s, RulesDef rules) { s.on_error = std::move(rules); })},
    {kGoesOn, key<StateDef>("set", "Variables and their new values, after success and before `next` is decided.",
                            accept::Settings{}, [](StateDef& s, std::vector<Entry> set) { s.set = std::move(set); })},
    of_action<kUndoableActionKeys, 0>(),
    {kGoesOn & ~kActions,
     key<StateDef>("timeout", "How long the state may take in all, from when it was first entered.",
                   accept::Duration{kShortest}, [](StateDef& s, Millis timeout) { s.timeout = timeout; })},
    of_action<kUndoableActionKeys, 1>(),
    of_action<kUndoableActionKeys, 2>(),
    of_action<kUndoableActionKeys, 3>(),
    of_action<kUndoableActionKeys, 4>(),
    of_action<kUndoableActionKeys, 5>(),
    {kExit, key<StateDef>("output", "The run's output.", accept::Value{},
                          [](StateDef& s, const Node& output) {
                            if (auto* const exit = std::get_if<ExitDef>(&s.shape)) exit->output = &output;
                          })},
}};

// One mistake is told once: a shape or a `next` that is misspelt is not missing as well.
void check_complete(Reader& reader, const ShapedMap<StateDef>& map, const Node& node, const StateDef& state) {
  const auto& shapes = map.shapes();
  if (shapes.empty()) {
    std::vector<std::string_view> words;
    for (const auto& row : kShapes) words.push_back(row.key.name);
    // A key that nobody knows may have been meant as the shape.
    if (map.was_meant({}) || std::ranges::any_of(words, [&](std::string_view word) { return map.was_meant(word); }))
      return;
    reader.error(Code::kMissingKey, *state.name, fmt::format("state '{}' does nothing", state.text()),
                 fmt::format("it needs one of {}", fmt::join(words, ", ")));
  } else if (shapes.size() > 1) {
    reader.error(
        Code::kBadValue, *shapes[1].entry->key,
        fmt::format("state '{}' has two shapes: '{}' and '{}'", state.text(), shapes[0].name(), shapes[1].name()),
        "make two states of it");
  } else if ((map.bits() & kGoesOn) != 0 && node.find("next") == nullptr && !map.was_meant("next")) {
    reader.error(Code::kMissingKey, *state.name, fmt::format("state '{}' has no 'next'", state.text()),
                 "say which state follows, for example 'next: done'");
  }
}

}  // namespace

std::optional<ExitDef> read_value(Reader& reader, const Entry& entry, accept::ExitKind) {
  ExitDef exit;
  const auto kind = reader.read(accept::Choice{kExitWords}, *entry.value, "'exit'");
  if (kind) exit.kind = static_cast<model::ExitKind>(*kind);
  return exit;
}

std::optional<std::vector<Entry>> read_value(Reader& reader, const Entry& entry, accept::Settings) {
  return reader.entries(*entry.value, quoted(entry), "a map of variable to value");
}

StateDef read_state(Reader& reader, const Entry& entry) {
  StateDef state;
  state.name = entry.key;
  const Node& node = *entry.value;
  if (node.kind != NodeKind::kMap) {
    reader.wrong_type(node, fmt::format("state '{}'", entry.key->text.substr(0, 80)), "a map",
                      "for example {exit: success}");
    return state;
  }
  ShapedMap<StateDef> map(reader, node, kShapes, kStateKeys);
  map.read(fmt::format("state '{}'", state.text().substr(0, 80)), state);
  check_complete(reader, map, node, state);
  if (const auto* const split = std::get_if<SplitDef>(&state.shape)) {
    check_join(reader, *split, node.find("timeout") != nullptr || !state.unknown.empty());
  }
  return state;
}

std::span<const model::Param> run_params(model::Catalog catalog) {
  const model::TaskKind* kind = model::find_kind(catalog, "shell");
  return kind != nullptr ? kind->params : std::span<const model::Param>();
}

std::vector<ShapeInfo> shape_keys() { return shape_infos<StateDef>(kShapes, kStateKeys); }

}  // namespace canorun::workflows
