#include <fmt/format.h>

#include "engine/model/types.h"
#include "workflows/keys.h"

namespace canorun::workflows {
namespace {

struct InputDef {
  model::Input input;
  bool typed = false;
  const Node* fallback = nullptr;
  const Node* one_of = nullptr;
};

constexpr std::array kInputKeys{
    key<InputDef>(
        "type", "The type of its values.", accept::InputType{},
        [](InputDef& d, model::InputType type) {
          d.input.type = type;
          d.typed = true;
        },
        kRequired),
    key<InputDef>("default", "Its value when none is given. Without a default it must be given.",
                  accept::InputDefault{}, [](InputDef& d, const Node& value) { d.fallback = &value; }),
    key<InputDef>("description", "What it is for.", accept::Text{},
                  [](InputDef& d, std::string_view text) { d.input.description = text; }),
    key<InputDef>("enum", "The allowed values.", accept::InputEnum{},
                  [](InputDef& d, const Node& values) { d.one_of = &values; }),
    key<InputDef>("secret",
                  "Whether its value is masked wherever it would be shown, and never stored. Only of a string.",
                  accept::Flag{}, [](InputDef& d, bool secret) { d.input.secret = secret; }),
};

// A value of the input's type, in the form that inputs of it have.
std::optional<Json> read_value(Reader& reader, const Node& node, const InputDef& def, std::string_view what) {
  auto value = reader.literal(node, what);
  if (!value || !def.typed) return std::nullopt;
  if (!model::fits(def.input.type, *value)) {
    reader.error(Code::kWrongType, node,
                 fmt::format("{} of input '{}' must be {}, not {}", what, def.input.name,
                             model::described(def.input.type), kind_name(node)),
                 def.input.type == model::InputType::kString && node.is_scalar() && !node.empty ? "quote it" : "");
    return std::nullopt;
  }
  model::convert(def.input.type, *value);
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
  if (!def.input.fallback || model::is_allowed(def.input, *def.input.fallback)) return;
  reader.error(Code::kBadValue, *def.fallback,
               fmt::format("the default of input '{}' is not in its 'enum'", def.input.name));
}

// What the file says of a secret may tell it.
void check_secret(Reader& reader, const Entry& entry, InputDef& def) {
  const std::string& name = def.input.name;
  if (def.typed && def.input.type != model::InputType::kString) {
    reader.error(Code::kBadValue, *entry.value->find("type"), fmt::format("secret input '{}' must be a string", name),
                 "only what is a text can be masked");
  }
  for (const auto& [what, node] : {std::pair("default", &def.fallback), std::pair("enum", &def.one_of)}) {
    if (*node == nullptr) continue;
    reader.error(Code::kBadValue, **node,
                 fmt::format("secret input '{}' cannot have '{}': the file would hold it", name, what),
                 fmt::format("leave it out, and give it with -i {0}=@env:NAME or -i {0}=@file:PATH", name));
    *node = nullptr;
  }
}

model::Input read_input(Reader& reader, const Entry& entry) {
  InputDef def;
  reader.name(*entry.key, "an input");
  def.input.name = entry.key->text;
  if (entry.value->kind == NodeKind::kMap) {
    read_map(reader, *entry.value, *entry.key, fmt::format("input '{}'", entry.key->text), kInputKeys, def);
  } else if (entry.value->is_text()) {
    const auto type = read_value(reader, entry, accept::InputType{});
    if (type) def.input.type = *type;
  } else {
    reader.wrong_type(*entry.value, fmt::format("input '{}'", entry.key->text), "a type or a map with one",
                      "for example string, or {type: int, default: 3}");
  }
  if (def.input.secret) check_secret(reader, entry, def);
  if (def.one_of != nullptr) read_one_of(reader, def);
  if (def.fallback != nullptr) read_default(reader, def);
  return std::move(def.input);
}

}  // namespace

std::optional<model::InputType> read_value(Reader& reader, const Entry& entry, accept::InputType) {
  const auto type = reader.read(accept::Choice{model::kInputTypeNames}, *entry.value, "a type");
  return type ? std::optional(static_cast<model::InputType>(*type)) : std::nullopt;
}

std::optional<std::vector<model::Input>> read_value(Reader& reader, const Entry& entry, accept::Inputs) {
  std::vector<model::Input> inputs;
  for (const Entry& input : reader.entries(*entry.value, quoted(entry), "a map of name to type")) {
    inputs.push_back(read_input(reader, input));
  }
  return inputs;
}

std::vector<KeyInfo> input_keys() { return infos(kInputKeys); }

}  // namespace canorun::workflows
