#include "tasks/log.h"

#include <algorithm>

#include "engine/model/task.h"

namespace canorun::tasks {
namespace {

class LogTask final : public model::Task {
 public:
  LogTask(model::LogLevel level, std::string message) : level_(level), message_(std::move(message)) {}

  boost::asio::awaitable<model::Outcome> run(model::TaskContext& context) override {
    context.say(level_, message_);
    co_return model::Success{};
  }

 private:
  model::LogLevel level_;
  std::string message_;
};

// kLogLevels names the levels in the order of the enum.
model::LogLevel level_named(std::string_view name) {
  return static_cast<model::LogLevel>(std::ranges::find(kLogLevels, name) - kLogLevels.begin());
}

}  // namespace

Result<std::unique_ptr<model::Task>> make_log(Json params) {
  const auto level = params.value("level", std::string("info"));
  return std::make_unique<LogTask>(level_named(level), to_text(params.at("message")));
}

}  // namespace canorun::tasks
