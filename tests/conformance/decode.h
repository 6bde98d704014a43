// What conformance cases hold, in the JSON encodings of cel.expr.Value, .Type and .Decl.
#pragma once

#include <string>

#include "engine/base/value.h"
#include "engine/expr/signature.h"
#include "engine/expr/type.h"
#include "engine/expr/value.h"

namespace canorun::expr {

/// All of these throw std::exception where `json` is not in the format.
Value decode_value(const Json& json);
Type decode_type(const Json& json);
Overload decode_overload(const Json& json);

/// Unlike `==` of the language: types must be the same, and NaN is itself.
bool same(const Value& a, const Value& b);

/// For messages: the type, and the value as JSON.
std::string shown(const Value& value);

}  // namespace canorun::expr
