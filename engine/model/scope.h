// The names that expressions of a flow may use, and the slot of each.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "engine/expr/environment.h"
#include "engine/expr/value.h"

namespace canorun::model {

enum class Slot : std::uint8_t {
  kInputs,
  kVars,
  kEnv,
  kStates,
  kRun,
  kAction,
  kOutput,
  kError,
  kItem,    ///< or what `as` calls it
  kIndex,   ///< of the item, from 0
  kCursor,  ///< where a stepped loop or a stream is
  kStep,    ///< of a stepped loop, from 0
  kItems,   ///< of a stream's window
};
inline constexpr std::size_t kSlotCount = 13;
inline constexpr std::array<std::string_view, kSlotCount> kSlotNames{
    "inputs", "vars", "env", "states", "run", "action", "output", "error", "item", "index", "cursor", "step", "items"};

constexpr std::string_view slot_name(Slot name) { return kSlotNames[static_cast<std::size_t>(name)]; }

/// One value per slot; a slot that is not in scope holds null.
using Scope = std::array<expr::Value, kSlotCount>;

inline expr::Value& slot(Scope& scope, Slot name) { return scope[static_cast<std::size_t>(name)]; }

/// The environment that expressions are compiled against: the slots, in order. Those that only some shapes
/// bring, from `item` on, are not suggested.
const expr::Environment& environment();

/// The same inside a shape, with this name for `item`.
expr::Environment environment_with(std::string_view item);

}  // namespace canorun::model
