// A command that was started, and how it is ended: what one attempt of it and a stream's source share.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <expected>
#include <optional>
#include <string>

#include "engine/process/launcher.h"
#include "tasks/command.h"

namespace canorun::tasks {

/// Whoever lets go of it early, for whatever reason, leaves no process behind.
struct Started {
  Started(const boost::asio::any_io_executor& executor, process::Child started);
  ~Started();
  Started(const Started&) = delete;
  Started& operator=(const Started&) = delete;

  /// Makes `leader` one that can be waited for.
  void listen();
  /// Whether leader and group are gone; collects the leader's status as soon as there is one.
  bool gone();

  process::Child child;
  std::optional<process::ExitStatus> status;
  boost::asio::posix::stream_descriptor leader;  ///< readable when it has exited
  boost::asio::steady_timer timer;
};

/// The child of a command with the environment that canorun gives; `output_path` is its CANORUN_OUTPUT.
std::expected<process::Child, model::Failure> launch(model::TaskContext& context, const CommandSpec& spec,
                                                     const std::string& output_path);

/// TERM to the whole group, KILL when it does not go; returns when it is gone.
boost::asio::awaitable<void> end_group(Started& started, Millis grace);

/// What is wrong with the end of a command; none: it is a good one.
std::optional<model::Failure> failure_of(const CommandSpec& spec, const process::ExitStatus& status,
                                         std::string stderr_tail);

}  // namespace canorun::tasks
