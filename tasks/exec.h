// The kind `exec`: runs a program, without a shell.
#pragma once

#include <array>

#include "tasks/command.h"

namespace canorun::tasks {

Result<std::unique_ptr<model::Task>> make_exec(Json params);
Result<std::unique_ptr<model::LineSource>> make_exec_lines(Json params);

inline constexpr std::array kExecParams{
    model::Param{.name = "argv",
                 .type = model::ParamType::kStringList,
                 .doc = "the program and its arguments, given to it as they are",
                 .required = true},
    kCaptureParam,
    kCwdParam,
    kEnvParam,
    kOkExitCodesParam,
    kParseParam,
    kStdinParam,
};

inline constexpr model::TaskKind kExec{
    .name = "exec",
    .doc = "Runs a program with the given arguments, without a shell in between.",
    .params = kExecParams,
    .outputs = kCommandOutputs,
    .example = R"(archive:
  task: exec
  with:
    argv: [tar, czf, "${{ inputs.target }}", "${{ inputs.folder }}"]
  next: done
)",
    .check = check_command,
    .make = make_exec,
    .make_lines = make_exec_lines,
};

}  // namespace canorun::tasks
