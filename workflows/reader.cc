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

// Those of model::kSlotNames, and what shapes bring into scope.
constexpr auto kReservedNames = [] {
  constexpr std::array<std::string_view, 5> kShapeNames{"item", "index", "cursor", "step", "items"};
  std::array<std::string_view, model::kSlotCount + kShapeNames.size()> names;
  std::ranges::copy(kShapeNames, std::ranges::copy(model::kSlotNames, names.begin()).out);
  return names;
}();

}  // namespace

std::span<const std::string_view> reserved_names() { return kReservedNames; }

std::string quoted(const Entry& entry) { return fmt::format("'{}'", entry.key->text); }

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

bool Reader::is_text(const Node& node, std::string_view what) {
  if (node.is_scalar() && node.kind != NodeKind::kNull) return true;
  wrong_type(node, what, "a text");
  return false;
}

std::optional<std::string_view> Reader::read(accept::Text, const Node& node, std::string_view what) {
  if (!is_text(node, what) || refuse_template(node, what)) return std::nullopt;
  return node.text;
}

const Node* Reader::read(accept::TextTemplate, const Node& node, std::string_view what) {
  return is_text(node, what) ? &node : nullptr;
}

const Node* Reader::read(accept::StateName, const Node& node, std::string_view what) {
  return read(accept::Text{}, node, what) ? &node : nullptr;
}

std::optional<std::string_view> Reader::read(accept::FlowName, const Node& node, std::string_view what) {
  const auto name = read(accept::Text{}, node, what);
  if (!name || is_flow_name(*name)) return name;
  error(Code::kBadValue, node, fmt::format("'{}' cannot be the name of a flow", name->substr(0, 80)),
        std::string(kFlowNameForm));
  return std::nullopt;
}

std::optional<std::size_t> Reader::read(accept::Choice type, const Node& node, std::string_view what) {
  const auto written = read(accept::Text{}, node, what);
  if (!written) return std::nullopt;
  const auto found = std::ranges::find(type.words, *written);
  if (found != type.words.end()) return static_cast<std::size_t>(found - type.words.begin());
  error(Code::kBadValue, node, fmt::format("{} cannot be '{}'", what, *written),
        report.guess(*written, type.words).hint);
  return std::nullopt;
}

std::optional<Millis> Reader::read(accept::Duration type, const Node& node, std::string_view what) {
  if (!node.is_scalar() || node.kind == NodeKind::kNull || node.kind == NodeKind::kBool) {
    wrong_type(node, what, "a duration", "for example 30s");
    return std::nullopt;
  }
  if (refuse_template(node, what)) return std::nullopt;
  const auto parsed = parse_duration(node.text);
  if (!parsed) {
    error(Code::kBadValue, node, parsed.error().message, parsed.error().hint);
  } else if (*parsed < type.least) {
    error(Code::kBadValue, node, fmt::format("{} must be at least {}", what, format_duration(type.least)));
  } else {
    return *parsed;
  }
  return std::nullopt;
}

std::optional<std::int64_t> Reader::read(accept::Integer type, const Node& node, std::string_view what) {
  if (refuse_template(node, what)) return std::nullopt;
  if (node.kind != NodeKind::kInt) {
    wrong_type(node, what, "an int");
    return std::nullopt;
  }
  const Json value = scalar_value(node);
  if (value.is_number_unsigned() || value < type.least || value > type.most) {
    const bool bounded = type.most < std::numeric_limits<std::int64_t>::max();
    error(Code::kBadValue, node,
          bounded ? fmt::format("{} must be {} to {}", what, type.least, type.most)
                  : fmt::format("{} must be at least {}", what, type.least));
    return std::nullopt;
  }
  return value.get<std::int64_t>();
}

std::optional<double> Reader::read(accept::Number type, const Node& node, std::string_view what) {
  if (refuse_template(node, what)) return std::nullopt;
  if (node.kind != NodeKind::kInt && node.kind != NodeKind::kDouble) {
    wrong_type(node, what, "a number");
    return std::nullopt;
  }
  const auto value = scalar_value(node).get<double>();
  if (value < type.least || value > type.most) {
    error(Code::kBadValue, node, fmt::format("{} must be {} to {}", what, type.least, type.most));
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
          std::string(kNameForm));
  } else if (std::ranges::find(kReservedNames, key.text) != kReservedNames.end()) {
    error(Code::kBadValue, key, fmt::format("'{}' cannot be the name of {}: expressions use it", key.text, what),
          "choose another name");
  } else {
    return true;
  }
  return false;
}

}  // namespace canorun::workflows
