// From a document to a definition.
#pragma once

#include <concepts>
#include <optional>
#include <vector>

#include "workflows/definition.h"
#include "workflows/reader.h"

namespace canorun::workflows {

/// Reads a whole flow. What could not be read is reported and missing from the definition.
Definition read_flow(Reader& reader);

/// Read what a key accepts. What has more to say than that it could not be read gives something still.
std::optional<std::vector<model::Input>> read_value(Reader& reader, const Entry& entry, accept::Inputs type);
std::optional<model::InputType> read_value(Reader& reader, const Entry& entry, accept::InputType type);
std::optional<std::vector<Entry>> read_value(Reader& reader, const Entry& entry, accept::Variables type);
std::optional<std::vector<Entry>> read_value(Reader& reader, const Entry& entry, accept::Environment type);
std::optional<std::vector<Entry>> read_value(Reader& reader, const Entry& entry, accept::Settings type);
std::optional<std::vector<Entry>> read_value(Reader& reader, const Entry& entry, accept::Parameters type);
std::optional<std::vector<StateDef>> read_value(Reader& reader, const Entry& entry, accept::States type);
std::optional<DefaultsDef> read_value(Reader& reader, const Entry& entry, accept::Defaults type);
std::optional<RetryDef> read_value(Reader& reader, const Entry& entry, accept::Retry type);
std::optional<RulesDef> read_value(Reader& reader, const Entry& entry, accept::Rules type);
std::optional<TimerDef> read_value(Reader& reader, const Entry& entry, accept::Timer type);
std::optional<ActionDef> read_value(Reader& reader, const Entry& entry, accept::Script type);
std::optional<ActionDef> read_value(Reader& reader, const Entry& entry, accept::TaskName type);
std::optional<ExitDef> read_value(Reader& reader, const Entry& entry, accept::ExitKind type);

template <class Type>
auto read_value(Reader& reader, const Entry& entry, const Type& type) {
  if constexpr (std::derived_from<Type, accept::Later>) {
    return entry.value;
  } else {
    return reader.read(type, *entry.value, quoted(entry));
  }
}

StateDef read_state(Reader& reader, const Entry& entry);

/// The tables they read by.
std::vector<KeyInfo> flow_keys();
std::vector<KeyInfo> defaults_keys();
std::vector<KeyInfo> input_keys();
std::vector<KeyInfo> rule_keys();
std::vector<KeyInfo> retry_keys();
std::vector<KeyInfo> timer_keys();

/// The parameters that a `run` stands for; those marked so may stand beside it.
std::span<const model::Param> run_params(model::Catalog catalog);

/// A shape and what may stand beside it; with `run` go parameters, too.
struct ShapeInfo {
  KeyInfo shape;
  std::vector<KeyInfo> beside;
};
std::vector<ShapeInfo> shape_keys();

}  // namespace canorun::workflows
