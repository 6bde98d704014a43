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

// Sorted by name.
constexpr auto kFunctions = std::to_array<Function>({
    {"base64.decode", kGlobal, 1, 1, f::base64_decode},
    {"base64.encode", kGlobal, 1, 1, f::base64_encode},
    {"bool", kGlobal, 1, 1, f::to_bool},
    {"bytes", kGlobal, 1, 1, f::to_bytes},
    {"charAt", kMethod, 2, 2, f::char_at},
    {"contains", kMethod, 2, 2, f::contains},
    {"double", kGlobal, 1, 1, f::to_double},
    {"duration", kGlobal, 1, 1, f::to_duration},
    {"dyn", kGlobal, 1, 1, f::dyn},
    {"endsWith", kMethod, 2, 2, f::ends_with},
    {"format", kMethod, 2, 2, f::format},
    {"getDate", kMethod, 1, 2, f::part<kDate>},
    {"getDayOfMonth", kMethod, 1, 2, f::part<kDayOfMonth>},
    {"getDayOfWeek", kMethod, 1, 2, f::part<kDayOfWeek>},
    {"getDayOfYear", kMethod, 1, 2, f::part<kDayOfYear>},
    {"getFullYear", kMethod, 1, 2, f::part<kYear>},
    {"getHours", kMethod, 1, 2, f::part<kHours>},
    {"getMilliseconds", kMethod, 1, 2, f::part<kMilliseconds>},
    {"getMinutes", kMethod, 1, 2, f::part<kMinutes>},
    {"getMonth", kMethod, 1, 2, f::part<kMonth>},
    {"getSeconds", kMethod, 1, 2, f::part<kSeconds>},
    {"hasValue", kMethod, 1, 1, f::has_value},
    {"indexOf", kMethod, 2, 3, f::index_of},
    {"int", kGlobal, 1, 1, f::to_int},
    {"join", kMethod, 1, 2, f::join},
    {"lastIndexOf", kMethod, 2, 3, f::last_index_of},
    {"lowerAscii", kMethod, 1, 1, f::lower_ascii},
    {"matches", kEither, 2, 2, f::matches},
    {"math.abs", kGlobal, 1, 1, f::absolute},
    {"math.bitAnd", kGlobal, 2, 2, f::bit_and},
    {"math.bitNot", kGlobal, 1, 1, f::bit_not},
    {"math.bitOr", kGlobal, 2, 2, f::bit_or},
    {"math.bitShiftLeft", kGlobal, 2, 2, f::shift_left},
    {"math.bitShiftRight", kGlobal, 2, 2, f::shift_right},
    {"math.bitXor", kGlobal, 2, 2, f::bit_xor},
    {"math.ceil", kGlobal, 1, 1, f::ceiling},
    {"math.floor", kGlobal, 1, 1, f::floor},
    {"math.greatest", kGlobal, 1, kAnyNumber, f::greatest},
    {"math.isFinite", kGlobal, 1, 1, f::is_finite},
    {"math.isInf", kGlobal, 1, 1, f::is_infinite},
    {"math.isNaN", kGlobal, 1, 1, f::is_nan},
    {"math.least", kGlobal, 1, kAnyNumber, f::least},
    {"math.round", kGlobal, 1, 1, f::round},
    {"math.sign", kGlobal, 1, 1, f::sign},
    {"math.sqrt", kGlobal, 1, 1, f::square_root},
    {"math.trunc", kGlobal, 1, 1, f::truncate},
    {"optional.none", kGlobal, 0, 0, f::optional_none},
    {"optional.of", kGlobal, 1, 1, f::optional_of},
    {"optional.ofNonZeroValue", kGlobal, 1, 1, f::optional_of_non_zero},
    {"replace", kMethod, 3, 4, f::replace},
    {"reverse", kMethod, 1, 1, f::reverse},
    {"size", kEither, 1, 1, f::size},
    {"split", kMethod, 2, 3, f::split},
    {"startsWith", kMethod, 2, 2, f::starts_with},
    {"string", kGlobal, 1, 1, f::to_string},
    {"strings.quote", kGlobal, 1, 1, f::quote},
    {"substring", kMethod, 2, 3, f::substring},
    {"timestamp", kGlobal, 1, 1, f::to_timestamp},
    {"trim", kMethod, 1, 1, f::trim},
    {"type", kGlobal, 1, 1, f::type},
    {"uint", kGlobal, 1, 1, f::to_uint},
    {"upperAscii", kMethod, 1, 1, f::upper_ascii},
    {"value", kMethod, 1, 1, f::value},
});

constexpr bool by_name(const Function& a, const Function& b) { return a.name < b.name; }
static_assert(std::is_sorted(kFunctions.begin(), kFunctions.end(), by_name));

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

const Function* find_function(std::string_view name, bool as_method) {
  const auto found = std::lower_bound(kFunctions.begin(), kFunctions.end(), name,
                                      [](const Function& function, std::string_view n) { return function.name < n; });
  if (found == kFunctions.end() || found->name != name || !can_be_called(*found, as_method)) return nullptr;
  return &*found;
}

std::vector<std::string_view> function_names(bool as_method) {
  std::vector<std::string_view> names;
  for (const auto& function : kFunctions) {
    if (can_be_called(function, as_method)) names.push_back(function.name);
  }
  return names;
}

}  // namespace canorun::expr
