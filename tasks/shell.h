// The kind `shell`: runs a POSIX shell script.
#pragma once

#include <array>

#include "tasks/command.h"

namespace canorun::tasks {

Result<std::unique_ptr<model::Task>> make_shell(Json params);
Result<std::unique_ptr<model::LineSource>> make_shell_lines(Json params);

inline constexpr std::array kShellParams{
    kCaptureParam,
    kCwdParam,
    kEnvParam,
    kOkExitCodesParam,
    kParseParam,
    model::Param{.name = "script",
                 .type = model::ParamType::kString,
                 .doc = "the script; values put into it with ${{ }} stay values, whatever they hold",
                 .required = true,
                 .script = true},
    model::Param{.name = "shell",
                 .type = model::ParamType::kStringList,
                 .doc = "program and options that run the script, given as `-c SCRIPT`; default [/bin/sh, -e]",
                 .literal = true,
                 .beside_run = true},
    kStdinParam,
};

inline constexpr model::TaskKind kShell{
    .name = "shell",
    .doc = "Runs a shell script. `run: SCRIPT` is short for it.",
    .params = kShellParams,
    .outputs = kCommandOutputs,
    .example = R"(count:
  run: wc -w "${{ inputs.file }}" | tr -dc 0-9
  parse: json
  next: done
)",
    .check = check_command,
    .make = make_shell,
    .make_lines = make_shell_lines,
};

}  // namespace canorun::tasks
