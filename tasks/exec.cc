#include "tasks/exec.h"

namespace canorun::tasks {

Result<std::unique_ptr<model::Task>> make_exec(Json params) {
  if (auto good = check_command(params); !good) return std::unexpected(std::move(good.error()));
  CommandSpec spec = read_command(params);
  spec.argv = params.at("argv").get<std::vector<std::string>>();
  return std::make_unique<CommandTask>(std::move(spec));
}

}  // namespace canorun::tasks
