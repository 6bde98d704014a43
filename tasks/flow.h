// The kind `flow`: runs another flow as a child run.
#pragma once

#include <array>

#include "engine/model/task_kind.h"

namespace canorun::tasks {

Result<void> check_flow(const Json& literals);
Result<std::unique_ptr<model::Task>> make_flow(Json params);

inline constexpr std::array kFlowParams{
    model::Param{.name = "file",
                 .type = model::ParamType::kString,
                 .doc = "the flow file; relative to the folder of the one it stands in",
                 .required = true,
                 .literal = true},
    model::Param{.name = "inputs",
                 .type = model::ParamType::kMap,
                 .doc = "its inputs by name; those that have a default may be left out"},
};

inline constexpr model::TaskKind kFlow{
    .name = "flow",
    .doc = "Runs another flow as a child run, with an id under this run's. Its output is that of the exit it reached.",
    .params = kFlowParams,
    .outputs = {},
    .any_output = true,
    .runs_flow = true,
    .example = R"(ship:
  task: flow
  with:
    file: shipping.yaml
    inputs: {order: "${{ inputs.order_id }}"}
  next: done
)",
    .check = check_flow,
    .make = make_flow,
};

}  // namespace canorun::tasks
