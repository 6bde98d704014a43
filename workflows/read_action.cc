#include <fmt/format.h>

#include "workflows/action_keys.h"

namespace canorun::workflows {

std::optional<ActionDef> read_value(Reader& reader, const Entry& entry, accept::Script) {
  if (!entry.value->is_scalar() || entry.value->kind == NodeKind::kNull) {
    reader.wrong_type(*entry.value, "'run'", "a shell script");
    return std::nullopt;
  }
  return ActionDef{.kind = entry.key, .kind_name = "shell", .params = {}, .script = entry.value};
}

std::optional<ActionDef> read_value(Reader& reader, const Entry& entry, accept::TaskName) {
  const auto name = reader.read(accept::Text{}, *entry.value, "'task'");
  if (!name) return std::nullopt;
  return ActionDef{.kind = entry.value, .kind_name = *name, .params = {}};
}

std::optional<std::vector<Entry>> read_value(Reader& reader, const Entry& entry, accept::Parameters) {
  return reader.entries(*entry.value, quoted(entry), "a map of parameter to value");
}

std::optional<ActionDef> read_value(Reader& reader, const Entry& entry, accept::Action) {
  const std::string what = quoted(entry);
  if (entry.value->kind != NodeKind::kMap) {
    reader.wrong_type(*entry.value, what, "an action", "for example {run: ./script.sh}");
    return std::nullopt;
  }
  ActionDef action;
  ShapedMap<ActionDef> map(reader, *entry.value, kActionShapes, kActionKeys);
  map.read(what, action);
  const auto& shapes = map.shapes();
  if (shapes.empty()) {
    // A key that nobody knows may have been meant as one of them.
    if (!map.was_meant({}) && !map.was_meant("run") && !map.was_meant("task")) {
      reader.error(Code::kMissingKey, *entry.key, fmt::format("{} needs 'run' or 'task'", what));
    }
  } else if (shapes.size() > 1) {
    reader.error(Code::kBadValue, *shapes[1].entry->key, fmt::format("{} has both 'run' and 'task'", what),
                 "leave one of them out");
  }
  return action.kind != nullptr ? std::optional(std::move(action)) : std::nullopt;
}

std::vector<ShapeInfo> action_keys() { return shape_infos<ActionDef>(kActionShapes, kActionKeys); }

}  // namespace canorun::workflows
