#include "tasks/flow.h"

#include "engine/model/task.h"

namespace canorun::tasks {
namespace {

class FlowTask final : public model::Task {
 public:
  explicit FlowTask(Json params) : params_(std::move(params)) {}

  boost::asio::awaitable<model::Outcome> run(model::TaskContext& context) override {
    auto outcome =
        co_await context.run_flow(params_["file"].get_ref<const std::string&>(), std::move(params_["inputs"]));
    co_return outcome;
  }

 private:
  Json params_;
};

}  // namespace

Result<void> check_flow(const Json& literals) {
  if (literals.value("file", std::string("-")).empty()) return fail("'file' must not be empty", "name a flow file");
  return {};
}

Result<std::unique_ptr<model::Task>> make_flow(Json params) { return std::make_unique<FlowTask>(std::move(params)); }

}  // namespace canorun::tasks
