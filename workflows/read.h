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
std::optional<ConcurrencyDef> read_value(Reader& reader, const Entry& entry, accept::Concurrency type);
std::optional<ResourcesDef> read_value(Reader& reader, const Entry& entry, accept::Resources type);
std::optional<std::vector<model::Breaker>> read_value(Reader& reader, const Entry& entry, accept::Breakers type);
std::optional<std::vector<RateLimitDef>> read_value(Reader& reader, const Entry& entry, accept::RateLimits type);
std::optional<std::vector<ServiceDef>> read_value(Reader& reader, const Entry& entry, accept::Services type);
std::optional<std::vector<ActionDef>> read_value(Reader& reader, const Entry& entry, accept::OnEnd type);
std::optional<RetryDef> read_value(Reader& reader, const Entry& entry, accept::Retry type);
std::optional<std::vector<TierDef>> read_value(Reader& reader, const Entry& entry, accept::Tiers type);
std::optional<RulesDef> read_value(Reader& reader, const Entry& entry, accept::Rules type);
std::optional<TimerDef> read_value(Reader& reader, const Entry& entry, accept::Timer type);
std::optional<SplitDef> read_value(Reader& reader, const Entry& entry, accept::Split type);
std::optional<std::vector<SplitDef::Branch>> read_value(Reader& reader, const Entry& entry, accept::Branches type);
std::optional<JoinDef> read_value(Reader& reader, const Entry& entry, accept::Join type);
std::optional<BatchDef> read_value(Reader& reader, const Entry& entry, accept::Batch type);
std::optional<PollDef> read_value(Reader& reader, const Entry& entry, accept::Poll type);
std::optional<policy::Retry> read_value(Reader& reader, const Entry& entry, accept::Backoff type);
std::optional<SteppedDef> read_value(Reader& reader, const Entry& entry, accept::Stepped type);
std::optional<StreamDef> read_value(Reader& reader, const Entry& entry, accept::Stream type);
std::optional<decltype(StreamDef::source)> read_value(Reader& reader, const Entry& entry, accept::Source type);
/// Its `count` and `every`.
std::optional<StreamDef> read_value(Reader& reader, const Entry& entry, accept::Window type);
std::optional<model::StreamShape::ItemErrors> read_value(Reader& reader, const Entry& entry, accept::ItemErrors type);
std::optional<WaitDef> read_value(Reader& reader, const Entry& entry, accept::Wait type);
std::optional<ActionDef> read_value(Reader& reader, const Entry& entry, accept::Action type);
std::optional<ActionDef> read_value(Reader& reader, const Entry& entry, accept::UndoableAction type);
std::optional<ActionDef> read_value(Reader& reader, const Entry& entry, accept::Compensation type);
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

/// Reports what makes the join of a split impossible, whatever its branches do. `timed`: the state has a
/// timeout, or may have been meant to have one.
void check_join(Reader& reader, const SplitDef& split, bool timed);

/// The tables they read by.
std::vector<KeyInfo> flow_keys();
std::vector<KeyInfo> defaults_keys();
std::vector<KeyInfo> input_keys();
std::vector<KeyInfo> rule_keys();
std::vector<KeyInfo> retry_keys();
std::vector<KeyInfo> concurrency_keys();
std::vector<KeyInfo> resources_keys();
std::vector<KeyInfo> breaker_keys();
std::vector<KeyInfo> rate_limit_keys();
std::vector<KeyInfo> service_keys();
std::vector<KeyInfo> tier_keys();
std::vector<KeyInfo> timer_keys();
std::vector<KeyInfo> split_keys();
std::vector<KeyInfo> join_keys();
std::vector<KeyInfo> batch_keys();
std::vector<KeyInfo> poll_keys();
std::vector<KeyInfo> backoff_keys();
std::vector<KeyInfo> stepped_keys();
std::vector<KeyInfo> stream_keys();
std::vector<KeyInfo> file_keys();
std::vector<KeyInfo> window_keys();
std::vector<KeyInfo> item_error_keys();
std::vector<KeyInfo> wait_keys();

/// The parameters that a `run` stands for; those marked so may stand beside it.
std::span<const model::Param> run_params(model::Catalog catalog);

/// A shape and what may stand beside it; with `run` go parameters, too.
struct ShapeInfo {
  KeyInfo shape;
  std::vector<KeyInfo> beside;
};
std::vector<ShapeInfo> shape_keys();
/// Of an action inside a shape.
std::vector<ShapeInfo> action_keys();
/// Of one that may have what undoes it.
std::vector<ShapeInfo> undoable_action_keys();
/// Of what undoes one.
std::vector<ShapeInfo> compensation_keys();
/// Of an action of `on_end`.
std::vector<ShapeInfo> end_action_keys();

}  // namespace canorun::workflows
