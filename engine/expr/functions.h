// What the rows of the function table run. Each is documented by the language (or the extension named).
#pragma once

#include "engine/expr/library.h"
#include "engine/expr/time.h"

namespace canorun::expr::functions {

using Call = const Invocation&;

// library_core.cc: sizes, optionals, encoders extension
Result<Value> size(Call call);
Result<Value> dyn(Call call);
Result<Value> type(Call call);
Result<Value> optional_none(Call call);
Result<Value> optional_of(Call call);
Result<Value> optional_of_non_zero(Call call);
Result<Value> has_value(Call call);
Result<Value> value(Call call);
Result<Value> base64_encode(Call call);
Result<Value> base64_decode(Call call);

// library_convert.cc: conversions
Result<Value> to_bool(Call call);
Result<Value> to_bytes(Call call);
Result<Value> to_double(Call call);
Result<Value> to_duration(Call call);
Result<Value> to_int(Call call);
Result<Value> to_string(Call call);
Result<Value> to_timestamp(Call call);
Result<Value> to_uint(Call call);

// library_text.cc: strings, and the strings extension
Result<Value> contains(Call call);
Result<Value> ends_with(Call call);
Result<Value> starts_with(Call call);
Result<Value> char_at(Call call);
Result<Value> index_of(Call call);
Result<Value> last_index_of(Call call);
Result<Value> join(Call call);
Result<Value> lower_ascii(Call call);
Result<Value> upper_ascii(Call call);
Result<Value> replace(Call call);
Result<Value> reverse(Call call);
Result<Value> split(Call call);
Result<Value> substring(Call call);
Result<Value> trim(Call call);
Result<Value> quote(Call call);

// library_format.cc: strings extension
Result<Value> format(Call call);

// library_regex.cc: regular expressions
Result<Value> matches(Call call);

// library_time.cc: parts of timestamps and durations
template <TimeField field>
Result<Value> part(Call call);

// library_math.cc: math extension
Result<Value> greatest(Call call);
Result<Value> least(Call call);
Result<Value> absolute(Call call);
Result<Value> sign(Call call);
Result<Value> ceiling(Call call);
Result<Value> floor(Call call);
Result<Value> round(Call call);
Result<Value> truncate(Call call);
Result<Value> square_root(Call call);
Result<Value> is_nan(Call call);
Result<Value> is_infinite(Call call);
Result<Value> is_finite(Call call);
Result<Value> bit_and(Call call);
Result<Value> bit_or(Call call);
Result<Value> bit_xor(Call call);
Result<Value> bit_not(Call call);
Result<Value> shift_left(Call call);
Result<Value> shift_right(Call call);

}  // namespace canorun::expr::functions
