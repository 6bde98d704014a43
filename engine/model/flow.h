// A compiled flow: immutable, states by number, every expression resolved.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "engine/base/clock.h"
#include "engine/base/value.h"
#include "engine/model/shape.h"
#include "engine/policy/breaker.h"
#include "engine/policy/limiter.h"

namespace canorun::model {

/// Runs nest no deeper than this: a child's child is the second level.
inline constexpr std::size_t kMostNestedRuns = 16;

struct Input {
  std::string name;
  InputType type = InputType::kAny;
  std::optional<Json> fallback;  ///< none: required
  std::string description;
  std::vector<Json> one_of;  ///< empty: any
  bool secret = false;       ///< a string, required: masked wherever it would be shown, and never stored
};

struct Assignment {
  std::uint32_t var = 0;  ///< index into Flow::vars
  expr::Tree value;
};

struct State {
  std::string name;
  std::string description;
  Shape shape;
  std::vector<Transition> next;
  std::vector<Transition> on_error;
  std::vector<Assignment> set;
  /// A durable deadline of the whole state, from its first entry. Never on actions.
  std::optional<Millis> deadline;
};

struct Var {
  std::string name;
  expr::Tree initial;
  InputType type = InputType::kAny;  ///< fixed by the initial value; kAny where that is null or its type not known
};

/// Shared by all who name it and use the same store, unless it is the run's own (`scope: run`).
struct Breaker {
  std::string name;
  policy::BreakerRule rule;
  bool of_run = false;
};

/// Likewise.
struct RateLimit {
  std::string name;
  policy::LimitRule rule;
  bool fails = false;  ///< who would have to wait fails instead (`on_limit: fail`)
  bool of_run = false;
};

/// What a flow's work needs to be there. Each is a state of its own with an ActionShape, which no transition leads to;
/// it is named like `services.db.setup`.
struct Service {
  std::string name;
  std::optional<State> setup;
  std::optional<State> teardown;
  std::optional<State> health;
};

/// What is done once the run has its outcome; the state is named like `on_end.1`, from 1.
struct EndAction {
  std::optional<expr::Expression> when;
  State state;
};

/// What becomes of a run whose group another one holds.
enum class OnConflict : std::uint8_t { kReject, kQueue, kSkip, kCancelRunning };

/// One run of a group at a time.
struct Concurrency {
  expr::Template group;  ///< may use `inputs`, `env` and `run`
  OnConflict on_conflict = OnConflict::kReject;
};

/// Whether the state does any work: it is neither passed nor an end.
bool is_work(const State& state);

/// Immutable after compile; shared by everything that runs it.
struct Flow {
  std::string name;
  std::uint64_t version = 0;
  std::string description;
  std::string text;    ///< as read
  std::string digest;  ///< of `text`
  std::string file;    ///< absolute path, or empty
  std::string folder;  ///< absolute
  StateId start = 0;
  std::vector<Input> inputs;
  std::vector<Var> vars;
  std::vector<std::pair<std::string, expr::Template>> env;
  std::optional<Millis> timeout;
  std::optional<Millis> compensation_timeout;  ///< how long a rollback may take, in one process
  std::optional<Millis> keep;
  std::uint64_t max_transitions = 100'000;
  std::optional<Concurrency> concurrency;
  std::vector<Breaker> breakers;
  std::vector<RateLimit> rate_limits;
  std::vector<Service> services;  ///< in the order in which they are set up
  std::vector<EndAction> on_end;
  std::vector<State> states;

  std::optional<StateId> find(std::string_view state) const;

  /// Filled by the compiler: name -> id.
  std::unordered_map<std::string, StateId> by_name;

  /// The flows that its actions run, by what they call them. Who keeps this one keeps them; it may be among them.
  std::unordered_map<std::string, const Flow*> children;
  /// These and theirs, each once.
  std::vector<const Flow*> descendants;
};

/// Whether a value is of a type; `kDouble` takes integers too and `convert` makes them doubles.
bool fits(InputType type, const Json& value);
void convert(InputType type, Json& value);
/// Whether the input's `enum`, if it has one, has the converted value.
bool is_allowed(const Input& input, const Json& value);
std::string_view input_type_name(InputType type);
std::optional<InputType> input_type_from(std::string_view name);

}  // namespace canorun::model
