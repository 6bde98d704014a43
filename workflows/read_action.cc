#include <fmt/format.h>

#include <span>

#include "workflows/action_keys.h"

namespace canorun::workflows {
namespace {

constexpr auto kEndActionKeys =
    and_key({kActions, key<ActionDef>("when", "An expression, without ${{ }}: false leaves the action out.",
                                      accept::Expression{}, [](ActionDef& a, const Node& when) { a.when = &when; })});

constexpr auto kCompensationKeys = and_key(
    {kActions,
     key<ActionDef>("after",
                    "What makes it due: `success` of the action, the default, or its `start`, as the action "
                    "may have had its effect without an answer.",
                    accept::Choice{kAfterWords}, [](ActionDef& a, std::size_t word) { a.from_start = word == 1; })});

// What is missing is told of at `owner`.
std::optional<ActionDef> read_action(Reader& reader, const Node& node, const Node& owner, std::string_view what,
                                     std::span<const ShapedKey<ActionDef>> keys) {
  if (node.kind != NodeKind::kMap) {
    reader.wrong_type(node, what, "an action", "for example {run: ./script.sh}");
    return std::nullopt;
  }
  ActionDef action;
  ShapedMap<ActionDef> map(reader, node, kActionShapes, keys);
  map.read(what, action);
  const auto& shapes = map.shapes();
  if (shapes.empty()) {
    // A key that nobody knows may have been meant as one of them.
    if (!map.was_meant({}) && !map.was_meant("run") && !map.was_meant("task")) {
      reader.error(Code::kMissingKey, owner, fmt::format("{} needs 'run' or 'task'", what));
    }
  } else if (shapes.size() > 1) {
    reader.error(Code::kBadValue, *shapes[1].entry->key, fmt::format("{} has both 'run' and 'task'", what),
                 "leave one of them out");
  }
  return action.kind != nullptr ? std::optional(std::move(action)) : std::nullopt;
}

}  // namespace

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
  return read_action(reader, *entry.value, *entry.key, quoted(entry), kActionKeys);
}

std::optional<ActionDef> read_value(Reader& reader, const Entry& entry, accept::UndoableAction) {
  return read_action(reader, *entry.value, *entry.key, quoted(entry), kUndoableActionKeys);
}

std::optional<ActionDef> read_value(Reader& reader, const Entry& entry, accept::Compensation) {
  return read_action(reader, *entry.value, *entry.key, quoted(entry), kCompensationKeys);
}

std::optional<std::vector<ActionDef>> read_value(Reader& reader, const Entry& entry, accept::OnEnd) {
  std::vector<ActionDef> actions;
  if (entry.value->kind != NodeKind::kList) {
    reader.wrong_type(*entry.value, quoted(entry), "a list of actions", "for example [{run: ./notify.sh}]");
    return std::nullopt;
  }
  for (const Node* element : entry.value->list) {
    auto action = read_action(reader, *element, *element, "an element of 'on_end'", kEndActionKeys);
    if (action) actions.push_back(std::move(*action));
  }
  return actions;
}

std::vector<ShapeInfo> action_keys() { return shape_infos<ActionDef>(kActionShapes, kActionKeys); }
std::vector<ShapeInfo> undoable_action_keys() { return shape_infos<ActionDef>(kActionShapes, kUndoableActionKeys); }
std::vector<ShapeInfo> compensation_keys() { return shape_infos<ActionDef>(kActionShapes, kCompensationKeys); }
std::vector<ShapeInfo> end_action_keys() { return shape_infos<ActionDef>(kActionShapes, kEndActionKeys); }

}  // namespace canorun::workflows
