#include "tasks/shell.h"

#include "tasks/command_lines.h"

namespace canorun::tasks {
namespace {

Result<CommandSpec> read_shell(const Json& params) {
  if (auto good = check_command(params); !good) return std::unexpected(std::move(good.error()));
  CommandSpec spec = read_command(params);
  spec.argv = params.value("shell", std::vector<std::string>{"/bin/sh", "-e"});
  spec.argv.emplace_back("-c");
  spec.argv.push_back(params.at("script").get<std::string>());
  return spec;
}

}  // namespace

Result<std::unique_ptr<model::Task>> make_shell(Json params) {
  auto spec = read_shell(params);
  if (!spec) return std::unexpected(std::move(spec.error()));
  return std::make_unique<CommandTask>(std::move(*spec));
}

Result<std::unique_ptr<model::LineSource>> make_shell_lines(Json params) {
  auto spec = read_shell(params);
  if (!spec) return std::unexpected(std::move(spec.error()));
  return std::make_unique<CommandLines>(std::move(*spec));
}

}  // namespace canorun::tasks
