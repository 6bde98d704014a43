// A kind of task: its name, its parameters, what it gives, and how it is made. Adding one is a file
// in tasks/ and a line in its catalog.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "engine/base/result.h"
#include "engine/base/value.h"

namespace canorun::model {

class LineSource;
class Task;

enum class ParamType : std::uint8_t {
  kString,
  kInt,
  kBool,
  kAny,
  kMap,
  kStringMap,    ///< name -> text; other scalars are turned into text
  kEnvironment,  ///< the same, and the names are those of environment variables
  kStringList,   ///< at least one element
  kIntList,
  kStatusList,  ///< HTTP status codes and ranges: [200, 201-204, "300-399"]
  kSize,        ///< `1MiB`
  kDuration,    ///< `5s`
};

std::string_view param_type_name(ParamType type);

/// Something goes with a literal parameter of the same kind, when that has one of these values. Without
/// a parameter it always goes.
struct With {
  std::string_view param = {};
  std::span<const std::string_view> values = {};

  bool always() const { return param.empty(); }
  bool holds(std::string_view value) const;
  /// `op: copy, move`
  std::string text() const;
};

/// One parameter of a kind.
struct Param {
  std::string_view name;
  ParamType type;
  std::string_view doc;
  bool required = false;                          ///< where it goes at all
  bool literal = false;                           ///< templates may not stand in it
  bool script = false;                            ///< templates become references to environment variables
  std::span<const std::string_view> one_of = {};  ///< allowed values of a string; empty: any
  bool beside_run = false;                        ///< may stand beside `run` in a state
  With with = {};                                 ///< elsewhere it may not be given
};

/// What a field of an output holds.
enum class FieldType : std::uint8_t { kAny, kBool, kInt, kString, kMap, kStringMap, kStringList };

/// One field of a kind's output.
struct Field {
  std::string_view name;
  FieldType type;
  std::string_view doc;
  With with = {};  ///< elsewhere it is not there
};

/// What the task needs of one attempt's parameters is checked once: literal values when the flow is
/// read, values from templates when they are known. Rows of one constexpr table.
struct TaskKind {
  std::string_view name;
  std::string_view doc;
  std::span<const Param> params;   ///< sorted by name
  std::span<const Field> outputs;  ///< all fields of the output, sorted by name
  bool any_output = false;         ///< nothing is known of the output but when it runs
  bool never_succeeds = false;     ///< all it does is to fail
  /// Its parameter `file` names a flow file, which is read with the flow; `inputs` are that flow's.
  bool runs_flow = false;
  std::string_view example;  ///< YAML of a whole state
  /// Whether parameters that are each right fit together; null where nothing can be said. Parameters
  /// that are known only at run time are missing from `literals`.
  Result<void> (*check)(const Json& literals) = nullptr;
  /// Makes the task of one attempt from checked parameters: an object, only known names, right types.
  Result<std::unique_ptr<Task>> (*make)(Json params) = nullptr;
  /// Makes a stream's source of them, which gives what the task would print. Null: it gives no lines.
  Result<std::unique_ptr<LineSource>> (*make_lines)(Json params) = nullptr;
};

/// A table of kinds, sorted by name. Borrowed from whoever wires the program.
using Catalog = std::span<const TaskKind>;

const TaskKind* find_kind(Catalog catalog, std::string_view name);
const Param* find_param(const TaskKind& kind, std::string_view name);

/// What the system takes as the name of an environment variable.
bool is_environment_name(std::string_view name);

/// Checks one value against its parameter and brings it into the type's form (`"75"` for a string
/// stays text; a number where text is wanted becomes text; a StringMap's scalars become text).
/// The error says what is wanted, not where.
Result<void> check_param(const Param& param, Json& value);

}  // namespace canorun::model
