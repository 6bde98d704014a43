#include "engine/expr/access.h"

#include <fmt/format.h>

#include <optional>
#include <utility>
#include <vector>

#include "engine/base/suggest.h"
#include "engine/expr/order.h"

namespace canorun::expr {
namespace {

// A hint compares the keys with what was wanted; above so many comparisons of characters there is none.
constexpr std::size_t kMostWorkForHint = 1 << 16;

using Found = Result<std::optional<Value>>;

std::string field_hint(const Value& map, std::string_view name, Budget& budget) {
  if (map.size() * name.size() > kMostWorkForHint) return {};
  const std::vector<Value> keys = map.keys();
  std::vector<std::string_view> names;
  std::size_t work = 0;
  for (const Value& key : keys) {
    if (!key.is(Kind::kString)) continue;
    names.push_back(key.as_text());
    work += names.back().size() * name.size();
  }
  if (work > kMostWorkForHint || !budget.charge_bytes(work)) return {};
  return suggestion(name, names);
}

std::string key_text(const Value& key) {
  if (key.is(Kind::kString)) return fmt::format("'{}'", key.as_text());
  const auto json = to_json(key);
  return json ? to_json_text(*json) : type_name(key);
}

std::unexpected<Error> no_field(const Value& map, std::string_view name, Budget& budget) {
  constexpr std::size_t kShown = 64;
  return fail(fmt::format("no field '{}'", beginning(name, kShown)), field_hint(map, name, budget));
}

std::string described(const Value& value) { return value.is_null() ? "null" : "a value of type " + type_name(value); }

// The position a key has in a list; nothing when it is no whole number or past the end.
std::optional<std::size_t> position(const Value& list, const Value& key) {
  std::uint64_t index = 0;
  if (key.is(Kind::kUint)) {
    index = key.as_uint();
  } else if (key.is(Kind::kInt) && key.as_int() >= 0) {
    index = static_cast<std::uint64_t>(key.as_int());
  } else if (key.is(Kind::kDouble) && key.as_double() >= 0 && key.as_double() < 0x1p53) {
    index = static_cast<std::uint64_t>(key.as_double());
    if (static_cast<double>(index) != key.as_double()) return std::nullopt;
  } else {
    return std::nullopt;
  }
  if (index >= list.size()) return std::nullopt;
  return static_cast<std::size_t>(index);
}

// What stands at `key`, or nothing; an error when `target` and `key` do not go together.
Found find(const Value& target, const Value& key, Budget& budget) {
  if (target.is(Kind::kMap)) {
    charge_lookup(target, key, budget);
    if (key.is_number() || key.is(Kind::kBool) || key.is(Kind::kString)) return target.get(key);
    return fail(fmt::format("a map has no keys of type {}", type_name(key)));
  }
  if (target.is(Kind::kList)) {
    if (!key.is_number()) return fail(fmt::format("a list is indexed by an int, not by {}", described(key)));
    const auto at = position(target, key);
    return at ? std::optional<Value>(target.at(*at)) : std::nullopt;
  }
  return fail(fmt::format("cannot index {}", described(target)));
}

Value as_optional(std::optional<Value> found) { return found ? Value::optional(std::move(*found)) : Value::none(); }

}  // namespace

Result<Value> read_field(const Value& target, const Field& field, Budget& budget) {
  const bool implicit = target.is(Kind::kOptional);
  if (implicit && target.as_optional() == nullptr) return field.test ? Value::boolean(false) : Value::none();
  const Value& map = implicit ? *target.as_optional() : target;
  std::optional<Value> found;
  if (map.is(Kind::kMap)) {
    found = map.get(field.name);
  } else if (!map.is_null() || !(field.optional || field.test)) {
    return fail(fmt::format("cannot read '{}' of {}", field.name, described(map)));
  }
  if (field.test) return Value::boolean(found.has_value());
  if (implicit || field.optional) return as_optional(std::move(found));
  if (!found) return no_field(map, field.name, budget);
  return std::move(*found);
}

Result<Value> read_index(const Value& target, const Value& key, bool optional, Budget& budget) {
  const bool implicit = target.is(Kind::kOptional);
  if (implicit && target.as_optional() == nullptr) return Value::none();
  const Value& container = implicit ? *target.as_optional() : target;
  if (optional && container.is_null()) return Value::none();
  auto found = find(container, key, budget);
  if (!found) return std::unexpected(std::move(found.error()));
  if (implicit || optional) return as_optional(std::move(*found));
  if (*found) return std::move(**found);
  if (container.is(Kind::kList)) {
    return fail(fmt::format("index {} is out of range", key_text(key)),
                fmt::format("the list has {} element{}", container.size(), container.size() == 1 ? "" : "s"));
  }
  if (key.is(Kind::kString)) return no_field(container, key.as_text(), budget);
  return fail(fmt::format("no key {}", key_text(key)));
}

}  // namespace canorun::expr
