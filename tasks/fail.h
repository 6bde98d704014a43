// The kind `fail`: fails, in words and with a kind of the flow's own.
#pragma once

#include <array>

#include "engine/model/task_kind.h"

namespace canorun::tasks {

Result<void> check_fail(const Json& literals);
Result<std::unique_ptr<model::Task>> make_fail(Json params);

inline constexpr std::array kFailParams{
    model::Param{.name = "kind",
                 .type = model::ParamType::kString,
                 .doc = "the error's kind, for `on_error` to tell it apart; default task",
                 .literal = true},
    model::Param{.name = "message", .type = model::ParamType::kString, .doc = "the error's message", .required = true},
};

inline constexpr model::TaskKind kFail{
    .name = "fail",
    .doc = "Fails with an error of the flow's own.",
    .params = kFailParams,
    .outputs = {},
    .never_succeeds = true,
    .example = R"(refuse:
  task: fail
  with: {kind: out_of_stock, message: "${{ inputs.article }} is sold out"}
  next: done
  on_error:
    - {when: error.kind == 'out_of_stock', to: done}
)",
    .check = check_fail,
    .make = make_fail,
};

}  // namespace canorun::tasks
