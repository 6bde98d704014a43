// What the value of a key may be. The reader reads it by this, and the JSON Schema of the flow file is
// made of it.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/base/clock.h"
#include "engine/base/diagnostic.h"

namespace canorun::workflows {
namespace accept {

struct Text {};          ///< a scalar as it is written, without templates
struct TextTemplate {};  ///< a scalar that may hold templates
struct FlowName {};
struct StateName {};
struct ResourceName {};  ///< of a breaker or a rate limit
struct SignalName {};
struct ItemName {};  ///< what expressions call the element that is worked on
struct Flag {};
struct Duration {
  Millis least{0};
};
struct Integer {
  std::int64_t least;
  std::int64_t most = std::numeric_limits<std::int64_t>::max();
  Code code = Code::kBadValue;  ///< of what is out of these bounds
};
struct Percentage {
  bool none_too = false;  ///< 0 as well
  Code code = Code::kBadValue;
};
struct Number {
  double least;
  double most;
};
struct Choice {
  std::span<const std::string_view> words;
};

/// What is looked at when names are resolved and expressions compiled; the reader only keeps its place.
struct Later {};
struct Expression : Later {};  ///< without braces
struct Value : Later {};       ///< any value, templates in its texts
struct DurationTemplate : Later {};
struct TimeTemplate : Later {};
struct InputDefault : Later {};  ///< a value of the input's type
struct InputEnum : Later {};     ///< a list of such values

/// What a file of its own reads.
struct Inputs {};  ///< name -> type
struct InputType {};
struct Variables {};    ///< name -> initial value
struct Environment {};  ///< name -> text with templates
struct Settings {};     ///< variable -> new value
struct Defaults {};
struct Concurrency {};
struct Resources {};
struct Breakers {};    ///< name -> breaker
struct RateLimits {};  ///< name -> rate limit
struct Services {};    ///< name -> service
struct OnEnd {};       ///< a list of actions
struct Retry {};
struct Tiers {};  ///< the rate limits of an action
struct Rules {
  bool only_list = false;  ///< otherwise the name of a state will do
};
struct Timer {};
struct Split {};
struct Branches {};  ///< name -> action
struct Join {};
struct Batch {};
struct Poll {};
struct Backoff {};  ///< the delays of a poll
struct Stepped {};
struct Stream {};
struct Source {};
struct Window {};
struct ItemErrors {};
struct Wait {};
struct Action {};          ///< inside a shape
struct UndoableAction {};  ///< one that may have what undoes it
struct Compensation {};
struct Script {};
struct TaskName {};
struct Parameters {};  ///< of a task: its catalog row says more
struct ExitKind {};
struct States {};  ///< name -> state

}  // namespace accept

using Accept = std::variant<
    accept::Text, accept::TextTemplate, accept::FlowName, accept::StateName, accept::ResourceName, accept::SignalName,
    accept::ItemName, accept::Flag, accept::Duration, accept::Integer, accept::Percentage, accept::Number,
    accept::Choice, accept::Expression, accept::Value, accept::DurationTemplate, accept::TimeTemplate,
    accept::InputDefault, accept::InputEnum, accept::Inputs, accept::InputType, accept::Variables, accept::Environment,
    accept::Settings, accept::Defaults, accept::Concurrency, accept::Resources, accept::Breakers, accept::RateLimits,
    accept::Services, accept::OnEnd, accept::Retry, accept::Tiers, accept::Rules, accept::Timer, accept::Split,
    accept::Branches, accept::Join, accept::Batch, accept::Poll, accept::Backoff, accept::Stepped, accept::Stream,
    accept::Source, accept::Window, accept::ItemErrors, accept::Wait, accept::Action, accept::UndoableAction,
    accept::Compensation, accept::Script, accept::TaskName, accept::Parameters, accept::ExitKind, accept::States>;

/// A key of a map of the flow file.
struct KeyInfo {
  std::string_view name;
  std::string_view doc;
  Accept accepts;
  bool required = false;
};

inline constexpr std::array<std::string_view, 3> kExitWords{"success", "failure", "rollback"};
/// Of what a compensation may come after: the second makes it owed before the action begins.
inline constexpr std::array<std::string_view, 2> kAfterWords{"success", "start"};
/// In the order of model::OnConflict.
inline constexpr std::array<std::string_view, 4> kOnConflictWords{"reject", "queue", "skip", "cancel_running"};
/// What `join` and `on_item_error` may be but a map.
inline constexpr std::array<std::string_view, 3> kJoinWords{"all", "any", "partial_timeout"};
inline constexpr std::array<std::string_view, 2> kItemErrorWords{"fail", "skip"};
/// `75`, `75%`, `33.33%`
inline constexpr std::string_view kPercentagePattern = R"([0-9]+(\.[0-9]{1,2})?%?)";
/// The shortest time that something may take, and the bounds of numbers that stand in several places.
inline constexpr Millis kShortest{1};
inline constexpr accept::Number kFactors{1, 1000};
inline constexpr accept::Number kShares{0, 1};

}  // namespace canorun::workflows
