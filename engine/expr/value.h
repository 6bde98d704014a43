// A CEL value: a small handle, cheap to copy, that may borrow what it shows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/value.h"

namespace canorun::expr {

class Value;

/// A map of the host's whose fields are read on demand. Values borrow it: it must outlive them.
class Object {
 public:
  virtual ~Object() = default;
  /// The field, or nothing when there is none.
  virtual std::optional<Value> get(std::string_view key) const = 0;
  virtual std::vector<std::string> keys() const = 0;
};

enum class Kind : std::uint8_t {
  kNull,
  kBool,
  kInt,
  kUint,
  kDouble,
  kString,
  kBytes,
  kList,
  kMap,
  kTimestamp,
  kDuration,
  kType,
  kOptional,
};

/// A timestamp (since 1970, UTC) or a duration: `nanos` is in [0, 10^9) and counts upwards from
/// `seconds`, also below zero.
struct Instant {
  std::int64_t seconds = 0;
  std::int32_t nanos = 0;
  auto operator<=>(const Instant&) const = default;
};

/// Immutable; copying allocates nothing. The default is null. Accessors require the kind they are
/// named for. What was read out of a borrowed value is borrowed too; out of an owned one, it keeps
/// its owner alive.
class Value {
 public:
  using Entry = std::pair<Value, Value>;

  Value() = default;

  /// Borrows: `json` must outlive the value and what is read out of it.
  static Value view(const Json& json);
  static Value view(const Json&&) = delete;
  /// Borrows: `text` (UTF-8) must outlive the value.
  static Value view_text(std::string_view text);
  static Value of(Json json);
  static Value object(const Object& object);

  static Value boolean(bool value);
  static Value integer(std::int64_t value);
  static Value unsigned_integer(std::uint64_t value);
  static Value floating(double value);
  /// UTF-8.
  static Value string(std::string text);
  static Value bytes(std::string octets);
  static Value list(std::vector<Value> elements);
  /// Nothing when a key stands there twice; keys are bool, int, uint or string.
  static std::optional<Value> map(std::vector<Entry> entries);
  static Value timestamp(Instant instant);
  static Value duration(Instant length);
  static Value type(Kind of);
  static Value optional(Value present);
  static Value none();

  Kind kind() const { return kind_; }
  bool is(Kind kind) const { return kind_ == kind; }
  bool is_null() const { return kind_ == Kind::kNull; }
  /// int, uint or double.
  bool is_number() const { return kind_ == Kind::kInt || kind_ == Kind::kUint || kind_ == Kind::kDouble; }

  bool as_bool() const { return bits_.boolean; }
  std::int64_t as_int() const { return bits_.integer; }
  std::uint64_t as_uint() const { return bits_.unsigned_integer; }
  double as_double() const { return bits_.floating; }
  /// Of a string (UTF-8) or of bytes. Valid as long as this value is.
  std::string_view as_text() const { return {static_cast<const char*>(ref_.get()), bits_.size}; }
  /// Of a timestamp or a duration.
  Instant as_instant() const { return {bits_.integer, nanos_}; }
  Kind as_type() const { return static_cast<Kind>(bits_.integer); }
  /// What an optional holds; null when it holds nothing.
  const Value* as_optional() const { return static_cast<const Value*>(ref_.get()); }

  /// The JSON that a list or map shows; null when it shows something else.
  const Json* as_json() const { return storage_ == Storage::kJson ? &json() : nullptr; }
  /// How deep lists, maps and optionals nest that expressions made; what is shown counts as 0. Saturates.
  std::size_t depth() const { return depth_; }

  /// Elements of a list, entries of a map.
  std::size_t size() const;
  /// An element of a list; `index` is below `size()`.
  Value at(std::size_t index) const;
  /// The entry of a map, or nothing. Numbers are found by value, whatever their type.
  std::optional<Value> get(const Value& key) const;
  std::optional<Value> get(std::string_view key) const;
  /// The keys of a map, in an order that stays the same.
  std::vector<Value> keys() const;

 private:
  /// Where the elements of a list or map are.
  enum class Storage : std::uint8_t { kValues, kJson, kObject };
  union Bits {
    bool boolean;
    std::int64_t integer;
    std::uint64_t unsigned_integer = 0;
    double floating;
    std::size_t size;
  };

  explicit Value(Kind kind) : kind_(kind) {}
  static Value from(std::shared_ptr<const void> owner, const Json& json);
  static Value shared(Kind kind, std::shared_ptr<const void> data, std::size_t size);
  void nest(const Value& inside);
  const Json& json() const { return *static_cast<const Json*>(ref_.get()); }
  const Object& host() const { return *static_cast<const Object*>(ref_.get()); }
  const std::vector<Value>& values() const { return *static_cast<const std::vector<Value>*>(ref_.get()); }
  const std::vector<Entry>& entries() const { return *static_cast<const std::vector<Entry>*>(ref_.get()); }

  std::shared_ptr<const void> ref_;  ///< without a control block when borrowed
  Bits bits_;
  std::int32_t nanos_ = 0;
  std::uint16_t depth_ = 0;
  Kind kind_ = Kind::kNull;
  Storage storage_ = Storage::kValues;
};

static_assert(sizeof(Value) <= 32);

/// The name for people: null bool int uint double string bytes list map timestamp duration type optional.
std::string type_name(const Value& value);
/// The name that the language gives the type: `int`, `null_type`, `google.protobuf.Timestamp`.
std::string_view type_name(Kind kind);

/// The value as JSON: times in RFC 3339, durations as seconds (`3.5s`), bytes in base64, types by
/// name, keys as text; objects are read. What JSON cannot hold (NaN, an infinity, an empty optional),
/// nesting above `kMaxJsonDepth` and more than `kMaxJsonWeight` bytes are errors.
std::expected<Json, std::string> to_json(const Value& value);

inline constexpr std::size_t kMaxJsonWeight = std::size_t{256} << 20;

}  // namespace canorun::expr
