#include "engine/expr/value.h"

#include <algorithm>
#include <array>
#include <limits>

#include "engine/expr/order.h"

namespace canorun::expr {
namespace {

constexpr std::array<std::string_view, 13> kTypeNames{
    "null_type",
    "bool",
    "int",
    "uint",
    "double",
    "string",
    "bytes",
    "list",
    "map",
    "google.protobuf.Timestamp",
    "google.protobuf.Duration",
    "type",
    "optional_type",
};
constexpr std::array<std::string_view, 13> kPlainNames{
    "null", "bool", "int",       "uint",     "double", "string",   "bytes",
    "list", "map",  "timestamp", "duration", "type",   "optional",
};

bool key_before(const Value::Entry& a, const Value::Entry& b) { return key_less(a.first, b.first); }

// Map keys are int, uint, bool and string; a double finds the integer it is equal to.
std::optional<Value> as_key(const Value& key) {
  if (key.is(Kind::kInt) || key.is(Kind::kUint) || key.is(Kind::kBool) || key.is(Kind::kString)) return key;
  if (!key.is(Kind::kDouble)) return std::nullopt;
  const double number = key.as_double();
  if (number >= -0x1p63 && number < 0x1p63) {
    const auto whole = static_cast<std::int64_t>(number);
    if (static_cast<double>(whole) == number) return Value::integer(whole);
  } else if (number >= 0x1p63 && number < 0x1p64) {
    return Value::unsigned_integer(static_cast<std::uint64_t>(number));
  }
  return std::nullopt;
}

}  // namespace

Value Value::from(std::shared_ptr<const void> owner, const Json& json) {
  switch (json.type()) {
    case Json::value_t::null:
    case Json::value_t::discarded: return {};
    case Json::value_t::boolean: return boolean(*json.get_ptr<const Json::boolean_t*>());
    case Json::value_t::number_integer: return integer(*json.get_ptr<const Json::number_integer_t*>());
    case Json::value_t::number_unsigned: {
      const std::uint64_t number = *json.get_ptr<const Json::number_unsigned_t*>();
      if (!std::in_range<std::int64_t>(number)) return unsigned_integer(number);
      return integer(static_cast<std::int64_t>(number));
    }
    case Json::value_t::number_float: return floating(*json.get_ptr<const Json::number_float_t*>());
    case Json::value_t::string: {
      const auto& text = *json.get_ptr<const Json::string_t*>();
      return shared(Kind::kString, std::shared_ptr<const void>(std::move(owner), text.data()), text.size());
    }
    case Json::value_t::binary: {
      const auto& octets = json.get_binary();
      return shared(Kind::kBytes, std::shared_ptr<const void>(std::move(owner), octets.data()), octets.size());
    }
    case Json::value_t::array:
    case Json::value_t::object: break;
  }
  Value value(json.is_array() ? Kind::kList : Kind::kMap);
  value.ref_ = std::shared_ptr<const void>(std::move(owner), &json);
  value.storage_ = Storage::kJson;
  return value;
}

Value Value::shared(Kind kind, std::shared_ptr<const void> data, std::size_t size) {
  Value value(kind);
  value.ref_ = std::move(data);
  value.bits_.size = size;
  return value;
}

Value Value::view(const Json& json) { return from(nullptr, json); }

Value Value::view_text(std::string_view text) {
  return shared(Kind::kString, std::shared_ptr<const void>(std::shared_ptr<const void>(), text.data()), text.size());
}

Value Value::of(Json json) {
  const auto owner = std::make_shared<const Json>(std::move(json));
  return from(owner, *owner);
}

Value Value::object(const Object& object) {
  Value value(Kind::kMap);
  value.ref_ = std::shared_ptr<const void>(std::shared_ptr<const void>(), &object);
  value.storage_ = Storage::kObject;
  return value;
}

Value Value::boolean(bool value) {
  Value made(Kind::kBool);
  made.bits_.boolean = value;
  return made;
}

Value Value::integer(std::int64_t value) {
  Value made(Kind::kInt);
  made.bits_.integer = value;
  return made;
}

Value Value::unsigned_integer(std::uint64_t value) {
  Value made(Kind::kUint);
  made.bits_.unsigned_integer = value;
  return made;
}

Value Value::floating(double value) {
  Value made(Kind::kDouble);
  made.bits_.floating = value;
  return made;
}

Value Value::string(std::string text) {
  const auto owner = std::make_shared<const std::string>(std::move(text));
  return shared(Kind::kString, std::shared_ptr<const void>(owner, owner->data()), owner->size());
}

Value Value::bytes(std::string octets) {
  Value made = string(std::move(octets));
  made.kind_ = Kind::kBytes;
  return made;
}

// Makes this a level deeper than what is inside of it.
void Value::nest(const Value& inside) {
  constexpr std::uint16_t kDeepest = std::numeric_limits<std::uint16_t>::max();
  const int deeper = std::min(inside.depth_ + 1, int{kDeepest});
  depth_ = static_cast<std::uint16_t>(std::max(int{depth_}, deeper));
}

Value Value::list(std::vector<Value> elements) {
  Value made(Kind::kList);
  for (const Value& element : elements) made.nest(element);
  made.ref_ = std::make_shared<const std::vector<Value>>(std::move(elements));
  return made;
}

std::optional<Value> Value::map(std::vector<Entry> entries) {
  std::sort(entries.begin(), entries.end(), key_before);
  const auto same = [](const Entry& a, const Entry& b) { return !key_before(a, b); };
  if (std::adjacent_find(entries.begin(), entries.end(), same) != entries.end()) return std::nullopt;
  Value made(Kind::kMap);
  for (const Entry& entry : entries) made.nest(entry.second);
  made.ref_ = std::make_shared<const std::vector<Entry>>(std::move(entries));
  return made;
}

Value Value::timestamp(Instant instant) {
  Value made(Kind::kTimestamp);
  made.bits_.integer = instant.seconds;
  made.nanos_ = instant.nanos;
  return made;
}

Value Value::duration(Instant length) {
  Value made = timestamp(length);
  made.kind_ = Kind::kDuration;
  return made;
}

Value Value::type(Kind of) {
  Value made(Kind::kType);
  made.bits_.integer = static_cast<std::int64_t>(of);
  return made;
}

Value Value::optional(Value present) {
  Value made(Kind::kOptional);
  made.nest(present);
  made.ref_ = std::make_shared<const Value>(std::move(present));
  return made;
}

Value Value::none() { return Value(Kind::kOptional); }

std::size_t Value::size() const {
  switch (storage_) {
    case Storage::kJson: return json().size();
    case Storage::kObject: return host().keys().size();
    case Storage::kValues: break;
  }
  return kind_ == Kind::kList ? values().size() : entries().size();
}

Value Value::at(std::size_t index) const {
  return storage_ == Storage::kJson ? from(ref_, json()[index]) : values()[index];
}

std::optional<Value> Value::get(std::string_view key) const {
  switch (storage_) {
    case Storage::kJson: {
      const auto& object = json().get_ref<const Json::object_t&>();
      const auto found = object.find(key);
      if (found == object.end()) return std::nullopt;
      return from(ref_, found->second);
    }
    case Storage::kObject: return host().get(key);
    case Storage::kValues: break;
  }
  return get(view_text(key));
}

std::optional<Value> Value::get(const Value& key) const {
  if (storage_ != Storage::kValues) {
    if (!key.is(Kind::kString)) return std::nullopt;
    return get(key.as_text());
  }
  const auto wanted = as_key(key);
  if (!wanted) return std::nullopt;
  const auto& all = entries();
  const auto found = std::lower_bound(all.begin(), all.end(), *wanted,
                                      [](const Entry& entry, const Value& k) { return key_less(entry.first, k); });
  if (found == all.end() || key_less(*wanted, found->first)) return std::nullopt;
  return found->second;
}

std::vector<Value> Value::keys() const {
  std::vector<Value> all;
  switch (storage_) {
    case Storage::kJson:
      for (const auto& [key, value] : json().get_ref<const Json::object_t&>()) {
        all.push_back(shared(Kind::kString, std::shared_ptr<const void>(ref_, key.data()), key.size()));
      }
      break;
    case Storage::kObject:
      for (auto& key : host().keys()) all.push_back(string(std::move(key)));
      break;
    case Storage::kValues:
      for (const auto& entry : entries()) all.push_back(entry.first);
      break;
  }
  return all;
}

std::string type_name(const Value& value) { return std::string(kPlainNames[static_cast<std::size_t>(value.kind())]); }

std::string_view type_name(Kind kind) { return kTypeNames[static_cast<std::size_t>(kind)]; }

}  // namespace canorun::expr
