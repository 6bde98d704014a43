#include "tasks/parse.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

namespace canorun::tasks {
namespace {

Json split_lines(std::string_view text) {
  Json lines = Json::array();
  while (!text.empty()) {
    const auto end = text.find('\n');
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

}  // namespace

Parse read_parse(const Json& params) {
  const auto form = std::ranges::find(kParseForms, params.value("parse", std::string(kParseForms[0])));
  return static_cast<Parse>(form - kParseForms.begin());
}

Result<void> add_parsed(Parse parse, std::string_view bytes, std::string_view what, Json& output) {
  switch (parse) {
    case Parse::kNone: break;
    case Parse::kLines: output["lines"] = split_lines(to_utf8(bytes)); break;
    case Parse::kJson: {
      auto json = parse_json(bytes);
      if (!json) return fail(what.empty() ? json.error().message : fmt::format("{}: {}", what, json.error().message));
      output["json"] = std::move(*json);
      break;
    }
  }
  return {};
}

}  // namespace canorun::tasks
