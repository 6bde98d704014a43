// The kind `log`: says something to whoever watches the run.
#pragma once

#include <array>

#include "engine/model/task_kind.h"

namespace canorun::tasks {

Result<std::unique_ptr<model::Task>> make_log(Json params);

inline constexpr std::array<std::string_view, 4> kLogLevels{"debug", "info", "warn", "error"};

inline constexpr std::array kLogParams{
    model::Param{.name = "level",
                 .type = model::ParamType::kString,
                 .doc = "how much it matters; default info",
                 .one_of = kLogLevels},
    model::Param{.name = "message",
                 .type = model::ParamType::kAny,
                 .doc = "what to say; what is no text is said as JSON",
                 .required = true},
};

inline constexpr model::TaskKind kLog{
    .name = "log",
    .doc = "Says something to whoever watches the run.",
    .params = kLogParams,
    .outputs = {},
    .example = R"(report:
  task: log
  with: {level: warn, message: "order ${{ inputs.order_id }} took long"}
  next: done
)",
    .make = make_log,
};

}  // namespace canorun::tasks
