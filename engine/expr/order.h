// Equality and order of values, across the number types.
#pragma once

#include <compare>
#include <optional>

#include "engine/expr/budget.h"
#include "engine/expr/value.h"

namespace canorun::expr {

/// CEL's `==`: numbers by value whatever their type, lists and maps by content, values of different
/// types unequal. What it looks at is charged; once `budget` is spent the answer means nothing.
bool equal(const Value& a, const Value& b, Budget& budget);

/// CEL's `<` and its kin: nothing for types that have no order between them. Unordered with NaN.
std::optional<std::partial_ordering> compare(const Value& a, const Value& b);

/// Accounts for looking `key` up: long keys that begin alike are compared to their ends.
void charge_lookup(const Value& map, const Value& key, Budget& budget);

/// A total order of map keys (bool, int, uint, string), numbers by value.
bool key_less(const Value& a, const Value& b);

}  // namespace canorun::expr
