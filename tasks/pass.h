// The kind `pass`: gives a value on.
#pragma once

#include <array>

#include "engine/model/task_kind.h"

namespace canorun::tasks {

Result<std::unique_ptr<model::Task>> make_pass(Json params);

inline constexpr std::array kPassParams{
    model::Param{
        .name = "value", .type = model::ParamType::kAny, .doc = "what the output's `value` will be; default null"},
};

inline constexpr std::array kPassOutputs{
    model::Field{.name = "value", .type = model::FieldType::kAny, .doc = "the value given"},
};

inline constexpr model::TaskKind kPass{
    .name = "pass",
    .doc = "Gives a value on: a name for something computed, or a place for `set` and `next`.",
    .params = kPassParams,
    .outputs = kPassOutputs,
    .example = R"(total:
  task: pass
  with: {value: "${{ vars.price * vars.count }}"}
  next: done
)",
    .make = make_pass,
};

}  // namespace canorun::tasks
