// Conversions between types.
#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <utility>

#include "engine/expr/functions.h"
#include "engine/expr/text.h"

namespace canorun::expr::functions {
namespace {

std::unexpected<Error> out_of_range(const Value& value, std::string_view type) {
  const std::string number = value.is(Kind::kDouble) ? format_double(value.as_double()) : "the number";
  return fail(fmt::format("{} does not fit into {}", number, type));
}

std::unexpected<Error> not_a(std::string_view text, std::string_view type, std::string hint = {}) {
  constexpr std::size_t kShown = 64;
  return fail(fmt::format("'{}' is not {}", beginning(text, kShown), type), std::move(hint));
}

// All of `text` as a whole number.
template <class Number>
std::optional<Number> parse(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// What parsing a text reads of it.
std::string_view read(Call call) {
  const std::string_view text = call[0].as_text();
  call.budget.charge_bytes(text.size());
  return text;
}

}  // namespace

Result<Value> to_bool(Call call) {
  const Value& from = call[0];
  if (from.is(Kind::kBool)) return from;
  if (!from.is(Kind::kString)) return call.mismatch();
  const std::string_view text = from.as_text();
  for (const std::string_view yes : {"1", "t", "T", "true", "TRUE", "True"}) {
    if (text == yes) return Value::boolean(true);
  }
  for (const std::string_view no : {"0", "f", "F", "false", "FALSE", "False"}) {
    if (text == no) return Value::boolean(false);
  }
  return not_a(text, "a bool");
}

Result<Value> to_bytes(Call call) {
  if (call[0].is(Kind::kBytes)) return call[0];
  if (!call[0].is(Kind::kString)) return call.mismatch();
  call.budget.charge_bytes(call[0].as_text().size());
  return Value::bytes(std::string(call[0].as_text()));
}

Result<Value> to_double(Call call) {
  const Value& from = call[0];
  switch (from.kind()) {
    case Kind::kDouble: return from;
    case Kind::kInt: return Value::floating(static_cast<double>(from.as_int()));
    case Kind::kUint: return Value::floating(static_cast<double>(from.as_uint()));
    case Kind::kString: {
      const auto number = parse_double(read(call));
      if (!number) return not_a(from.as_text(), "a double");
      return Value::floating(*number);
    }
    default: return call.mismatch();
  }
}

Result<Value> to_duration(Call call) {
  if (call[0].is(Kind::kDuration)) return call[0];
  if (!call[0].is(Kind::kString)) return call.mismatch();
  const auto length = parse_cel_duration(read(call));
  if (!length) return not_a(call[0].as_text(), "a duration", "write it like 1h30m or 1.5s");
  return Value::duration(*length);
}

Result<Value> to_int(Call call) {
  const Value& from = call[0];
  switch (from.kind()) {
    case Kind::kInt: return from;
    case Kind::kUint:
      if (!std::in_range<std::int64_t>(from.as_uint())) return out_of_range(from, "an int");
      return Value::integer(static_cast<std::int64_t>(from.as_uint()));
    case Kind::kDouble:
      // Both ends are left out, as in the reference implementation: doubles near them are not exact.
      if (!(from.as_double() > -0x1p63 && from.as_double() < 0x1p63)) return out_of_range(from, "an int");
      return Value::integer(static_cast<std::int64_t>(from.as_double()));
    case Kind::kTimestamp: return Value::integer(from.as_instant().seconds);
    case Kind::kString: {
      std::string_view text = read(call);
      if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
      const auto number = parse<std::int64_t>(text);
      if (!number) return not_a(from.as_text(), "an int");
      return Value::integer(*number);
    }
    default: return call.mismatch();
  }
}

Result<Value> to_uint(Call call) {
  const Value& from = call[0];
  switch (from.kind()) {
    case Kind::kUint: return from;
    case Kind::kInt:
      if (from.as_int() < 0) return out_of_range(from, "a uint");
      return Value::unsigned_integer(static_cast<std::uint64_t>(from.as_int()));
    case Kind::kDouble:
      if (!(from.as_double() >= 0 && from.as_double() < 0x1p64)) return out_of_range(from, "a uint");
      return Value::unsigned_integer(static_cast<std::uint64_t>(from.as_double()));
    case Kind::kString: {
      const auto number = parse<std::uint64_t>(read(call));
      if (!number) return not_a(from.as_text(), "a uint");
      return Value::unsigned_integer(*number);
    }
    default: return call.mismatch();
  }
}

Result<Value> to_string(Call call) {
  const Value& from = call[0];
  switch (from.kind()) {
    case Kind::kString: return from;
    case Kind::kBool: return Value::string(from.as_bool() ? "true" : "false");
    case Kind::kInt: return Value::string(std::to_string(from.as_int()));
    case Kind::kUint: return Value::string(std::to_string(from.as_uint()));
    case Kind::kDouble: return Value::string(format_double(from.as_double()));
    case Kind::kTimestamp: return Value::string(format_timestamp(from.as_instant()));
    case Kind::kDuration: return Value::string(format_cel_duration(from.as_instant()));
    case Kind::kBytes:
      call.budget.charge_bytes(from.as_text().size());
      if (!is_utf8(from.as_text())) return fail("the bytes are not UTF-8 text");
      return Value::string(std::string(from.as_text()));
    default: return call.mismatch();
  }
}

Result<Value> to_timestamp(Call call) {
  const Value& from = call[0];
  if (from.is(Kind::kTimestamp)) return from;
  if (from.is(Kind::kInt)) {
    const Instant instant{from.as_int(), 0};
    if (!in_timestamp_range(instant)) return fail("the timestamp is out of range");
    return Value::timestamp(instant);
  }
  if (!from.is(Kind::kString)) return call.mismatch();
  const auto instant = parse_timestamp(read(call));
  if (!instant) return not_a(from.as_text(), "a timestamp", "write it like 2026-12-01T09:00:00Z");
  return Value::timestamp(*instant);
}

}  // namespace canorun::expr::functions
