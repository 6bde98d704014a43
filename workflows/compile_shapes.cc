#include "workflows/compile_shapes.h"

#include <fmt/format.h>

#include "engine/base/duration.h"
#include "workflows/shaped_map.h"

namespace canorun::workflows {
namespace {

using model::Slot;

// The names inside a shape, with another one for `item` where there is an `as`.
expr::Environment names_with(std::string_view as) {
  return model::environment_with(as.empty() ? model::slot_name(Slot::kItem) : as);
}

}  // namespace

model::Shape ShapeCompiler::compile(const StateDef& state, model::StateId id) {
  state_ = &state;
  id_ = id;
  return std::visit([this](const auto& def) { return make(def); }, state.shape);
}

Place ShapeCompiler::place(std::string_view name, const Brought& brought) const {
  return {.name = name,
          .scope = static_cast<SlotSet>(kStateSlots | brought.slots),
          .moment = {id_, Phase::kBefore},
          .environment = brought.environment,
          .item = brought.item};
}

Place ShapeCompiler::after(std::string_view name, const InnerAction& action, const Brought& brought) {
  Place place = this->place(name, brought);
  place.scope |= slots(Slot::kOutput);
  if (action) place.output = types_.output(*action);
  return place;
}

model::Action ShapeCompiler::action(const InnerAction& def, const Brought& brought) {
  return def ? actions_.compile(*def, place("an action", brought)) : model::Action{};
}

model::Action ShapeCompiler::undoable(const InnerAction& def, const Brought& brought) {
  model::Action made = action(def, brought);
  // The state's work goes on, and may fail in the end.
  if (def) made.compensation = compensation(*def, brought, Phase::kBefore);
  return made;
}

std::shared_ptr<const model::Compensation> ShapeCompiler::compensation(const ActionDef& undone, const Brought& brought,
                                                                       Phase done) {
  if (undone.compensation == nullptr) return nullptr;
  const ActionDef& def = *undone.compensation;
  model::Compensation made{.action = {}, .from_start = def.from_start};
  const model::TaskKind* const kind = model::find_kind(reader_.catalog, def.kind_name);
  if (kind != nullptr && kind->runs_flow) {
    reader_.error(Code::kBadValue, *def.kind, fmt::format("'{}' cannot stand in '{}'", kind->name, kCompensate),
                  "take 'run' or another kind");
  } else {
    Place around = after("an action", undone, brought);
    around.moment = {.state = id_, .phase = def.from_start ? Phase::kBefore : done, .later = true};
    made.action = actions_.compile(def, around);
  }
  return std::make_shared<const model::Compensation>(std::move(made));
}

expr::Tree ShapeCompiler::tree(const Node* node, std::string_view what) {
  auto made = node != nullptr ? expressions_.tree(*node, place(what)) : std::nullopt;
  return made ? std::move(*made) : expr::Tree::of(Json());
}

ShapeCompiler::List ShapeCompiler::list(const Node* node, std::string_view what) {
  if (node == nullptr) return {};
  auto made = expressions_.expression(*node, what, place(what), expr::TypeKind::kList, "a list");
  if (!made) return {};
  const auto parameters = made->type.parameters();
  return {std::move(made->condition.expression), parameters.empty() ? expr::Type::dyn() : parameters.front()};
}

expr::Expression ShapeCompiler::expression(const Node* node, std::string_view what, const Place& place) {
  auto made = node != nullptr ? expressions_.expression(*node, what, place) : std::nullopt;
  return made ? std::move(made->condition.expression) : expr::Expression();
}

expr::Expression ShapeCompiler::condition(const Node* node, std::string_view what, const Place& place) {
  auto made = node != nullptr ? expressions_.condition(*node, what, place) : std::nullopt;
  return made ? std::move(made->expression) : expr::Expression();
}

model::Shape ShapeCompiler::make(const ActionDef& def) {
  model::Action action = actions_.compile(def, place("an action"));
  action.compensation = compensation(def, {}, Phase::kAfterSuccess);
  return model::ActionShape{std::move(action)};
}

model::Shape ShapeCompiler::make(const TimerDef& def) {
  model::TimerShape timer;
  const auto compile = [&](const Node& node, const Want& want, auto check) -> std::optional<expr::Template> {
    if (!node.is_scalar() || node.kind == NodeKind::kNull)
      return reader_.wrong_type(node, want.what, "a text"), std::nullopt;
    auto made = expressions_.text(node, place(want.what), want);
    if (!made || !made->is_literal()) return made;
    const auto checked = check(node.text);
    if (!checked) reader_.error(Code::kBadValue, node, checked.error().message, checked.error().hint);
    return made;
  };
  constexpr auto kText = model::json::kString;
  if (def.wait_for != nullptr)
    timer.wait_for = compile(*def.wait_for, {"'for'", "the text of a duration", kText}, parse_duration);
  if (def.until != nullptr) timer.until = compile(*def.until, {"'until'", "the text of a time", kText}, parse_time);
  check_timeout(def);
  return timer;
}

void ShapeCompiler::check_timeout(const TimerDef& def) {
  if (def.wait_for == nullptr || !state_->timeout) return;
  const auto wait = parse_duration(def.wait_for->text);
  if (!wait || *wait <= *state_->timeout) return;
  reader_.error(Code::kTimeoutTooShort, *def.wait_for,
                fmt::format("this timer can only fail: it waits longer than its timeout of {}",
                            format_duration(*state_->timeout)),
                "wait for less, or give it more time");
}

model::Shape ShapeCompiler::make(const ExitDef& def) {
  return model::ExitShape{.kind = def.kind, .output = tree(def.output, "'output'")};
}

model::Shape ShapeCompiler::make(const SplitDef& def) {
  model::SplitShape split{.branches = {}, .for_each = {}, .each = {}, .join = def.join.join, .bulkhead = def.bulkhead};
  for (const SplitDef::Branch& branch : def.branches) {
    split.branches.push_back({branch.name->text, undoable(branch.action)});
  }
  if (def.for_each != nullptr) {
    List elements = list(def.for_each, "'for_each'");
    split.for_each = std::move(elements.expression);
    const expr::Environment names = names_with(def.as);
    split.each = undoable(def.each, {slots(Slot::kItem, Slot::kIndex), std::move(elements.element), &names});
  }
  return split;
}

model::Shape ShapeCompiler::make(const BatchDef& def) {
  List elements = list(def.items, "'items'");
  const expr::Environment names = names_with(def.as);
  return model::BatchShape{
      .items = std::move(elements.expression),
      .each = undoable(def.each, {slots(Slot::kItem, Slot::kIndex), std::move(elements.element), &names}),
      .concurrency = def.concurrency,
      .min_success = def.min_success};
}

model::Shape ShapeCompiler::make(const PollDef& def) {
  return model::PollShape{.ask = action(def.ask),
                          .until = condition(def.until, "'until'", after("'until'", def.ask)),
                          .every = def.every,
                          .max_errors = def.max_errors};
}

model::Shape ShapeCompiler::make(const SteppedDef& def) {
  const expr::Environment names = names_with({});
  const Brought brought{slots(Slot::kCursor, Slot::kStep), {}, &names};
  return model::SteppedShape{.initial = tree(def.initial, "'initial'"),
                             .step = action(def.step, brought),
                             .cursor = expression(def.cursor, "'cursor'", after("'cursor'", def.step, brought))};
}

model::Shape ShapeCompiler::make(const StreamDef& def) {
  const expr::Environment names = names_with(def.as);
  const expr::Type item = def.json ? expr::Type::dyn() : expr::Type::string();
  const auto brought = [&](auto... slot) { return Brought{slots(slot...), item, &names}; };
  model::StreamShape stream;
  stream.source = source(def, brought(Slot::kCursor));
  stream.initial = tree(def.initial, "'initial'");
  stream.json = def.json;
  if (def.cursor != nullptr)
    stream.cursor = expression(def.cursor, "'cursor'", place("'cursor'", brought(Slot::kItem, Slot::kCursor)));
  stream.count = def.count;
  stream.every = def.every;
  if (def.each) stream.each = action(def.each, brought(Slot::kItem, Slot::kIndex, Slot::kCursor));
  stream.flush = action(def.flush, brought(Slot::kItems, Slot::kCursor));
  stream.on_item_error = def.on_item_error;
  if (def.stop_when != nullptr)
    stream.stop_when = condition(def.stop_when, "'stop_when'", place("'stop_when'", brought(Slot::kItem)));
  return stream;
}

std::variant<model::Action, model::StreamShape::File> ShapeCompiler::source(const StreamDef& def,
                                                                            const Brought& brought) {
  if (const auto* const file = std::get_if<StreamDef::File>(&def.source)) {
    model::StreamShape::File made{.path = {}, .follow = file->follow};
    if (file->path == nullptr) return made;
    auto path = expressions_.text(*file->path, place("'file'"), {"'file'", "a text", model::json::kScalar});
    if (path) made.path = std::move(*path);
    return made;
  }
  const auto* const given = std::get_if<ActionDef>(&def.source);
  if (given == nullptr) return model::Action{};
  // It may print for as long as it likes.
  model::Action made = actions_.compile(*given, place("an action", brought), false);
  if (made.kind != nullptr && made.kind->make_lines == nullptr) {
    reader_.error(Code::kBadValue, *given->kind,
                  fmt::format("'{}' cannot be the source of a stream: it gives no lines", made.kind->name),
                  "take a kind that runs a command");
  }
  return made;
}

model::Shape ShapeCompiler::make(const WaitDef& def) {
  return model::WaitShape{.signal = std::string(def.signal), .type = def.type};
}

}  // namespace canorun::workflows
