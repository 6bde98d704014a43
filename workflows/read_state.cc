#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "workflows/keys.h"

namespace canorun::workflows {
namespace {

// Shapes as bits, so that a key can say which ones it goes with.
enum : std::uint8_t { kRun = 1, kTask = 2, kTimer = 4, kRoute = 8, kExit = 16 };
constexpr std::uint8_t kActions = kRun | kTask;
constexpr std::uint8_t kGoesOn = kActions | kTimer;
constexpr std::uint8_t kEvery = kGoesOn | kRoute | kExit;

constexpr Millis kShortest{1};

constexpr std::array kTimerKeys{
    key<TimerDef>("for", "A duration, from when the state is entered.", accept::DurationTemplate{},
                  [](TimerDef& d, const Node& duration) { d.wait_for = &duration; }),
    key<TimerDef>("until", "A time, like 2026-12-01T09:00:00+01:00.", accept::TimeTemplate{},
                  [](TimerDef& d, const Node& time) { d.until = &time; }),
};

/// A key of a state, and the shapes it goes with.
struct StateKey {
  std::uint8_t shapes;
  Key<StateDef> key;
};

constexpr std::array<StateKey, 5> kShapes{{
    {kRun,
     key<StateDef>("run", "Runs a POSIX shell script. Values put into it with ${{ }} stay values, whatever they hold.",
                   accept::Script{}, [](StateDef& s, ActionDef action) { s.shape = std::move(action); })},
    {kTask, key<StateDef>("task", "Runs a task of a kind. `canorun kinds` explains them.", accept::TaskName{},
                          [](StateDef& s, ActionDef action) { s.shape = std::move(action); })},
    {kTimer, key<StateDef>("timer", "Waits `for` a duration or `until` a time.", accept::Timer{},
                           [](StateDef& s, TimerDef timer) { s.shape = timer; })},
    {kRoute, key<StateDef>("route", "Decides where to go, and does nothing else: the first rule that holds.",
                           accept::Rules{.only_list = true},
                           [](StateDef& s, RulesDef rules) {
                             s.shape = RouteDef{};
                             s.next = std::move(rules);
                           })},
    {kExit, key<StateDef>("exit", "Ends the run: canorun then ends with 0 or 1.", accept::ExitKind{},
                          [](StateDef& s, ExitDef exit) { s.shape = exit; })},
}};

template <class Shape>
Shape* shape(StateDef& state) {
  return std::get_if<Shape>(&state.shape);
}

// Read after the shape.
constexpr std::array<StateKey, 8> kStateKeys{{
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
    {kGoesOn, key<StateDef>("timeout", "How long one attempt of a task, or a timer in all, may take.",
                            accept::Duration{kShortest},
                            [](StateDef& s, Millis timeout) {
                              auto* const action = shape<ActionDef>(s);
                              (action != nullptr ? action->timeout : s.timeout) = timeout;
                            })},
    {kActions, key<StateDef>("retry", "Attempts after one that failed: how many, `none`, or a map that says more.",
                             accept::Retry{},
                             [](StateDef& s, RetryDef retry) {
                               if (auto* const action = shape<ActionDef>(s)) action->retry = retry;
                             })},
    {kTask, key<StateDef>("with", "The task's parameters.", accept::Parameters{},
                          [](StateDef& s, std::vector<Entry> params) {
                            if (auto* const action = shape<ActionDef>(s)) action->params = std::move(params);
                          })},
    {kExit, key<StateDef>("output", "The run's output.", accept::Value{},
                          [](StateDef& s, const Node& output) {
                            if (auto* const exit = shape<ExitDef>(s)) exit->output = &output;
                          })},
}};

const StateKey* find_key(std::span<const StateKey> table, std::string_view name) {
  const auto found = std::ranges::find(table, name, [](const StateKey& row) { return row.key.name; });
  return found != table.end() ? &*found : nullptr;
}

void read_key(Reader& reader, const StateKey& row, const Entry& entry, StateDef& state) {
  row.key.read(reader, entry, row.key.accepts, state);
}

bool is_beside_run(const Reader& reader, std::string_view key) {
  return std::ranges::any_of(run_params(reader.catalog),
                             [&](const model::Param& p) { return p.beside_run && p.name == key; });
}

std::vector<std::string_view> keys_with(const Reader& reader, std::uint8_t shapes) {
  std::vector<std::string_view> keys;
  for (const std::span<const StateKey> table :
       {std::span<const StateKey>(kShapes), std::span<const StateKey>(kStateKeys)}) {
    for (const StateKey& row : table) {
      if ((row.shapes & shapes) != 0) keys.push_back(row.key.name);
    }
  }
  if ((shapes & kRun) != 0) {
    for (const model::Param& param : run_params(reader.catalog)) {
      if (param.beside_run) keys.push_back(param.name);
    }
  }
  return keys;
}

/// The shapes that a state names, in the order of the file.
struct Shapes {
  std::vector<const StateKey*> rows;
  std::vector<const Entry*> entries;
  std::uint8_t bits = 0;
};

Shapes find_shapes(const Node& node) {
  Shapes found;
  for (const Entry& entry : node.map) {
    const StateKey* const row = find_key(kShapes, entry.key->text);
    if (row == nullptr) continue;
    found.rows.push_back(row);
    found.entries.push_back(&entry);
    found.bits |= row->shapes;
  }
  return found;
}

void refuse_key(Reader& reader, const Node& key, const Shapes& shapes) {
  const std::string_view shape = shapes.rows.front()->key.name;
  const bool under_with = shapes.bits == kTask && is_beside_run(reader, key.text);
  reader.error(Code::kUnknownKey, key, fmt::format("'{}' does not go with '{}'", key.text, shape),
               under_with ? "put it under 'with'"
                          : fmt::format("with '{}' go: {}", shape, fmt::join(keys_with(reader, shapes.bits), ", ")));
}

/// Reads the keys beside the shape. Gives the known ones that unknown ones were meant to be; an empty one
/// for what is like none.
std::vector<std::string_view> read_keys(Reader& reader, const Shapes& shapes, const Node& node, StateDef& state) {
  std::vector<std::string_view> misspelt;
  const std::uint8_t bits = shapes.bits != 0 ? shapes.bits : kEvery;
  for (const Entry& entry : node.map) {
    const std::string_view key = entry.key->text;
    if (find_key(kShapes, key) != nullptr) continue;
    const StateKey* const row = find_key(kStateKeys, key);
    const bool beside_run = row == nullptr && is_beside_run(reader, key);
    if (row != nullptr ? (row->shapes & bits) != 0 : beside_run && (bits & kRun) != 0) {
      auto* const action = shape<ActionDef>(state);
      if (row != nullptr) read_key(reader, *row, entry, state);
      if (beside_run && action != nullptr) action->params.push_back(entry);
    } else if (row != nullptr || beside_run) {
      refuse_key(reader, *entry.key, shapes);
    } else {
      Guess guess = reader.report.guess(key, keys_with(reader, shapes.bits != 0 ? shapes.bits : kEvery));
      misspelt.push_back(guess.name.value_or(std::string_view()));
      state.unknown.push_back(entry.value);
      reader.error(Code::kUnknownKey, *entry.key,
                   fmt::format("unknown key '{}' in state '{}'", key.substr(0, 80), state.text().substr(0, 80)),
                   std::move(guess.hint));
    }
  }
  return misspelt;
}

// One mistake is told once: a shape or a `next` that is misspelt is not missing as well.
void check_complete(Reader& reader, const Shapes& shapes, const std::vector<std::string_view>& misspelt,
                    const Node& node, const StateDef& state) {
  const auto was_meant = [&](std::string_view key) { return std::ranges::find(misspelt, key) != misspelt.end(); };
  if (shapes.rows.empty()) {
    // A key that nobody knows may have been meant as the shape.
    if (was_meant({})) return;
    if (std::ranges::any_of(kShapes, [&](const StateKey& row) { return was_meant(row.key.name); })) return;
    reader.error(Code::kMissingKey, *state.name, fmt::format("state '{}' does nothing", state.text()),
                 "it needs one of run, task, timer, route, exit");
  } else if (shapes.rows.size() > 1) {
    reader.error(Code::kBadValue, *shapes.entries[1]->key,
                 fmt::format("state '{}' has two shapes: '{}' and '{}'", state.text(), shapes.rows[0]->key.name,
                             shapes.rows[1]->key.name),
                 "make two states of it");
  } else if ((shapes.bits & kGoesOn) != 0 && node.find("next") == nullptr && !was_meant("next")) {
    reader.error(Code::kMissingKey, *state.name, fmt::format("state '{}' has no 'next'", state.text()),
                 "say which state follows, for example 'next: done'");
  }
}

}  // namespace

std::optional<ActionDef> read_value(Reader& reader, const Entry& entry, accept::Script) {
  if (!entry.value->is_scalar() || entry.value->kind == NodeKind::kNull) {
    reader.wrong_type(*entry.value, "'run'", "a shell script");
    return std::nullopt;
  }
  return ActionDef{
      .kind = entry.key, .kind_name = "shell", .params = {}, .script = entry.value, .retry = {}, .timeout = {}};
}

std::optional<ActionDef> read_value(Reader& reader, const Entry& entry, accept::TaskName) {
  const auto name = reader.read(accept::Text{}, *entry.value, "'task'");
  if (!name) return std::nullopt;
  return ActionDef{
      .kind = entry.value, .kind_name = *name, .params = {}, .script = nullptr, .retry = {}, .timeout = {}};
}

std::optional<TimerDef> read_value(Reader& reader, const Entry& entry, accept::Timer) {
  TimerDef timer;
  const Node& node = *entry.value;
  if (!read_map(reader, node, *entry.key, "'timer'", kTimerKeys, timer)) return TimerDef{};
  if (timer.wait_for != nullptr && timer.until != nullptr) {
    reader.error(Code::kBadValue, node, "a timer waits either 'for' a time or 'until' one", "leave one of them out");
    return TimerDef{};
  }
  if (node.map.empty()) {
    reader.error(Code::kMissingKey, *entry.key, "'timer' needs 'for' or 'until'", "for example {for: 30s}");
  }
  return timer;
}

std::optional<ExitDef> read_value(Reader& reader, const Entry& entry, accept::ExitKind) {
  ExitDef exit;
  const auto kind = reader.read(accept::Choice{kExitWords}, *entry.value, "'exit'");
  if (kind) exit.kind = static_cast<model::ExitKind>(*kind);
  return exit;
}

std::optional<std::vector<Entry>> read_value(Reader& reader, const Entry& entry, accept::Settings) {
  return reader.entries(*entry.value, quoted(entry), "a map of variable to value");
}

std::optional<std::vector<Entry>> read_value(Reader& reader, const Entry& entry, accept::Parameters) {
  return reader.entries(*entry.value, quoted(entry), "a map of parameter to value");
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
  const Shapes shapes = find_shapes(node);
  if (!shapes.rows.empty()) read_key(reader, *shapes.rows.front(), *shapes.entries.front(), state);
  const auto misspelt = read_keys(reader, shapes, node, state);
  check_complete(reader, shapes, misspelt, node, state);
  return state;
}

std::span<const model::Param> run_params(model::Catalog catalog) {
  const model::TaskKind* kind = model::find_kind(catalog, "shell");
  return kind != nullptr ? kind->params : std::span<const model::Param>();
}

std::vector<KeyInfo> timer_keys() { return infos(kTimerKeys); }

std::vector<ShapeInfo> shape_keys() {
  std::vector<ShapeInfo> shapes;
  for (const StateKey& shape : kShapes) {
    ShapeInfo& info = shapes.emplace_back(ShapeInfo{shape.key, {}});
    for (const StateKey& row : kStateKeys) {
      if ((row.shapes & shape.shapes) != 0) info.beside.push_back(row.key);
    }
  }
  return shapes;
}

}  // namespace canorun::workflows
