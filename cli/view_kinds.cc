#include "cli/view_kinds.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace canorun::cli {
namespace {

std::string params_text(std::span<const model::Param> params) {
  Table table;
  for (const model::Param& param : params) {
    std::string doc(param.doc);
    if (!param.one_of.empty()) doc += fmt::format(": {}", fmt::join(param.one_of, ", "));
    table.row({{std::string(param.name)},
               {std::string(param_type_name(param.type))},
               {param.required ? "required" : ""},
               {doc}});
  }
  return table.text("  ");
}

Json params_json(std::span<const model::Param> params, bool of_output) {
  Json out = Json::array();
  for (const model::Param& param : params) {
    Json& added =
        out.emplace_back(Json{{"name", param.name}, {"type", param_type_name(param.type)}, {"doc", param.doc}});
    if (of_output) continue;
    added["required"] = param.required;
    added["templates"] = !param.literal;
    if (!param.one_of.empty()) added["one_of"] = param.one_of;
  }
  return out;
}

}  // namespace

std::string kinds_text(model::Catalog catalog, const Style& style) {
  Table table;
  for (const model::TaskKind& kind : catalog) {
    table.row({{std::string(kind.name), style.bold(kind.name)}, {std::string(kind.doc)}});
  }
  return table.text();
}

std::string kind_text(const model::TaskKind& kind, const Style& style) {
  std::string out = fmt::format("{}: {}\n", style.bold(kind.name), kind.doc);
  if (!kind.params.empty()) out += "\nParameters:\n" + params_text(kind.params);
  if (!kind.outputs.empty()) out += "\nOutput:\n" + params_text(kind.outputs);
  std::string_view example = kind.example;
  out += "\nExample:\n";
  while (!example.empty()) {
    const auto end = example.find('\n');
    out += fmt::format("  {}\n", example.substr(0, end));
    example.remove_prefix(end == std::string_view::npos ? example.size() : end + 1);
  }
  return out;
}

Json to_json(const model::TaskKind& kind) {
  return {{"name", kind.name},
          {"doc", kind.doc},
          {"parameters", params_json(kind.params, false)},
          {"output", params_json(kind.outputs, true)},
          {"example", kind.example}};
}

}  // namespace canorun::cli
