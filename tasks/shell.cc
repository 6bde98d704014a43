#include "tasks/shell.h"

namespace canorun::tasks {

Result<std::unique_ptr<model::Task>> make_shell(Json params) {
  if (auto good = check_command(params); !good) return std::unexpected(std::move(good.error()));
  CommandSpec spec = read_command(params);
  spec.argv = params.value("shell", std::vector<std::string>{"/bin/sh", "-e"});
  spec.argv.emplace_back("-c");
  spec.argv.push_back(params.at("script").get<std::string>());
  return std::make_unique<CommandTask>(std::move(spec));
}

}  // namespace canorun::tasks
