// One attempt of a command, on the event loop: what the kinds `shell` and `exec` share.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/clock.h"
#include "engine/model/task.h"
#include "engine/model/task_kind.h"
#include "tasks/parse.h"

namespace canorun::tasks {

/// A command and what is expected of it.
struct CommandSpec {
  std::vector<std::string> argv;
  std::vector<std::pair<std::string, std::string>> env;  ///< beside the flow's and the process's
  std::string cwd;                                       ///< relative to the flow's folder
  std::optional<std::string> input;                      ///< none: /dev/null
  Parse parse = Parse::kNone;
  std::vector<int> ok_exit_codes{0};
  std::size_t capture = std::size_t{1} << 20;  ///< bytes kept of each stream
};

/// Reads the parameters that `shell` and `exec` share; argv is left empty.
CommandSpec read_command(const Json& params);

/// Whether the literal ones of them are in range.
Result<void> check_command(const Json& literals);

/// How long a command that must end, or left something behind, is given.
struct Grace {
  Millis term{5000};   ///< between TERM and KILL
  Millis drain{1000};  ///< for pipes that others hold open
};

/// Runs the command once. Needs SIGPIPE ignored. When cancelled it ends the command's whole group,
/// deaf to further cancellation meanwhile, and throws `operation_aborted` with cancellation enabled
/// again. A leader that has exited has ended the attempt: a cancellation that comes while the rest of
/// its group is being ended changes nothing.
class CommandTask final : public model::Task {
 public:
  explicit CommandTask(CommandSpec spec, Grace grace = {}) : spec_(std::move(spec)), grace_(grace) {}

  boost::asio::awaitable<model::Outcome> run(model::TaskContext& context) override;

 private:
  CommandSpec spec_;
  Grace grace_;
};

inline constexpr model::Param kCaptureParam{
    .name = "capture", .type = model::ParamType::kSize, .doc = "how much is kept of each stream; default 1MiB"};
inline constexpr model::Param kCwdParam{.name = "cwd",
                                        .type = model::ParamType::kString,
                                        .doc = "folder to run in, from the flow file's folder; default: that folder",
                                        .beside_run = true};
inline constexpr model::Param kEnvParam{.name = "env",
                                        .type = model::ParamType::kEnvironment,
                                        .doc = "environment variables, beside those of the flow and of canorun itself",
                                        .beside_run = true};
inline constexpr model::Param kOkExitCodesParam{.name = "ok_exit_codes",
                                                .type = model::ParamType::kIntList,
                                                .doc = "exit codes that are success; default [0]",
                                                .beside_run = true};
inline constexpr model::Param kParseParam{.name = "parse",
                                          .type = model::ParamType::kString,
                                          .doc = "reads stdout as one JSON document (`json`) or as lines; default none",
                                          .literal = true,
                                          .one_of = kParseForms,
                                          .beside_run = true};
inline constexpr model::Param kStdinParam{
    .name = "stdin",
    .type = model::ParamType::kAny,
    .doc = "text for the command's stdin; what is no text is given as JSON; default: /dev/null",
    .beside_run = true};

inline constexpr std::array kCommandOutputs{
    model::Field{.name = "duration_ms", .type = model::FieldType::kInt, .doc = "how long the command took"},
    model::Field{.name = "exit_code", .type = model::FieldType::kInt, .doc = "one of `ok_exit_codes`"},
    model::Field{.name = "json", .type = model::FieldType::kAny, .doc = "stdout, read", .with = kWithJson},
    model::Field{
        .name = "lines", .type = model::FieldType::kStringList, .doc = "stdout, line by line", .with = kWithLines},
    model::Field{.name = "stderr", .type = model::FieldType::kString, .doc = "up to `capture`, without end newline"},
    model::Field{.name = "stdout", .type = model::FieldType::kString, .doc = "up to `capture`, without end newline"},
    model::Field{.name = "truncated", .type = model::FieldType::kBool, .doc = "whether stdout or stderr was cut"},
    model::Field{.name = "values",
                 .type = model::FieldType::kMap,
                 .doc = "what the command wrote to the file CANORUN_OUTPUT names: `key=value` lines or a JSON object"},
};

}  // namespace canorun::tasks
