#include "workflows/reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

#include "engine/base/duration.h"
#include "engine/base/ids.h"
#include "engine/expr/template.h"
#include "engine/model/scope.h"

namespace canorun::workflows {
namespace {

// Names that shapes bring into scope, beside those of model::kSlotNames.
constexpr std::array<std::string_view, 5> kShapeNames{"item", "index", "cursor", "step", "items"};

bool is_reserved(std::string_view name) {
  return std::ranges::find(model::kSlotNames, name) != model::kSlotNames.end() ||
         std::ranges::find(kShapeNames, name) != kShapeNames.end();
}

}  // namespace

void Reader::error(Code code, const Node& node, std::string message, std::string hint) {
  if (report.full()) {
    report.error(code, {}, {});
    return;
  }
  report.error(code, document.span(node), std::move(message), std::move(hint));
}

void Reader::wrong_type(const Node& node, std::string_view what, std::string_view wanted, std::string hint) {
  error(Code::kWrongType, node,
        node.empty ? fmt::format("{} has no value: it must be {}", what, wanted)
                   : fmt::format("{} must be {}, not {}", what, wanted, kind_name(node)),
        std::move(hint));
}

bool Reader::refuse_template(const Node& node, std::string_view what) {
  if (!node.is_text() || !expr::has_template(node.text)) return false;
  error(Code::kMisplacedTemplate, node, fmt::format("a template cannot stand in {}", what),
        "it must be known before the flow runs");
  return true;
}

std::optional<std::string_view> Reader::text(const Node& node, std::string_view what) {
  if (!node.is_scalar() || node.kind == NodeKind::kNull) {
    wrong_type(node, what, "a text");
    return std::nullopt;
  }
  if (refuse_template(node, what)) return std::nullopt;
  return node.text;
}

std::optional<std::size_t> Reader::choice(const Node& node, std::string_view what, std::span<const std::string_view> choices) {
  const auto written = text(node, what);
  if (!written) return std::nullopt;
  const auto found = std::ranges::find(choices, *written);
  if (found != choices.end()) return static_cast<std::size_t>(found - choices.begin());
  error(Code::kBadValue, node, fmt::format("{} cannot be '{}'", what, *written), report.guess(*written, choices).hint);
  return std::nullopt;
}

std::optional<Millis> Reader::duration(const Node& node, std::string_view what, Millis least) {
  if (!node.is_scalar() || node.kind == NodeKind::kNull || node.kind == NodeKind::kBool) {
    wrong_type(node, what, "a duration", "for example 30s");
    return std::nullopt;
  }
  if (refuse_template(node, what)) return std::nullopt;
  const auto parsed = parse_duration(node.text);
  if (!parsed) {
    error(Code::kBadValue, node, parsed.error().message, parsed.error().hint);
  } else if (*parsed < least) {
    error(Code::kBadValue, node, fmt::format("{} must be at least {}", what, format_duration(least)));
  } else {
    return *parsed;
  }
  return std::nullopt;
}

std::optional<std::int64_t> Reader::integer(const Node& node, std::string_view what, std::int64_t least, std::int64_t most) {
  if (refuse_template(node, what)) return std::nullopt;
  if (node.kind != NodeKind::kInt) {
    wrong_type(node, what, "an int");
    return std::nullopt;
  }
  const Json value = scalar_value(node);
  if (value.is_number_unsigned() || value < least || value > most) {
    const bool bounded = most < std::numeric_limits<std::int64_t>::max();
    error(Code::kBadValue, node,
          bounded ? fmt::format("{} must be {} to {}", what, least, most) : fmt::format("{} must be at least {}", what, least));
    return std::nullopt;
  }
  return value.get<std::int64_t>();
}

std::optional<double> Reader::number(const Node& node, std::string_view what, double least, double most) {
  if (refuse_template(node, what)) return std::nullopt;
  if (node.kind != NodeKind::kInt && node.kind != NodeKind::kDouble) {
    wrong_type(node, what, "a number");
    return std::nullopt;
  }
  const auto value = scalar_value(node).get<double>();
  if (value < least || value > most) {
    error(Code::kBadValue, node, fmt::format("{} must be {} to {}", what, least, most));
    return std::nullopt;
  }
  return value;
}

std::optional<Json> Reader::literal(const Node& node, std::string_view what) {
  if (node.is_scalar()) {
    if (refuse_template(node, what)) return std::nullopt;
    return scalar_value(node);
  }
  bool good = true;
  Json value = node.kind == NodeKind::kList ? Json::array() : Json::object();
  for (const Node* element : node.list) {
    auto read = literal(*element, what);
    good = good && read;
    if (read) value.push_back(std::move(*read));
  }
  for (const Entry& entry : node.map) {
    auto read = literal(*entry.value, what);
    good = good && read;
    if (read) value[entry.key->text] = std::move(*read);
  }
  return good ? std::optional(std::move(value)) : std::nullopt;
}

std::vector<Entry> Reader::entries(const Node& node, std::string_view what, std::string_view wanted) {
  if (node.kind == NodeKind::kMap) return node.map;
  wrong_type(node, what, wanted);
  return {};
}

bool Reader::name(const Node& key, std::string_view what) {
  if (!is_name(key.text)) {
    error(Code::kBadValue, key, fmt::format("'{}' cannot be the name of {}", key.text.substr(0, 80), what),
          "a letter or _, then letters, digits and _, at most 63");
  } else if (is_reserved(key.text)) {
    error(Code::kBadValue, key, fmt::format("'{}' cannot be the name of {}: expressions use it", key.text, what),
          "choose another name");
  } else {
    return true;
  }
  return false;
}

}  // namespace canorun::workflows
