// Maps of which one key, the shape, says what may stand beside it: a state, an action inside a shape.
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "workflows/keys.h"

namespace canorun::workflows {

/// Shapes as bits, so that a key can say which ones it goes with.
using ShapeBits = std::uint16_t;

enum : ShapeBits {
  kRun = 1 << 0,
  kTask = 1 << 1,
  kSplit = 1 << 2,
  kBatch = 1 << 3,
  kPoll = 1 << 4,
  kTimer = 1 << 5,
  kStepped = 1 << 6,
  kStream = 1 << 7,
  kWait = 1 << 8,
  kRoute = 1 << 9,
  kExit = 1 << 10,
};
inline constexpr ShapeBits kActions = kRun | kTask;
inline constexpr ShapeBits kHolders = kSplit | kBatch | kPoll | kStepped | kStream;  ///< of actions
inline constexpr ShapeBits kUndoable = kActions | kSplit | kBatch;                   ///< actions, and holders of them
inline constexpr ShapeBits kGoesOn = kActions | kHolders | kTimer | kWait;
inline constexpr ShapeBits kEvery = kGoesOn | kRoute | kExit;

/// A key that not every action has, and where it goes.
inline constexpr std::string_view kCompensate = "compensate";
inline constexpr std::string_view kCompensateGoes =
    "it goes with 'run' and 'task' states, the branches of a split, and the 'do' of a split or a batch";

/// A key and the shapes it goes with. A name may stand twice, with other shapes.
template <class Target>
struct ShapedKey {
  ShapeBits shapes;
  Key<Target> key;
  /// Of the shape: where the actions stand that are inside it, for messages.
  std::string_view actions = {};
};

inline bool is_beside_run(const Reader& reader, std::string_view key) {
  return std::ranges::any_of(run_params(reader.catalog),
                             [&](const model::Param& param) { return param.beside_run && param.name == key; });
}

/// What a parameter beside `run` goes to.
inline ActionDef* action_in(ActionDef& action) { return &action; }
inline ActionDef* action_in(StateDef& state) { return std::get_if<ActionDef>(&state.shape); }

/// Notes a key that nobody knows, which was reported.
inline void note_unknown(ActionDef& action, const Node&) { action.guessed = true; }
inline void note_unknown(StateDef& state, const Node& value) {
  state.unknown.push_back(&value);
  if (ActionDef* const action = action_in(state)) action->guessed = true;
}

/// Reads such a map into a `StateDef` or an `ActionDef`.
template <class Target>
class ShapedMap {
 public:
  using Rows = std::span<const ShapedKey<Target>>;
  struct Shape {
    const ShapedKey<Target>* row;
    const Entry* entry;
    std::string_view name() const { return row->key.name; }
  };

  ShapedMap(Reader& reader, const Node& node, Rows shapes, Rows keys)
      : reader_(reader), node_(node), shape_rows_(shapes), key_rows_(keys) {
    for (const Entry& entry : node.map) {
      const auto* const row = find(shape_rows_, entry.key->text);
      if (row == nullptr) continue;
      shapes_.push_back({row, &entry});
      bits_ |= row->shapes;
    }
  }

  /// In the order of the file; there should be one.
  const std::vector<Shape>& shapes() const { return shapes_; }
  ShapeBits bits() const { return bits_; }

  /// Reads the first shape, then what stands beside it. `what` is how messages call the map.
  void read(std::string_view what, Target& target) {
    if (!shapes_.empty()) read_key(*shapes_.front().row, *shapes_.front().entry, target);
    for (const Entry& entry : node_.map) {
      if (find(shape_rows_, entry.key->text) == nullptr) read_beside(entry, what, target);
    }
  }

  /// A key that is not known was meant as this one; as an empty one: it is like none.
  bool was_meant(std::string_view key) const { return std::ranges::find(misspelt_, key) != misspelt_.end(); }

 private:
  // Where a name stands twice, the row that goes with the shape.
  const ShapedKey<Target>* find(Rows rows, std::string_view name) const {
    const ShapedKey<Target>* found = nullptr;
    for (const ShapedKey<Target>& row : rows) {
      if (row.key.name == name && (found == nullptr || (row.shapes & bits_) != 0)) found = &row;
    }
    return found;
  }

  void read_key(const ShapedKey<Target>& row, const Entry& entry, Target& target) {
    row.key.read(reader_, entry, row.key.accepts, target);
  }

  void read_beside(const Entry& entry, std::string_view what, Target& target) {
    const std::string_view key = entry.key->text;
    const ShapeBits bits = taken_as();
    const auto* const row = find(key_rows_, key);
    const bool beside_run = row == nullptr && is_beside_run(reader_, key);
    if (row != nullptr ? (row->shapes & bits) != 0 : beside_run && (bits & kRun) != 0) {
      if (row != nullptr) return read_key(*row, entry, target);
      if (ActionDef* const action = action_in(target)) action->params.push_back(entry);
    } else if (row != nullptr || beside_run) {
      refuse(*entry.key, beside_run || (row->shapes & kActions) != 0);
    } else {
      Guess guess = reader_.report.guess(key, keys_with(bits));
      misspelt_.push_back(guess.name.value_or(std::string_view()));
      note_unknown(target, *entry.value);
      if (key == kCompensate) guess.hint = kCompensateGoes;
      reader_.error(Code::kUnknownKey, *entry.key, fmt::format("unknown key '{}' in {}", key.substr(0, 80), what),
                    std::move(guess.hint));
    }
  }

  void refuse(const Node& key, bool of_action) {
    const ShapedKey<Target>& shape = *shapes_.front().row;
    std::string hint;
    if (bits_ == kTask && is_beside_run(reader_, key.text)) {
      hint = "put it under 'with'";
    } else if (key.text == kCompensate && (bits_ & kUndoable) == 0) {
      hint = kCompensateGoes;
    } else if (of_action && !shape.actions.empty()) {
      hint = fmt::format("put it under {}", shape.actions);
    } else {
      hint = fmt::format("with '{}' go: {}", shape.key.name, fmt::join(keys_with(bits_), ", "));
    }
    reader_.error(Code::kUnknownKey, key, fmt::format("'{}' does not go with '{}'", key.text, shape.key.name),
                  std::move(hint));
  }

  std::vector<std::string_view> keys_with(ShapeBits shapes) const {
    std::vector<std::string_view> keys;
    const auto add = [&](std::string_view name) {
      if (std::ranges::find(keys, name) == keys.end()) keys.push_back(name);
    };
    for (const Rows rows : {shape_rows_, key_rows_}) {
      for (const ShapedKey<Target>& row : rows) {
        if ((row.shapes & shapes) != 0) add(row.key.name);
      }
    }
    if ((shapes & kRun) == 0) return keys;
    for (const model::Param& param : run_params(reader_.catalog)) {
      if (param.beside_run) add(param.name);
    }
    return keys;
  }

  // Without a shape any may have been meant.
  ShapeBits taken_as() const { return bits_ != 0 ? bits_ : kEvery; }

  Reader& reader_;
  const Node& node_;
  Rows shape_rows_, key_rows_;
  std::vector<Shape> shapes_;
  ShapeBits bits_ = 0;
  std::vector<std::string_view> misspelt_;
};

/// What the tables say, shape by shape.
template <class Target>
std::vector<ShapeInfo> shape_infos(std::span<const ShapedKey<Target>> shapes, std::span<const ShapedKey<Target>> keys) {
  std::vector<ShapeInfo> infos;
  for (const ShapedKey<Target>& shape : shapes) {
    ShapeInfo& info = infos.emplace_back(ShapeInfo{shape.key, {}});
    for (const ShapedKey<Target>& row : keys) {
      if ((row.shapes & shape.shapes) != 0) info.beside.push_back(row.key);
    }
  }
  return infos;
}

}  // namespace canorun::workflows
