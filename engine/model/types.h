// The types that values of a flow have in expressions, as far as they are known before it runs.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "engine/base/value.h"
#include "engine/expr/type.h"
#include "engine/model/flow.h"
#include "engine/model/task_kind.h"

namespace canorun::model {

/// What a record stands for: the tag of `expr::Record`.
enum class RecordTag : std::uint8_t { kInputs, kVars, kEnv, kStates, kState, kRun, kAction, kError, kOutput };

/// Without fields as yet. `what`: for messages.
std::shared_ptr<expr::Record> record(std::string what, RecordTag tag);

/// A list's elements and a map's values are not known.
expr::Type type_of(InputType type);
expr::Type type_of(FieldType type);
expr::Type type_of(const Json& value);
/// What a variable with such an initial value holds from then on.
InputType input_type_of(const expr::Type& type);

/// `run`, `action` and `error`.
const expr::Type& run_type();
/// `run` once it has its outcome.
const expr::Type& ended_run_type();
const expr::Type& action_type();
const expr::Type& error_type();

/// The output of a kind. `has` is asked for the fields that depend on a parameter.
expr::Type output_type(const TaskKind& kind, const std::function<bool(const Field&)>& has);
/// The output of a timer.
expr::Type timer_output_type();
/// What became of a branch or an item whose action has such an output: `{status, output, error}`.
expr::Type ended_type(std::string what, const expr::Type& output);
/// `branches` is a record of `ended_type`s, or a list of one.
expr::Type split_output_type(const expr::Type& branches);
expr::Type batch_output_type(const expr::Type& item);
/// That of the last ask, and how many there were.
expr::Type poll_output_type(const expr::Type& ask);
expr::Type stepped_output_type(const expr::Type& step);
expr::Type stream_output_type();

/// Kinds of JSON values, as bits.
using JsonKinds = std::uint8_t;
namespace json {
inline constexpr JsonKinds kNull = 1, kBool = 2, kInt = 4, kDouble = 8, kString = 16, kList = 32, kMap = 64;
inline constexpr JsonKinds kScalar = kBool | kInt | kDouble | kString;
inline constexpr JsonKinds kAny = kNull | kScalar | kList | kMap;
}  // namespace json

JsonKinds json_kind(const Json& value);
/// What a value of the type becomes where a template gives it on: all that is possible.
JsonKinds json_kinds(const expr::Type& type);
/// What is taken.
JsonKinds json_kinds(InputType type);
JsonKinds json_kinds(ParamType type);
/// What the elements of a list or the values of a map may be.
JsonKinds element_kinds(ParamType type);

/// `an int`, `a list`: for messages.
std::string described(const expr::Type& type);
/// `an int`.
std::string described(InputType type);

}  // namespace canorun::model
