#include "tasks/exec.h"

#include "tasks/command_lines.h"

namespace canorun::tasks {
namespace {

Result<CommandSpec> read_exec(const Json& params) {
  if (auto good = check_command(params); !good) return std::unexpected(std::move(good.error()));
  CommandSpec spec = read_command(params);
  spec.argv = params.at("argv").get<std::vector<std::string>>();
  return spec;
}

}  // namespace

Result<std::unique_ptr<model::Task>> make_exec(Json params) {
  auto spec = read_exec(params);
  if (!spec) return std::unexpected(std::move(spec.error()));
  return std::make_unique<CommandTask>(std::move(*spec));
}

Result<std::unique_ptr<model::LineSource>> make_exec_lines(Json params) {
  auto spec = read_exec(params);
  if (!spec) return std::unexpected(std::move(spec.error()));
  return std::make_unique<CommandLines>(std::move(*spec));
}

}  // namespace canorun::tasks
