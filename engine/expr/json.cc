// `to_json`: values become JSON that owns itself.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "engine/expr/text.h"
#include "engine/expr/time.h"
#include "engine/expr/value.h"

namespace canorun::expr {
namespace {

// About what a node takes in memory beside its text.
constexpr std::size_t kNodeWeight = 32;

using Converted = std::expected<Json, std::string>;

class Converter {
 public:
  Converted convert(const Value& value, std::size_t depth) {
    if (depth > kMaxJsonDepth) return too_deep();
    if (const Json* json = value.as_json()) return copy(*json, depth);
    if (!weigh(kNodeWeight)) return too_large();
    switch (value.kind()) {
      case Kind::kNull: return Json();
      case Kind::kBool: return Json(value.as_bool());
      case Kind::kInt: return Json(value.as_int());
      case Kind::kUint: return unsigned_number(value.as_uint());
      case Kind::kDouble: return number(value.as_double());
      case Kind::kString:
        if (!weigh(value.as_text().size())) return too_large();
        return Json(value.as_text());
      case Kind::kBytes:
        if (!weigh(value.as_text().size())) return too_large();
        return Json(encode_base64(value.as_text()));
      case Kind::kList: return list(value, depth);
      case Kind::kMap: return map(value, depth);
      case Kind::kTimestamp: return Json(format_timestamp(value.as_instant()));
      case Kind::kDuration: return Json(format_cel_duration(value.as_instant()));
      case Kind::kType: return Json(type_name(value.as_type()));
      case Kind::kOptional:
        if (value.as_optional() != nullptr) return convert(*value.as_optional(), depth + 1);
        return std::unexpected("an empty optional has no value: give one with orValue(…)");
    }
    return Json();
  }

 private:
  static Converted too_large() {
    return std::unexpected(fmt::format("the value is larger than {} MiB", kMaxJsonWeight >> 20));
  }

  static Converted too_deep() {
    return std::unexpected(fmt::format("the value is nested deeper than {} levels", kMaxJsonDepth));
  }

  // JSON is copied as it is, once its size is known.
  Converted copy(const Json& json, std::size_t depth) {
    const auto levels = measure(json);
    if (!levels) return too_large();
    if (depth + *levels > kMaxJsonDepth) return too_deep();
    return json;
  }

  // How deep `json` is; nothing when it is too large. Does not recurse: it may be deep.
  std::optional<std::size_t> measure(const Json& json) {
    std::size_t deepest = 0;
    std::vector<std::pair<const Json*, std::size_t>> open{{&json, 0}};
    while (!open.empty()) {
      const auto [node, level] = open.back();
      open.pop_back();
      const auto* text = node->get_ptr<const Json::string_t*>();
      if (!weigh(kNodeWeight + (text != nullptr ? text->size() : 0))) return std::nullopt;
      if (!node->is_structured()) continue;
      deepest = std::max(deepest, level + (node->empty() ? 0 : 1));
      for (const auto& element : *node) open.emplace_back(&element, level + 1);
    }
    return deepest;
  }

  bool weigh(std::size_t bytes) {
    weight_ += bytes;
    return weight_ <= kMaxJsonWeight;
  }

  static Json unsigned_number(std::uint64_t number) {
    return std::in_range<std::int64_t>(number) ? Json(static_cast<std::int64_t>(number)) : Json(number);
  }

  static Converted number(double number) {
    if (!std::isfinite(number)) return std::unexpected(fmt::format("{} is not a JSON number", format_double(number)));
    return Json(number);
  }

  Converted list(const Value& value, std::size_t depth) {
    Json out = Json::array();
    const std::size_t size = value.size();
    for (std::size_t i = 0; i < size; ++i) {
      auto element = convert(value.at(i), depth + 1);
      if (!element) return element;
      out.push_back(std::move(*element));
    }
    return out;
  }

  Converted map(const Value& value, std::size_t depth) {
    Json out = Json::object();
    for (const Value& key : value.keys()) {
      const auto field = value.get(key);
      if (!field) continue;
      auto converted = convert(*field, depth + 1);
      if (!converted) return converted;
      std::string name = key.is(Kind::kString) ? std::string(key.as_text()) : to_json_text(*convert(key, depth));
      if (!weigh(name.size())) return too_large();
      out[std::move(name)] = std::move(*converted);
    }
    return out;
  }

  std::size_t weight_ = 0;
};

}  // namespace

std::expected<Json, std::string> to_json(const Value& value) { return Converter().convert(value, 0); }

}  // namespace canorun::expr
