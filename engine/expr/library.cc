#include "engine/expr/library.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <string>

#include "engine/expr/functions.h"

namespace canorun::expr {
namespace {

using enum Style;
using enum TimeField;
namespace f = functions;

// Sorted by name; one row for each overload.
constexpr auto kFunctions = std::to_array<Function>({
    {"base64.decode", kGlobal, "(string) -> bytes", f::base64_decode},
    {"base64.encode", kGlobal, "(bytes) -> string", f::base64_encode},
    {"bool", kGlobal, "(bool) -> bool", f::to_bool},
    {"bool", kGlobal, "(string) -> bool", f::to_bool},
    {"bytes", kGlobal, "(bytes) -> bytes", f::to_bytes},
    {"bytes", kGlobal, "(string) -> bytes", f::to_bytes},
    {"charAt", kMethod, "(string, int) -> string", f::char_at},
    {"contains", kMethod, "(string, string) -> bool", f::contains},
    {"double", kGlobal, "(double) -> double", f::to_double},
    {"double", kGlobal, "(int) -> double", f::to_double},
    {"double", kGlobal, "(string) -> double", f::to_double},
    {"double", kGlobal, "(uint) -> double", f::to_double},
    {"duration", kGlobal, "(duration) -> duration", f::to_duration},
    {"duration", kGlobal, "(string) -> duration", f::to_duration},
    {"dyn", kGlobal, "(A) -> dyn", f::dyn},
    {"endsWith", kMethod, "(string, string) -> bool", f::ends_with},
    {"format", kMethod, "(string, list(dyn)) -> string", f::format},
    {"getDate", kMethod, "(timestamp) -> int", f::part<kDate>},
    {"getDate", kMethod, "(timestamp, string) -> int", f::part<kDate>},
    {"getDayOfMonth", kMethod, "(timestamp) -> int", f::part<kDayOfMonth>},
    {"getDayOfMonth", kMethod, "(timestamp, string) -> int", f::part<kDayOfMonth>},
    {"getDayOfWeek", kMethod, "(timestamp) -> int", f::part<kDayOfWeek>},
    {"getDayOfWeek", kMethod, "(timestamp, string) -> int", f::part<kDayOfWeek>},
    {"getDayOfYear", kMethod, "(timestamp) -> int", f::part<kDayOfYear>},
    {"getDayOfYear", kMethod, "(timestamp, string) -> int", f::part<kDayOfYear>},
    {"getFullYear", kMethod, "(timestamp) -> int", f::part<kYear>},
    {"getFullYear", kMethod, "(timestamp, string) -> int", f::part<kYear>},
    {"getHours", kMethod, "(duration) -> int", f::part<kHours>},
    {"getHours", kMethod, "(timestamp) -> int", f::part<kHours>},
    {"getHours", kMethod, "(timestamp, string) -> int", f::part<kHours>},
    {"getMilliseconds", kMethod, "(duration) -> int", f::part<kMilliseconds>},
    {"getMilliseconds", kMethod, "(timestamp) -> int", f::part<kMilliseconds>},
    {"getMilliseconds", kMethod, "(timestamp, string) -> int", f::part<kMilliseconds>},
    {"getMinutes", kMethod, "(duration) -> int", f::part<kMinutes>},
    {"getMinutes", kMethod, "(timestamp) -> int", f::part<kMinutes>},
    {"getMinutes", kMethod, "(timestamp, string) -> int", f::part<kMinutes>},
    {"getMonth", kMethod, "(timestamp) -> int", f::part<kMonth>},
    {"getMonth", kMethod, "(timestamp, string) -> int", f::part<kMonth>},
    {"getSeconds", kMethod, "(duration) -> int", f::part<kSeconds>},
    {"getSeconds", kMethod, "(timestamp) -> int", f::part<kSeconds>},
    {"getSeconds", kMethod, "(timestamp, string) -> int", f::part<kSeconds>},
    {"hasValue", kMethod, "(optional(A)) -> bool", f::has_value},
    {"indexOf", kMethod, "(string, string) -> int", f::index_of},
    {"indexOf", kMethod, "(string, string, int) -> int", f::index_of},
    {"int", kGlobal, "(double) -> int", f::to_int},
    {"int", kGlobal, "(int) -> int", f::to_int},
    {"int", kGlobal, "(string) -> int", f::to_int},
    {"int", kGlobal, "(timestamp) -> int", f::to_int},
    {"int", kGlobal, "(uint) -> int", f::to_int},
    {"join", kMethod, "(list(string)) -> string", f::join},
    {"join", kMethod, "(list(string), string) -> string", f::join},
    {"lastIndexOf", kMethod, "(string, string) -> int", f::last_index_of},
    {"lastIndexOf", kMethod, "(string, string, int) -> int", f::last_index_of},
    {"lowerAscii", kMethod, "(string) -> string", f::lower_ascii},
    {"matches", kEither, "(string, string) -> bool", f::matches},
    {"math.abs", kGlobal, "(double) -> double", f::absolute},
    {"math.abs", kGlobal, "(int) -> int", f::absolute},
    {"math.abs", kGlobal, "(uint) -> uint", f::absolute},
    {"math.bitAnd", kGlobal, "(int, int) -> int", f::bit_and},
    {"math.bitAnd", kGlobal, "(uint, uint) -> uint", f::bit_and},
    {"math.bitNot", kGlobal, "(int) -> int", f::bit_not},
    {"math.bitNot", kGlobal, "(uint) -> uint", f::bit_not},
    {"math.bitOr", kGlobal, "(int, int) -> int", f::bit_or},
    {"math.bitOr", kGlobal, "(uint, uint) -> uint", f::bit_or},
    {"math.bitShiftLeft", kGlobal, "(int, int) -> int", f::shift_left},
    {"math.bitShiftLeft", kGlobal, "(uint, int) -> uint", f::shift_left},
    {"math.bitShiftRight", kGlobal, "(int, int) -> int", f::shift_right},
    {"math.bitShiftRight", kGlobal, "(uint, int) -> uint", f::shift_right},
    {"math.bitXor", kGlobal, "(int, int) -> int", f::bit_xor},
    {"math.bitXor", kGlobal, "(uint, uint) -> uint", f::bit_xor},
    {"math.ceil", kGlobal, "(double) -> double", f::ceiling},
    {"math.floor", kGlobal, "(double) -> double", f::floor},
    {"math.greatest", kVariadic, "(double) -> double", f::greatest},
    {"math.greatest", kVariadic, "(int) -> int", f::greatest},
    {"math.greatest", kVariadic, "(uint) -> uint", f::greatest},
    {"math.greatest", kVariadic, "(list(double)) -> double", f::greatest},
    {"math.greatest", kVariadic, "(list(int)) -> int", f::greatest},
    {"math.greatest", kVariadic, "(list(uint)) -> uint", f::greatest},
    {"math.greatest", kVariadic, "(double, double) -> double", f::greatest},
    {"math.greatest", kVariadic, "(double, int) -> dyn", f::greatest},
    {"math.greatest", kVariadic, "(double, uint) -> dyn", f::greatest},
    {"math.greatest", kVariadic, "(int, double) -> dyn", f::greatest},
    {"math.greatest", kVariadic, "(int, int) -> int", f::greatest},
    {"math.greatest", kVariadic, "(int, uint) -> dyn", f::greatest},
    {"math.greatest", kVariadic, "(uint, double) -> dyn", f::greatest},
    {"math.greatest", kVariadic, "(uint, int) -> dyn", f::greatest},
    {"math.greatest", kVariadic, "(uint, uint) -> uint", f::greatest},
    {"math.isFinite", kGlobal, "(double) -> bool", f::is_finite},
    {"math.isInf", kGlobal, "(double) -> bool", f::is_infinite},
    {"math.isNaN", kGlobal, "(double) -> bool", f::is_nan},
    {"math.least", kVariadic, "(double) -> double", f::least},
    {"math.least", kVariadic, "(int) -> int", f::least},
    {"math.least", kVariadic, "(uint) -> uint", f::least},
    {"math.least", kVariadic, "(list(double)) -> double", f::least},
    {"math.least", kVariadic, "(list(int)) -> int", f::least},
    {"math.least", kVariadic, "(list(uint)) -> uint", f::least},
    {"math.least", kVariadic, "(double, double) -> double", f::least},
    {"math.least", kVariadic, "(double, int) -> dyn", f::least},
    {"math.least", kVariadic, "(double, uint) -> dyn", f::least},
    {"math.least", kVariadic, "(int, double) -> dyn", f::least},
    {"math.least", kVariadic, "(int, int) -> int", f::least},
    {"math.least", kVariadic, "(int, uint) -> dyn", f::least},
    {"math.least", kVariadic, "(uint, double) -> dyn", f::least},
    {"math.least", kVariadic, "(uint, int) -> dyn", f::least},
    {"math.least", kVariadic, "(uint, uint) -> uint", f::least},
    {"math.round", kGlobal, "(double) -> double", f::round},
    {"math.sign", kGlobal, "(double) -> double", f::sign},
    {"math.sign", kGlobal, "(int) -> int", f::sign},
    {"math.sign", kGlobal, "(uint) -> uint", f::sign},
    {"math.sqrt", kGlobal, "(double) -> double", f::square_root},
    {"math.sqrt", kGlobal, "(int) -> double", f::square_root},
    {"math.sqrt", kGlobal, "(uint) -> double", f::square_root},
    {"math.trunc", kGlobal, "(double) -> double", f::truncate},
    {"optional.none", kGlobal, "() -> optional(A)", f::optional_none},
    {"optional.of", kGlobal, "(A) -> optional(A)", f::optional_of},
    {"optional.ofNonZeroValue", kGlobal, "(A) -> optional(A)", f::optional_of_non_zero},
    {"replace", kMethod, "(string, string, string) -> string", f::replace},
    {"replace", kMethod, "(string, string, string, int) -> string", f::replace},
    {"reverse", kMethod, "(string) -> string", f::reverse},
    {"size", kEither, "(bytes) -> int", f::size},
    {"size", kEither, "(list(A)) -> int", f::size},
    {"size", kEither, "(map(A, B)) -> int", f::size},
    {"size", kEither, "(string) -> int", f::size},
    {"split", kMethod, "(string, string) -> list(string)", f::split},
    {"split", kMethod, "(string, string, int) -> list(string)", f::split},
    {"startsWith", kMethod, "(string, string) -> bool", f::starts_with},
    {"string", kGlobal, "(bool) -> string", f::to_string},
    {"string", kGlobal, "(bytes) -> string", f::to_string},
    {"string", kGlobal, "(double) -> string", f::to_string},
    {"string", kGlobal, "(duration) -> string", f::to_string},
    {"string", kGlobal, "(int) -> string", f::to_string},
    {"string", kGlobal, "(string) -> string", f::to_string},
    {"string", kGlobal, "(timestamp) -> string", f::to_string},
    {"string", kGlobal, "(uint) -> string", f::to_string},
    {"strings.quote", kGlobal, "(string) -> string", f::quote},
    {"substring", kMethod, "(string, int) -> string", f::substring},
    {"substring", kMethod, "(string, int, int) -> string", f::substring},
    {"timestamp", kGlobal, "(int) -> timestamp", f::to_timestamp},
    {"timestamp", kGlobal, "(string) -> timestamp", f::to_timestamp},
    {"timestamp", kGlobal, "(timestamp) -> timestamp", f::to_timestamp},
    {"trim", kMethod, "(string) -> string", f::trim},
    {"type", kGlobal, "(A) -> type(A)", f::type},
    {"uint", kGlobal, "(double) -> uint", f::to_uint},
    {"uint", kGlobal, "(int) -> uint", f::to_uint},
    {"uint", kGlobal, "(string) -> uint", f::to_uint},
    {"uint", kGlobal, "(uint) -> uint", f::to_uint},
    {"upperAscii", kMethod, "(string) -> string", f::upper_ascii},
    {"value", kMethod, "(optional(A)) -> A", f::value},
});

constexpr bool by_name(const Function& a, const Function& b) { return a.name < b.name; }
static_assert(std::is_sorted(kFunctions.begin(), kFunctions.end(), by_name));

// What runs, and how it is called, does not depend on the overload.
constexpr bool clash(const Function& a, const Function& b) {
  return a.name == b.name && (a.run != b.run || a.style != b.style);
}
static_assert(std::adjacent_find(kFunctions.begin(), kFunctions.end(), clash) == kFunctions.end());

bool can_be_called(const Function& function, bool as_method) {
  return function.style == kEither || (function.style == kMethod) == as_method;
}

}  // namespace

bool Invocation::are(std::initializer_list<Kind> kinds) const {
  return std::equal(arguments.begin(), arguments.end(), kinds.begin(), kinds.end(),
                    [](const Value& value, Kind kind) { return value.is(kind); });
}

std::unexpected<Error> Invocation::mismatch() const {
  const bool method = function.style == kMethod;
  std::vector<std::string> types;
  for (const Value& argument : arguments.subspan(method ? 1 : 0)) types.push_back(type_name(argument));
  const std::string receiver = method ? fmt::format(" of {}", type_name(arguments[0])) : "";
  return fail(fmt::format("{}(){} does not take ({})", function.name, receiver, fmt::join(types, ", ")));
}

std::span<const Function> find_functions(std::string_view name, bool as_method) {
  const auto rows = std::ranges::equal_range(kFunctions, name, {}, &Function::name);
  if (rows.empty() || !can_be_called(rows.front(), as_method)) return {};
  return rows;
}

std::span<const Overload> overloads(std::span<const Function> functions) {
  static const std::vector<Overload> kOverloads = [] {
    std::vector<Overload> all;
    for (const Function& row : kFunctions) all.push_back(row.signature.overload());
    return all;
  }();
  const auto first = static_cast<std::size_t>(functions.data() - kFunctions.data());
  return std::span(kOverloads).subspan(first, functions.size());
}

std::vector<std::string_view> function_names(bool as_method) {
  std::vector<std::string_view> names;
  for (const auto& function : kFunctions) {
    if (can_be_called(function, as_method) && (names.empty() || names.back() != function.name)) {
      names.push_back(function.name);
    }
  }
  return names;
}

}  // namespace canorun::expr
