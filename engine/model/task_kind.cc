#include "engine/model/task_kind.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "engine/base/duration.h"
#include "engine/base/suggest.h"

namespace canorun::model {
namespace {

constexpr std::array<std::string_view, 12> kTypeNames{"a string",
                                                      "an int",
                                                      "a bool",
                                                      "any value",
                                                      "a map",
                                                      "a map of name to text",
                                                      "a map of name to text",
                                                      "a list of texts",
                                                      "a list of ints",
                                                      "a list of HTTP statuses and ranges",
                                                      "a size",
                                                      "a duration"};
static_assert(kTypeNames.size() == static_cast<std::size_t>(ParamType::kDuration) + 1);

std::unexpected<Error> wrong(const Param& param, const Json& value) {
  return fail(fmt::format("'{}' must be {}, not {}", param.name, param_type_name(param.type), type_name(value)));
}

bool is_scalar(const Json& value) { return value.is_string() || value.is_number() || value.is_boolean(); }

Result<void> check_int(const Param& param, Json& value) {
  if (value.is_number_float()) {
    const double number = value.get<double>();
    if (std::floor(number) == number && std::abs(number) < 9e15) value = static_cast<std::int64_t>(number);
  }
  if (!value.is_number_integer()) return wrong(param, value);
  return {};
}

Result<void> check_string(const Param& param, Json& value) {
  if (!is_scalar(value)) return wrong(param, value);
  value = to_text(value);
  if (param.one_of.empty()) return {};
  const auto& text = value.get_ref<const std::string&>();
  if (std::find(param.one_of.begin(), param.one_of.end(), text) != param.one_of.end()) return {};
  const auto best = nearest(text, param.one_of);
  return fail(fmt::format("'{}' is not one of {}", text, fmt::join(param.one_of, ", ")),
              best ? fmt::format("did you mean '{}'?", *best) : std::string{});
}

Result<void> check_texts(const Param& param, Json& value) {
  if (param.type == ParamType::kStringList ? !value.is_array() || value.empty() : !value.is_object()) {
    return value.is_array() ? fail(fmt::format("'{}' must not be empty", param.name)) : wrong(param, value);
  }
  for (auto& element : value) {
    if (!is_scalar(element)) return wrong(param, element);
    element = to_text(element);
  }
  if (param.type != ParamType::kEnvironment) return {};
  for (const auto& [name, text] : value.items()) {
    if (!is_environment_name(name))
      return fail(fmt::format("'{}' cannot be the name of an environment variable", name));
  }
  return {};
}

// `200`, `"200-299"`: both ends from 100 to 599, in order.
bool is_status(const Json& value) {
  const auto in_range = [](long code) { return code >= 100 && code <= 599; };
  if (value.is_number_integer()) return in_range(value.get<long>());
  const auto* text = value.get_ptr<const std::string*>();
  if (text == nullptr) return false;
  const auto three_digits = [](std::string_view part) {
    return part.size() == 3 && std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; });
  };
  const std::string_view low = std::string_view(*text).substr(0, 3);
  if (!three_digits(low) || !in_range(std::stol(std::string(low)))) return false;
  if (text->size() == 3) return true;
  const std::string_view high = std::string_view(*text).substr(std::min<std::size_t>(4, text->size()));
  return (*text)[3] == '-' && three_digits(high) && in_range(std::stol(std::string(high))) && low <= high;
}

Result<void> check_list(const Param& param, const Json& value, bool (*good)(const Json&)) {
  if (!value.is_array()) return wrong(param, value);
  if (value.empty()) return fail(fmt::format("'{}' must not be empty", param.name));
  for (const auto& element : value) {
    if (!good(element))
      return fail(
          fmt::format("'{}' must be {}: {} is none", param.name, param_type_name(param.type), to_json_text(element)));
  }
  return {};
}

template <class Parse>
Result<void> check_measure(const Param& param, const Json& value, Parse parse) {
  if (!is_scalar(value)) return wrong(param, value);
  const auto parsed = parse(to_text(value));
  if (!parsed) return std::unexpected(parsed.error());
  return {};
}

}  // namespace

std::string_view param_type_name(ParamType type) { return kTypeNames[static_cast<std::size_t>(type)]; }

bool With::holds(std::string_view value) const { return std::ranges::find(values, value) != values.end(); }

std::string With::text() const { return fmt::format("{}: {}", param, fmt::join(values, ", ")); }

const TaskKind* find_kind(Catalog catalog, std::string_view name) {
  const auto found = std::lower_bound(catalog.begin(), catalog.end(), name,
                                      [](const TaskKind& kind, std::string_view wanted) { return kind.name < wanted; });
  return found != catalog.end() && found->name == name ? &*found : nullptr;
}

const Param* find_param(const TaskKind& kind, std::string_view name) {
  const auto found =
      std::find_if(kind.params.begin(), kind.params.end(), [&](const Param& p) { return p.name == name; });
  return found != kind.params.end() ? &*found : nullptr;
}

bool is_environment_name(std::string_view name) {
  return !name.empty() && name.find_first_of(std::string_view("=\0", 2)) == std::string_view::npos;
}

Result<void> check_param(const Param& param, Json& value) {
  switch (param.type) {
    case ParamType::kString: return check_string(param, value);
    case ParamType::kInt: return check_int(param, value);
    case ParamType::kBool: return value.is_boolean() ? Result<void>{} : wrong(param, value);
    case ParamType::kAny: return {};
    case ParamType::kMap: return value.is_object() ? Result<void>{} : wrong(param, value);
    case ParamType::kStringMap:
    case ParamType::kEnvironment:
    case ParamType::kStringList: return check_texts(param, value);
    case ParamType::kIntList: return check_list(param, value, [](const Json& v) { return v.is_number_integer(); });
    case ParamType::kStatusList: return check_list(param, value, is_status);
    case ParamType::kSize: return check_measure(param, value, parse_size);
    case ParamType::kDuration: return check_measure(param, value, parse_duration);
  }
  return {};
}

}  // namespace canorun::model
