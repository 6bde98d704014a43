#include "tasks/command.h"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <boost/asio.hpp>
#include <memory>

#include "engine/base/duration.h"
#include "engine/model/task.h"
#include "tasks/capture.h"
#include "tasks/output_file.h"
#include "tasks/params.h"
#include "tasks/pump.h"
#include "tasks/started.h"

namespace canorun::tasks {
namespace {

namespace asio = boost::asio;
using model::task_failure;
using model::TaskContext;

/// A command, and what listens to it.
struct Running : Started {
  Running(TaskContext& context, const CommandSpec& spec, process::Child started, std::string values_path);
  ~Running();
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  bool drained() const { return stdout_pump->ended() && stderr_pump->ended(); }
  void finish() {
    out.finish();
    err.finish();
  }

  std::string output_path;
  SteadyTime began;
  CapturedStream out;
  CapturedStream err;
  std::shared_ptr<OutputPump> stdout_pump;
  std::shared_ptr<OutputPump> stderr_pump;
  std::shared_ptr<InputFeed> stdin_feed;
};

std::shared_ptr<OutputPump> pump_into(CapturedStream& stream, const TaskContext& context, Fd pipe) {
  return std::make_shared<OutputPump>(context.executor(), std::move(pipe),
                                      [&stream](std::string_view bytes) { stream.take(bytes); });
}

Running::Running(TaskContext& context, const CommandSpec& spec, process::Child started, std::string values_path)
    : Started(context.executor(), std::move(started)),
      output_path(std::move(values_path)),
      began(context.clock().steady()),
      out(context, model::Stream::kStdout, spec.capture),
      err(context, model::Stream::kStderr, spec.capture),
      stdout_pump(pump_into(out, context, std::move(child.stdout_pipe))),
      stderr_pump(pump_into(err, context, std::move(child.stderr_pipe))) {
  listen();
  stdout_pump->start();
  stderr_pump->start();
  if (!child.stdin_pipe) return;
  stdin_feed = std::make_shared<InputFeed>(context.executor(), std::move(child.stdin_pipe), spec.input.value_or(""));
  stdin_feed->start();
}

Running::~Running() {
  stdout_pump->close();
  stderr_pump->close();
  if (stdin_feed) stdin_feed->close();
}

asio::awaitable<void> drain(Running& running, Millis limit) {
  running.timer.expires_after(limit);
  const auto stop_waiting = [&running] {
    if (running.drained()) running.timer.cancel();
  };
  running.stdout_pump->on_end(stop_waiting);
  running.stderr_pump->on_end(stop_waiting);
  boost::system::error_code ignored;
  if (!running.drained()) co_await running.timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

std::expected<std::unique_ptr<Running>, model::Failure> begin(TaskContext& context, const CommandSpec& spec) {
  auto output_path = context.scratch_file("output");
  if (!output_path) return std::unexpected(task_failure(output_path.error()));
  auto child = launch(context, spec, *output_path);
  if (!child) return std::unexpected(std::move(child.error()));
  return std::make_unique<Running>(context, spec, std::move(*child), std::move(*output_path));
}

Result<void> parse_stdout(const CommandSpec& spec, const Capture& out, Json& output) {
  if (spec.parse != Parse::kNone && out.truncated()) {
    return fail(fmt::format("stdout is larger than {} and cannot be parsed", human_size(spec.capture)),
                "raise `capture`");
  }
  return add_parsed(spec.parse, out.bytes(), "stdout", output);
}

Result<Json> make_output(const CommandSpec& spec, const Running& running, const Masker& masker, Millis duration) {
  auto values = read_output_file(running.output_path, masker);
  if (!values) return std::unexpected(values.error());
  const Capture& out = running.out.capture();
  const Capture& err = running.err.capture();
  Json output = {{"exit_code", running.status->value},
                 {"stdout", out.text()},
                 {"stderr", err.text()},
                 {"truncated", out.truncated() || err.truncated()},
                 {"values", std::move(*values)},
                 {"duration_ms", duration.count()}};
  if (auto parsed = parse_stdout(spec, out, output); !parsed) return std::unexpected(parsed.error());
  return output;
}

model::Outcome judge(const CommandSpec& spec, Running& running, const Masker& masker, Millis duration) {
  running.finish();
  const std::string tail = running.err.capture().tail();
  if (auto failed = failure_of(spec, *running.status, tail)) return std::move(*failed);
  if (auto output = make_output(spec, running, masker, duration)) {
    return model::Success{std::move(*output)};
  } else {
    model::Failure failed = task_failure(output.error());
    failed.error.stderr_tail = tail;
    return failed;
  }
}

}  // namespace

CommandSpec read_command(const Json& params) {
  CommandSpec spec;
  spec.env = text_pairs(params, "env");
  spec.cwd = params.value("cwd", std::string{});
  if (const auto input = params.find("stdin"); input != params.end() && !input->is_null()) spec.input = to_text(*input);
  spec.parse = read_parse(params);
  spec.ok_exit_codes = params.value("ok_exit_codes", spec.ok_exit_codes);
  if (const auto capture = params.find("capture"); capture != params.end()) {
    spec.capture = parse_size(to_text(*capture)).value_or(spec.capture);
  }
  return spec;
}

Result<void> check_command(const Json& literals) {
  for (const Json& code : literals.value("ok_exit_codes", Json::array())) {
    if (code >= 0 && code <= 255) continue;
    return fail(fmt::format("no command ends with exit code {}", to_text(code)), "exit codes go from 0 to 255");
  }
  return {};
}

asio::awaitable<model::Outcome> CommandTask::run(TaskContext& context) {
  auto begun = begin(context, spec_);
  if (!begun) co_return std::move(begun.error());
  Running& running = **begun;

  boost::system::error_code cancelled;
  co_await running.leader.async_wait(asio::posix::descriptor_base::wait_read,
                                     asio::redirect_error(asio::use_awaitable, cancelled));
  const Millis duration = std::chrono::duration_cast<Millis>(context.clock().steady() - running.began);
  if (!cancelled) {
    // Before the leader is reaped, so that the number can only mean its group. Mostly nobody is left.
    process::signal_group(running.child.pid, SIGTERM);
    const bool alone = running.gone();
    running.stdout_pump->read_some();
    running.stderr_pump->read_some();
    if (alone && running.drained()) co_return judge(spec_, running, context.masker(), duration);
  }
  // What must be cleaned up is, whatever else happens; then cancellation is let in again.
  const asio::disable_cancellation none;
  co_await asio::this_coro::reset_cancellation_state(none);
  if (!running.gone()) co_await end_group(running, grace_.term);
  if (!cancelled) co_await drain(running, grace_.drain);
  const asio::enable_terminal_cancellation terminal;
  co_await asio::this_coro::reset_cancellation_state(terminal);
  if (cancelled) {
    running.finish();
    model::cut_off();
  }
  co_return judge(spec_, running, context.masker(), duration);
}

}  // namespace canorun::tasks
