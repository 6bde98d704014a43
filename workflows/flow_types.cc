#include "workflows/flow_types.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "engine/expr/record.h"

namespace canorun::workflows {
namespace {

using expr::Record;
using expr::Type;
using expr::TypeKind;
using model::RecordTag;
using model::Slot;

Type& at_slot(std::array<Type, model::kSlotCount>& types, Slot slot) { return types[static_cast<std::size_t>(slot)]; }

Type state_type(const Type& output) {
  auto state = model::record("a state", RecordTag::kState);
  state->add("output", output);
  state->add("error", model::error_type());
  state->add("visits", Type::integer());
  return Type::record(std::move(state));
}

}  // namespace

FlowTypes::FlowTypes(const Definition& flow, model::Catalog catalog) : catalog_(catalog) {
  auto inputs = model::record("'inputs'", RecordTag::kInputs);
  for (const model::Input& input : flow.inputs) inputs->add(input.name, model::type_of(input.type));
  auto env = model::record("'env'", RecordTag::kEnv);
  // A value that is no text was reported.
  for (const auto& [name, value] : flow.env) env->add(name->text, value->is_scalar() ? Type::string() : Type::dyn());
  auto states = model::record("'states'", RecordTag::kStates);
  std::unordered_map<const Record*, Type> by_output;
  for (const StateDef& state : flow.states) {
    const Type& output =
        outputs_.emplace_back(std::visit([&](const auto& shape) { return output_of(shape); }, state.shape));
    // Thousands of states have few outputs between them.
    Type type = output.is(TypeKind::kRecord) ? by_output[output.record().get()] : Type::dyn();
    if (type.is_dyn()) type = state_type(output);
    if (output.is(TypeKind::kRecord)) by_output[output.record().get()] = type;
    states->add(std::string(state.text()), std::move(type));
  }
  at_slot(types_, Slot::kInputs) = Type::record(std::move(inputs));
  at_slot(types_, Slot::kEnv) = Type::record(std::move(env));
  at_slot(types_, Slot::kStates) = Type::record(std::move(states));
  at_slot(types_, Slot::kRun) = model::run_type();
  at_slot(types_, Slot::kAction) = model::action_type();
  at_slot(types_, Slot::kError) = model::error_type();
  at_slot(types_, Slot::kIndex) = Type::integer();
  at_slot(types_, Slot::kStep) = Type::integer();
}

Type FlowTypes::output_of(const SplitDef& split) {
  if (split.for_each != nullptr)
    return model::split_output_type(Type::list(model::ended_type("a branch", output_of(split.each))));
  if (split.branches.empty()) return Type::dyn();
  auto branches = model::record("'branches'", RecordTag::kOutput);
  for (const SplitDef::Branch& branch : split.branches) {
    branches->add(branch.name->text,
                  model::ended_type(fmt::format("branch '{}'", branch.name->text), output_of(branch.action)));
  }
  return model::split_output_type(Type::record(std::move(branches)));
}

Type FlowTypes::output_of(const BatchDef& batch) {
  return model::batch_output_type(model::ended_type("an item", output_of(batch.each)));
}

Type FlowTypes::output_of(const PollDef& poll) {
  const Type ask = output_of(poll.ask);
  Type output = model::poll_output_type(ask);
  if (const auto kind = kinds_.find(ask.record().get()); kind != kinds_.end())
    kinds_.emplace(output.record().get(), kind->second);
  return output;
}

Type FlowTypes::output(const ActionDef& action) {
  const model::TaskKind* const known = model::find_kind(catalog_, action.kind_name);
  if (known == nullptr) return Type::dyn();
  const model::TaskKind& kind = *known;
  // A key that is not known may be the one that a field depends on.
  bool sure = !action.guessed;
  std::string key(kind.name);
  std::unordered_map<std::string_view, std::string_view> given;
  for (const Entry& entry : action.params) {
    const model::Param* const param = model::find_param(kind, entry.key->text);
    // A parameter that is wrong may be the one that a field depends on.
    if (param == nullptr) sure = false;
    const auto depends = [param](const model::Field& field) { return field.with.param == param->name; };
    if (param == nullptr || std::ranges::none_of(kind.outputs, depends)) continue;
    if (std::ranges::find(param->one_of, entry.value->text) == param->one_of.end()) sure = false;
    given.emplace(param->name, entry.value->text);
    key += fmt::format(" {}={}", param->name, entry.value->text);
  }
  Type& made = made_[sure ? key : std::string(kind.name) + "?"];
  if (!made.is_dyn()) return made;
  made = model::output_type(kind, [&](const model::Field& field) {
    const auto found = given.find(field.with.param);
    return !sure || (found != given.end() && field.with.holds(found->second));
  });
  if (made.record() != nullptr) kinds_.emplace(made.record().get(), &kind);
  return made;
}

void FlowTypes::set_vars(const std::vector<model::Var>& vars) {
  auto types = model::record("'vars'", RecordTag::kVars);
  for (const model::Var& var : vars) types->add(var.name, model::type_of(var.type));
  at_slot(types_, Slot::kVars) = Type::record(std::move(types));
}

std::string FlowTypes::how_to_get(const expr::Record& output, std::string_view field) const {
  const auto kind = kinds_.find(&output);
  if (kind == kinds_.end()) return {};
  const auto found = std::ranges::find(kind->second->outputs, field, &model::Field::name);
  if (found == kind->second->outputs.end()) return {};
  return fmt::format("it has that with '{}'", found->with.text());
}

std::array<Type, model::kSlotCount> FlowTypes::at(const Place& place) const {
  std::array<Type, model::kSlotCount> types;
  for (std::size_t i = 0; i < types.size(); ++i) {
    if (place.has(static_cast<Slot>(i))) types[i] = types_[i];
  }
  if (place.at_end) at_slot(types, Slot::kRun) = model::ended_run_type();
  if (place.has(Slot::kOutput)) at_slot(types, Slot::kOutput) = place.output;
  if (place.has(Slot::kItem)) at_slot(types, Slot::kItem) = place.item;
  if (place.has(Slot::kItems)) at_slot(types, Slot::kItems) = Type::list(place.item);
  return types;
}

}  // namespace canorun::workflows
