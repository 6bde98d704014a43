#include "cli/view_kinds.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "engine/model/types.h"

namespace canorun::cli {
namespace {

std::string condition(const model::With& with) { return with.always() ? "" : fmt::format("with {}", with.text()); }

std::string need(const model::Param& param) {
  if (!param.required) return condition(param.with);
  return param.with.always() ? "required" : "required " + condition(param.with);
}

Json to_json(const model::With& with) { return {{with.param, with.values}}; }

std::string params_text(std::span<const model::Param> params) {
  Table table;
  for (const model::Param& param : params) {
    std::string doc(param.doc);
    if (!param.one_of.empty()) doc += fmt::format(": {}", fmt::join(param.one_of, ", "));
    table.row({{std::string(param.name)}, {std::string(param_type_name(param.type))}, {need(param)}, {doc}});
  }
  return table.text("  ");
}

std::string fields_text(std::span<const model::Field> fields) {
  Table table;
  for (const model::Field& field : fields) {
    table.row({{std::string(field.name)},
               {model::type_of(field.type).text()},
               {condition(field.with)},
               {std::string(field.doc)}});
  }
  return table.text("  ");
}

Json params_json(std::span<const model::Param> params) {
  Json out = Json::array();
  for (const model::Param& param : params) {
    Json& added =
        out.emplace_back(Json{{"name", param.name}, {"type", param_type_name(param.type)}, {"doc", param.doc}});
    added["required"] = param.required;
    added["templates"] = !param.literal;
    if (!param.one_of.empty()) added["one_of"] = param.one_of;
    if (!param.with.always()) added["with"] = to_json(param.with);
  }
  return out;
}

Json fields_json(std::span<const model::Field> fields) {
  Json out = Json::array();
  for (const model::Field& field : fields) {
    Json& added =
        out.emplace_back(Json{{"name", field.name}, {"type", model::type_of(field.type).text()}, {"doc", field.doc}});
    if (!field.with.always()) added["with"] = to_json(field.with);
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
  if (!kind.outputs.empty()) out += "\nOutput:\n" + fields_text(kind.outputs);
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
          {"parameters", params_json(kind.params)},
          {"output", fields_json(kind.outputs)},
          {"example", kind.example}};
}

}  // namespace canorun::cli
