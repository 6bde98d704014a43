// A command whose stdout is a stream's source: read line by line, as slowly as lines are taken.
#pragma once

#include <memory>

#include "engine/model/task.h"
#include "tasks/command.h"

namespace canorun::tasks {

/// What the command writes to stderr goes to the attempt's log as it comes, and its end into the error; its stdout
/// goes nowhere else. The source has ended when its leader has exited and the pipe is empty: then what is left of its
/// group is ended, too. A line without its end is the last one of a command that ended well, and is dropped
/// otherwise. Needs SIGPIPE ignored.
class CommandLines final : public model::LineSource {
 public:
  explicit CommandLines(CommandSpec spec, Grace grace = {}) : spec_(std::move(spec)), grace_(grace) {}
  CommandLines(const CommandLines&) = delete;
  CommandLines& operator=(const CommandLines&) = delete;
  ~CommandLines() override;

  std::optional<model::Failure> start(model::TaskContext& context, std::function<void()> ready) override;
  model::NextLine next() override;
  boost::asio::awaitable<void> end() override;

 private:
  struct Source;
  model::NextLine ended();

  CommandSpec spec_;
  Grace grace_;
  std::shared_ptr<Source> source_;
};

}  // namespace canorun::tasks
