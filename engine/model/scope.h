// The names that expressions of a flow may use, and the slot of each.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "engine/expr/environment.h"
#include "engine/expr/value.h"

namespace canorun::model {

enum class Slot : std::uint8_t { kInputs, kVars, kEnv, kStates, kRun, kAction, kOutput, kError };
inline constexpr std::size_t kSlotCount = 8;
inline constexpr std::array<std::string_view, kSlotCount> kSlotNames{"inputs", "vars",   "env",    "states",
                                                                     "run",    "action", "output", "error"};

/// One value per slot; a slot that is not in scope holds null.
using Scope = std::array<expr::Value, kSlotCount>;

inline expr::Value& slot(Scope& scope, Slot name) { return scope[static_cast<std::size_t>(name)]; }

/// The environment all expressions are compiled against: the slots, in order.
const expr::Environment& environment();

}  // namespace canorun::model
