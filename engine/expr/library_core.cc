// Sizes, types, optionals, base64.
#include "engine/base/source.h"
#include "engine/expr/functions.h"
#include "engine/expr/text.h"

namespace canorun::expr::functions {
namespace {

// What `optional.ofNonZeroValue` takes for nothing.
bool is_zero(const Value& value) {
  switch (value.kind()) {
    case Kind::kNull: return true;
    case Kind::kBool: return !value.as_bool();
    case Kind::kInt: return value.as_int() == 0;
    case Kind::kUint: return value.as_uint() == 0;
    case Kind::kDouble: return value.as_double() == 0;
    case Kind::kString:
    case Kind::kBytes: return value.as_text().empty();
    case Kind::kList:
    case Kind::kMap: return value.size() == 0;
    case Kind::kTimestamp:
    case Kind::kDuration: return value.as_instant() == Instant{};
    case Kind::kType: return false;
    case Kind::kOptional: return value.as_optional() == nullptr;
  }
  return false;
}

}  // namespace

Result<Value> size(Call call) {
  switch (call[0].kind()) {
    case Kind::kString:
      call.budget.charge_bytes(call[0].as_text().size());
      return Value::integer(count_characters(call[0].as_text()));
    case Kind::kBytes: return Value::integer(static_cast<std::int64_t>(call[0].as_text().size()));
    case Kind::kList:
    case Kind::kMap: return Value::integer(static_cast<std::int64_t>(call[0].size()));
    default: return call.mismatch();
  }
}

Result<Value> dyn(Call call) { return call[0]; }

Result<Value> type(Call call) { return Value::type(call[0].kind()); }

Result<Value> optional_none(Call) { return Value::none(); }

Result<Value> optional_of(Call call) { return Value::optional(call[0]); }

Result<Value> optional_of_non_zero(Call call) { return is_zero(call[0]) ? Value::none() : Value::optional(call[0]); }

Result<Value> has_value(Call call) {
  if (!call[0].is(Kind::kOptional)) return call.mismatch();
  return Value::boolean(call[0].as_optional() != nullptr);
}

Result<Value> value(Call call) {
  if (!call[0].is(Kind::kOptional)) return call.mismatch();
  if (call[0].as_optional() == nullptr) return fail("the optional holds no value", "give one with orValue(…)");
  return *call[0].as_optional();
}

Result<Value> base64_encode(Call call) {
  if (!call.are({Kind::kBytes})) return call.mismatch();
  call.budget.charge_bytes(call[0].as_text().size());
  return Value::string(encode_base64(call[0].as_text()));
}

Result<Value> base64_decode(Call call) {
  if (!call.are({Kind::kString})) return call.mismatch();
  call.budget.charge_bytes(call[0].as_text().size());
  auto octets = decode_base64(call[0].as_text());
  if (!octets) return fail("the text is not base64");
  return Value::bytes(std::move(*octets));
}

}  // namespace canorun::expr::functions
