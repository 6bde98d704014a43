#include <fmt/format.h>

#include "workflows/keys.h"
#include "workflows/read.h"

namespace canorun::workflows {
namespace {

struct InputDef {
  model::Input input;
  bool typed = false;
  const Node* fallback = nullptr;
  const Node* one_of = nullptr;
};

void read_type(Reader& reader, const Node& node, InputDef& def) {
  std::array<std::string_view, static_cast<std::size_t>(model::InputType::kAny) + 1> types;
  for (std::size_t i = 0; i < types.size(); ++i) types[i] = model::input_type_name(static_cast<model::InputType>(i));
  const auto type = reader.choice(node, "the type of an input", types);
  if (!type) return;
  def.input.type = static_cast<model::InputType>(*type);
  def.typed = true;
}

constexpr std::array<Key<InputDef>, 4> kInputKeys{{
    {"type", [](Reader& r, const Entry& e, InputDef& d) { read_type(r, *e.value, d); }, true},
    {"default", [](Reader&, const Entry& e, InputDef& d) { d.fallback = e.value; }},
    {"description",
     [](Reader& r, const Entry& e, InputDef& d) { d.input.description = r.text(*e.value, "'description'").value_or(""); }},
    {"enum", [](Reader&, const Entry& e, InputDef& d) { d.one_of = e.value; }},
}};

// A value of the input's type, in the form that inputs of it have.
std::optional<Json> read_value(Reader& reader, const Node& node, const InputDef& def, std::string_view what) {
  auto value = reader.literal(node, what);
  if (!value || !def.typed) return std::nullopt;
  if (!model::fits(def.input.type, *value)) {
    reader.error(Code::kWrongType, node,
                 fmt::format("{} of input '{}' must be {} {}, not {}", what, def.input.name,
                             def.input.type == model::InputType::kInt ? "an" : "a", model::input_type_name(def.input.type),
                             kind_name(node)),
                 def.input.type == model::InputType::kString && node.is_scalar() && !node.empty ? "quote it" : "");
    return std::nullopt;
  }
  if (def.input.type == model::InputType::kDouble) *value = value->get<double>();
  return value;
}

void read_one_of(Reader& reader, InputDef& def) {
  if (def.one_of->kind != NodeKind::kList) return reader.wrong_type(*def.one_of, "'enum'", "a list of allowed values");
  if (def.one_of->list.empty()) reader.error(Code::kBadValue, *def.one_of, "'enum' has no values");
  for (const Node* element : def.one_of->list) {
    if (auto value = read_value(reader, *element, def, "'enum'")) def.input.one_of.push_back(std::move(*value));
  }
}

void read_default(Reader& reader, InputDef& def) {
  def.input.fallback = read_value(reader, *def.fallback, def, "'default'");
  if (!def.input.fallback || def.input.one_of.empty()) return;
  if (std::ranges::find(def.input.one_of, *def.input.fallback) != def.input.one_of.end()) return;
  reader.error(Code::kBadValue, *def.fallback, fmt::format("the default of input '{}' is not in its 'enum'", def.input.name));
}

}  // namespace

void read_input(Reader& reader, const Entry& entry, Definition& flow) {
  InputDef def;
  reader.name(*entry.key, "an input");
  def.input.name = entry.key->text;
  if (entry.value->kind == NodeKind::kMap) {
    read_map(reader, *entry.value, *entry.key, fmt::format("input '{}'", entry.key->text), kInputKeys, def);
  } else if (entry.value->is_text()) {
    read_type(reader, *entry.value, def);
  } else {
    reader.wrong_type(*entry.value, fmt::format("input '{}'", entry.key->text), "a type or a map with one",
                      "for example string, or {type: int, default: 3}");
  }
  if (def.one_of != nullptr) read_one_of(reader, def);
  if (def.fallback != nullptr) read_default(reader, def);
  flow.inputs.push_back(std::move(def.input));
}

}  // namespace canorun::workflows
