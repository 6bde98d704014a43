#include "workflows/reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>

#include "engine/base/duration.h"
#include "engine/base/ids.h"
#include "engine/expr/template.h"
#include "engine/model/scope.h"

namespace canorun::workflows {
namespace {

// `75`, `75%`, `33.33%` in hundredths; what is more than all is told apart no further.
std::optional<std::uint32_t> hundredths(std::string_view text) {
  if (text.ends_with('%')) text.remove_suffix(1);
  const std::size_t point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  const std::string_view part = point == std::string_view::npos ? std::string_view() : text.substr(point + 1);
  if (whole.empty() || part.size() > 2 || part.empty() != (point == std::string_view::npos)) return std::nullopt;
  std::string digits = std::string(whole) + std::string(part);
  digits.append(2 - part.size(), '0');
  if (!std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; })) return std::nullopt;
  std::uint32_t value = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return read.ec == std::errc() ? value : std::numeric_limits<std::uint32_t>::max();
}

}  // namespace

std::span<const std::string_view> reserved_names() { return model::kSlotNames; }

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

const Node* Reader::read(accept::ResourceName, const Node& node, std::string_view what) {
  return read(accept::Text{}, node, what) ? &node : nullptr;
}

std::optional<std::string_view> Reader::read(accept::FlowName, const Node& node, std::string_view what) {
  const auto name = read(accept::Text{}, node, what);
  if (!name || is_flow_name(*name)) return name;
  error(Code::kBadValue, node, fmt::format("'{}' cannot be the name of a flow", name->substr(0, 80)),
        std::string(kFlowNameForm));
  return std::nullopt;
}

std::optional<std::string_view> Reader::read(accept::SignalName, const Node& node, std::string_view what) {
  const auto name = read(accept::Text{}, node, what);
  if (!name || is_signal_name(*name)) return name;
  error(Code::kBadValue, node, fmt::format("'{}' cannot be the name of a signal", name->substr(0, 80)),
        std::string(kSignalNameForm));
  return std::nullopt;
}

std::optional<std::string_view> Reader::read(accept::ItemName, const Node& node, std::string_view what) {
  const auto written = read(accept::Text{}, node, what);
  if (!written || !name(node, "an item")) return std::nullopt;
  // A word of the language, like `in` or `true`, is no name in an expression.
  const auto used = expr::Expression::compile(*written, model::environment_with(*written));
  if (used && !used->references().empty()) return written;
  error(Code::kBadValue, node, fmt::format("'{}' cannot be the name of an item: expressions use it", *written),
        "choose another name");
  return std::nullopt;
}

std::optional<bool> Reader::read(accept::Flag, const Node& node, std::string_view what) {
  if (refuse_template(node, what)) return std::nullopt;
  if (node.kind == NodeKind::kBool) return scalar_value(node).get<bool>();
  wrong_type(node, what, "true or false");
  return std::nullopt;
}

std::optional<policy::Share> Reader::read(accept::Percentage type, const Node& node, std::string_view what) {
  if (!node.is_scalar() || node.kind == NodeKind::kNull || node.kind == NodeKind::kBool) {
    wrong_type(node, what, "a percentage", "for example 75%");
    return std::nullopt;
  }
  if (refuse_template(node, what)) return std::nullopt;
  const auto share = hundredths(node.text);
  if (!share) {
    error(Code::kBadValue, node, fmt::format("'{}' is not a percentage", node.text.substr(0, 80)),
          "write it like 75% or 33.33%");
  } else if (*share > policy::Share{}.hundredths || (*share == 0 && !type.none_too)) {
    error(type.code, node,
          fmt::format("{} must be {} and at most 100%", what, type.none_too ? "at least 0%" : "more than 0%"));
  } else {
    return policy::Share{*share};
  }
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
    error(type.code, node,
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
  } else if (std::ranges::find(model::kSlotNames, key.text) != model::kSlotNames.end()) {
    error(Code::kBadValue, key, fmt::format("'{}' cannot be the name of {}: expressions use it", key.text, what),
          "choose another name");
  } else {
    return true;
  }
  return false;
}

}  // namespace canorun::workflows
