#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "workflows/keys.h"
#include "workflows/read.h"

namespace canorun::workflows {
namespace {

/// A state that is being read.
struct Draft {
  const Node& node;
  StateDef state;
};

// Shapes as bits, so that a key can say which ones it goes with.
enum : std::uint8_t { kRun = 1, kTask = 2, kTimer = 4, kRoute = 8, kExit = 16 };
constexpr std::uint8_t kActions = kRun | kTask;
constexpr std::uint8_t kGoesOn = kActions | kTimer;
constexpr std::uint8_t kEvery = kGoesOn | kRoute | kExit;

constexpr Millis kShortest{1};

constexpr std::array<Key<TimerDef>, 2> kTimerKeys{{
    {"for", [](Reader&, const Entry& e, TimerDef& d) { d.wait_for = e.value; }},
    {"until", [](Reader&, const Entry& e, TimerDef& d) { d.until = e.value; }},
}};

void read_run(Reader& reader, const Entry& entry, Draft& draft) {
  ActionDef action{.kind = entry.key, .kind_name = "shell", .params = {}, .script = entry.value, .retry = {}, .timeout = {}};
  if (!entry.value->is_scalar() || entry.value->kind == NodeKind::kNull) {
    reader.wrong_type(*entry.value, "'run'", "a shell script");
    action.kind_name = {};
  }
  draft.state.shape = std::move(action);
}

void read_task(Reader& reader, const Entry& entry, Draft& draft) {
  ActionDef action;
  action.kind = entry.value;
  action.kind_name = reader.text(*entry.value, "'task'").value_or(std::string_view());
  draft.state.shape = std::move(action);
}

void read_timer(Reader& reader, const Entry& entry, Draft& draft) {
  TimerDef timer;
  draft.state.shape = timer;
  const Node& node = *entry.value;
  if (!read_map(reader, node, *entry.key, "'timer'", kTimerKeys, timer)) return;
  if (timer.wait_for != nullptr && timer.until != nullptr) {
    reader.error(Code::kBadValue, node, "a timer waits either 'for' a time or 'until' one", "leave one of them out");
  } else if (node.map.empty()) {
    reader.error(Code::kMissingKey, *entry.key, "'timer' needs 'for' or 'until'", "for example {for: 30s}");
  } else {
    draft.state.shape = timer;
  }
}

void read_route(Reader& reader, const Entry& entry, Draft& draft) {
  draft.state.shape = RouteDef{};
  draft.state.next = read_rules(reader, entry);
}

void read_exit(Reader& reader, const Entry& entry, Draft& draft) {
  constexpr std::array<std::string_view, 2> kKinds{"success", "failure"};
  ExitDef exit;
  if (const auto kind = reader.choice(*entry.value, "'exit'", kKinds)) exit.kind = static_cast<model::ExitKind>(*kind);
  draft.state.shape = exit;
}

struct ShapeRow {
  std::string_view key;
  std::uint8_t bit;
  void (*read)(Reader&, const Entry&, Draft&);
};

constexpr std::array<ShapeRow, 5> kShapes{{
    {"run", kRun, read_run},
    {"task", kTask, read_task},
    {"timer", kTimer, read_timer},
    {"route", kRoute, read_route},
    {"exit", kExit, read_exit},
}};

/// A key beside the shape; read after it.
struct StateKey {
  std::string_view name;
  std::uint8_t shapes;
  void (*read)(Reader&, const Entry&, StateDef&);
};

template <class Shape>
Shape* shape(StateDef& state) {
  return std::get_if<Shape>(&state.shape);
}

constexpr std::array<StateKey, 8> kStateKeys{{
    {"description", kEvery,
     [](Reader& r, const Entry& e, StateDef& s) { s.description = r.text(*e.value, "'description'").value_or(""); }},
    {"next", kGoesOn, [](Reader& r, const Entry& e, StateDef& s) { s.next = read_rules(r, e); }},
    {"on_error", kGoesOn, [](Reader& r, const Entry& e, StateDef& s) { s.on_error = read_rules(r, e); }},
    {"set", kGoesOn,
     [](Reader& r, const Entry& e, StateDef& s) { s.set = r.entries(*e.value, "'set'", "a map of variable to value"); }},
    {"timeout", kGoesOn,
     [](Reader& r, const Entry& e, StateDef& s) {
       const auto timeout = r.duration(*e.value, "'timeout'", kShortest);
       auto* const action = shape<ActionDef>(s);
       (action != nullptr ? action->timeout : s.timeout) = timeout;
     }},
    {"retry", kActions,
     [](Reader& r, const Entry& e, StateDef& s) {
       if (auto* const action = shape<ActionDef>(s)) action->retry = read_retry(r, e);
     }},
    {"with", kTask,
     [](Reader& r, const Entry& e, StateDef& s) {
       auto params = r.entries(*e.value, "'with'", "a map of parameter to value");
       if (auto* const action = shape<ActionDef>(s)) action->params = std::move(params);
     }},
    {"output", kExit,
     [](Reader&, const Entry& e, StateDef& s) {
       if (auto* const exit = shape<ExitDef>(s)) exit->output = e.value;
     }},
}};

std::span<const model::Param> run_params(const Reader& reader) {
  const model::TaskKind* kind = model::find_kind(reader.catalog, "shell");
  return kind != nullptr ? kind->params : std::span<const model::Param>();
}

bool is_beside_run(const Reader& reader, std::string_view key) {
  return std::ranges::any_of(run_params(reader), [&](const model::Param& p) { return p.beside_run && p.name == key; });
}

std::vector<std::string_view> keys_with(const Reader& reader, std::uint8_t shapes) {
  std::vector<std::string_view> keys;
  for (const ShapeRow& row : kShapes) {
    if ((row.bit & shapes) != 0) keys.push_back(row.key);
  }
  for (const StateKey& key : kStateKeys) {
    if ((key.shapes & shapes) != 0) keys.push_back(key.name);
  }
  if ((shapes & kRun) != 0) {
    for (const model::Param& param : run_params(reader)) {
      if (param.beside_run) keys.push_back(param.name);
    }
  }
  return keys;
}

/// The shapes that a state names, in the order of the file.
struct Shapes {
  std::vector<const ShapeRow*> rows;
  std::vector<const Entry*> entries;
  std::uint8_t bits = 0;
};

Shapes find_shapes(const Node& node) {
  Shapes found;
  for (const Entry& entry : node.map) {
    const auto row = std::ranges::find(kShapes, std::string_view(entry.key->text), &ShapeRow::key);
    if (row == kShapes.end()) continue;
    found.rows.push_back(&*row);
    found.entries.push_back(&entry);
    found.bits |= row->bit;
  }
  return found;
}

void refuse_key(Reader& reader, const Node& key, const Shapes& shapes) {
  const std::string_view shape = shapes.rows.front()->key;
  const bool under_with = shapes.bits == kTask && is_beside_run(reader, key.text);
  reader.error(Code::kUnknownKey, key, fmt::format("'{}' does not go with '{}'", key.text, shape),
               under_with ? "put it under 'with'"
                          : fmt::format("with '{}' go: {}", shape, fmt::join(keys_with(reader, shapes.bits), ", ")));
}

/// Reads the keys beside the shape. Gives the known ones that unknown ones were meant to be; an empty one
/// for what is like none.
std::vector<std::string_view> read_keys(Reader& reader, const Shapes& shapes, Draft& draft) {
  std::vector<std::string_view> misspelt;
  const std::uint8_t bits = shapes.bits != 0 ? shapes.bits : kEvery;
  for (const Entry& entry : draft.node.map) {
    const std::string_view key = entry.key->text;
    if (std::ranges::find(kShapes, key, &ShapeRow::key) != kShapes.end()) continue;
    const auto row = std::ranges::find(kStateKeys, key, &StateKey::name);
    const bool beside_run = row == kStateKeys.end() && is_beside_run(reader, key);
    if (row != kStateKeys.end() ? (row->shapes & bits) != 0 : beside_run && (bits & kRun) != 0) {
      auto* const action = shape<ActionDef>(draft.state);
      if (!beside_run) row->read(reader, entry, draft.state);
      if (beside_run && action != nullptr) action->params.push_back(entry);
    } else if (row != kStateKeys.end() || beside_run) {
      refuse_key(reader, *entry.key, shapes);
    } else {
      Guess guess = reader.report.guess(key, keys_with(reader, shapes.bits != 0 ? shapes.bits : kEvery));
      misspelt.push_back(guess.name.value_or(std::string_view()));
      draft.state.has_unknown_keys = true;
      reader.error(Code::kUnknownKey, *entry.key,
                   fmt::format("unknown key '{}' in state '{}'", key.substr(0, 80), draft.state.text().substr(0, 80)),
                   std::move(guess.hint));
    }
  }
  return misspelt;
}

// One mistake is told once: a shape or a `next` that is misspelt is not missing as well.
void check_complete(Reader& reader, const Shapes& shapes, const std::vector<std::string_view>& misspelt, const Draft& draft) {
  const auto was_meant = [&](std::string_view key) { return std::ranges::find(misspelt, key) != misspelt.end(); };
  const StateDef& state = draft.state;
  if (shapes.rows.empty()) {
    // A key that nobody knows may have been meant as the shape.
    if (was_meant({})) return;
    if (std::ranges::any_of(kShapes, [&](const ShapeRow& row) { return was_meant(row.key); })) return;
    reader.error(Code::kMissingKey, *state.name, fmt::format("state '{}' does nothing", state.text()),
                 "it needs one of run, task, timer, route, exit");
  } else if (shapes.rows.size() > 1) {
    reader.error(Code::kBadValue, *shapes.entries[1]->key,
                 fmt::format("state '{}' has two shapes: '{}' and '{}'", state.text(), shapes.rows[0]->key, shapes.rows[1]->key),
                 "make two states of it");
  } else if ((shapes.bits & kGoesOn) != 0 && draft.node.find("next") == nullptr && !was_meant("next")) {
    reader.error(Code::kMissingKey, *state.name, fmt::format("state '{}' has no 'next'", state.text()),
                 "say which state follows, for example 'next: done'");
  }
}

}  // namespace

StateDef read_state(Reader& reader, const Entry& entry) {
  Draft draft{*entry.value, {}};
  draft.state.name = entry.key;
  if (entry.value->kind != NodeKind::kMap) {
    reader.wrong_type(*entry.value, fmt::format("state '{}'", entry.key->text.substr(0, 80)), "a map", "for example {exit: success}");
    return std::move(draft.state);
  }
  const Shapes shapes = find_shapes(draft.node);
  if (!shapes.rows.empty()) shapes.rows.front()->read(reader, *shapes.entries.front(), draft);
  const auto misspelt = read_keys(reader, shapes, draft);
  check_complete(reader, shapes, misspelt, draft);
  return std::move(draft.state);
}

}  // namespace canorun::workflows
