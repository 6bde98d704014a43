#include "tasks/command.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio.hpp>
#include <memory>

#include "engine/base/duration.h"
#include "engine/process/launcher.h"
#include "tasks/capture.h"
#include "tasks/output_file.h"
#include "tasks/params.h"
#include "tasks/pump.h"

namespace canorun::tasks {
namespace {

namespace asio = boost::asio;
using model::task_failure;
using model::TaskContext;

/// What was killed is gone at once, unless it runs as another user or hangs in the kernel: waiting for
/// it, and blocking for it when the loop is gone, has an end.
constexpr Millis kKilledWait{5000};
constexpr Millis kBlockedWait{1000};

/// A command that was started. Whoever lets go of it early, for whatever reason, leaves no process behind.
struct Started {
  explicit Started(process::Child started) : child(std::move(started)) {}
  ~Started();
  Started(const Started&) = delete;
  Started& operator=(const Started&) = delete;

  /// Whether leader and group are gone; collects the leader's status as soon as there is one.
  bool gone();

  process::Child child;
  std::optional<process::ExitStatus> status;
};

/// The same, and what listens to it.
struct Running : Started {
  Running(TaskContext& context, const CommandSpec& spec, process::Child started, std::string values_path);
  ~Running();
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  bool drained() const { return stdout_pump->ended() && stderr_pump->ended(); }

  std::string output_path;
  SteadyTime began;
  Capture out;
  Capture err;
  asio::posix::stream_descriptor leader;
  asio::steady_timer timer;
  std::shared_ptr<OutputPump> stdout_pump;
  std::shared_ptr<OutputPump> stderr_pump;
  std::shared_ptr<InputFeed> stdin_feed;
};

std::shared_ptr<OutputPump> pump_into(Capture& capture, TaskContext& context, model::Stream stream, Fd pipe) {
  return std::make_shared<OutputPump>(context.executor(), std::move(pipe), [&, stream](std::string_view bytes) {
    capture.take(bytes);
    context.write_log(stream, bytes);
  });
}

Running::Running(TaskContext& context, const CommandSpec& spec, process::Child started, std::string values_path)
    : Started(std::move(started)),
      output_path(std::move(values_path)),
      began(context.clock().steady()),
      out(spec.capture),
      err(spec.capture),
      leader(context.executor(), ::fcntl(child.pidfd.get(), F_DUPFD_CLOEXEC, 0)),
      timer(context.executor()),
      stdout_pump(pump_into(out, context, model::Stream::kStdout, std::move(child.stdout_pipe))),
      stderr_pump(pump_into(err, context, model::Stream::kStderr, std::move(child.stderr_pipe))) {
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

Started::~Started() {
  if (status) return;
  process::signal_group(child.pid, SIGKILL);
  if (process::has_exited(child, kBlockedWait)) process::reap(child);
}

bool Started::gone() {
  if (!status && process::has_exited(child)) status = process::reap(child);
  return status && !process::group_alive(child.pid);
}

asio::awaitable<bool> gone_within(Running& running, Millis limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  for (Millis pause{1}; !running.gone(); pause = std::min(pause * 2, Millis{20})) {
    if (std::chrono::steady_clock::now() >= end) co_return false;
    running.timer.expires_after(pause);
    co_await running.timer.async_wait(asio::use_awaitable);
  }
  co_return true;
}

// TERM to the whole group, KILL when it does not go. The members are not our children: only looking
// tells when they are gone.
asio::awaitable<void> end_group(Running& running, Millis grace) {
  process::signal_group(running.child.pid, SIGTERM);
  process::signal_group(running.child.pid, SIGCONT);  // a stopped process would not see the TERM
  const bool gone = co_await gone_within(running, grace);
  if (gone) co_return;
  process::signal_group(running.child.pid, SIGKILL);
  co_await gone_within(running, kKilledWait);
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

std::vector<std::pair<std::string, std::string>> make_environment(const TaskContext& context, const CommandSpec& spec,
                                                                  const std::string& output_path) {
  std::vector<std::pair<std::string, std::string>> all;
  for (char** entry = ::environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const auto equals = text.find('=');
    if (equals == std::string_view::npos || equals == 0) continue;
    all.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  all.insert(all.end(), context.environment().begin(), context.environment().end());
  all.insert(all.end(), spec.env.begin(), spec.env.end());
  all.emplace_back("CANORUN_RUN_ID", context.run_id());
  all.emplace_back("CANORUN_FLOW", context.flow_name());
  all.emplace_back("CANORUN_STATE", context.state());
  all.emplace_back("CANORUN_VISIT", std::to_string(context.visit()));
  all.emplace_back("CANORUN_ATTEMPT", std::to_string(context.attempt()));
  all.emplace_back("CANORUN_IDEMPOTENCY_KEY", context.idempotency_key());
  all.emplace_back("CANORUN_OUTPUT", output_path);
  return all;
}

std::expected<std::unique_ptr<Running>, model::Failure> begin(TaskContext& context, const CommandSpec& spec) {
  auto output_path = context.scratch_file("output");
  if (!output_path) return std::unexpected(task_failure(output_path.error()));
  process::Command command{.argv = spec.argv,
                           .environment = make_environment(context, spec, *output_path),
                           .folder = spec.cwd.starts_with('/') ? spec.cwd
                                     : spec.cwd.empty()        ? context.folder()
                                                               : fmt::format("{}/{}", context.folder(), spec.cwd),
                           .with_stdin = spec.input.has_value()};
  process::SystemLauncher launcher;
  auto child = launcher.launch(command);
  if (!child) return std::unexpected(task_failure({child.error().message, child.error().hint}));
  return std::make_unique<Running>(context, spec, std::move(*child), std::move(*output_path));
}

Result<void> parse_stdout(const CommandSpec& spec, const Capture& out, Json& output) {
  if (spec.parse != Parse::kNone && out.truncated()) {
    return fail(fmt::format("stdout is larger than {} and cannot be parsed", human_size(spec.capture)),
                "raise `capture`");
  }
  return add_parsed(spec.parse, out.bytes(), "stdout", output);
}

Result<Json> make_output(const CommandSpec& spec, const Running& running, Millis duration) {
  auto values = read_output_file(running.output_path);
  if (!values) return std::unexpected(values.error());
  Json output = {
      {"exit_code", running.status->value}, {"stdout", running.out.text()},
      {"stderr", running.err.text()},       {"truncated", running.out.truncated() || running.err.truncated()},
      {"values", std::move(*values)},       {"duration_ms", duration.count()}};
  if (auto parsed = parse_stdout(spec, running.out, output); !parsed) return std::unexpected(parsed.error());
  return output;
}

model::Outcome judge(const CommandSpec& spec, const Running& running, Millis duration) {
  model::Failure failed;
  if (running.status->signalled) {
    failed =
        model::failure(model::kind::kSignal, fmt::format("killed by {}", process::signal_name(running.status->value)));
  } else if (std::ranges::find(spec.ok_exit_codes, running.status->value) == spec.ok_exit_codes.end()) {
    failed = model::failure(model::kind::kExit, fmt::format("exit code {}", running.status->value));
    failed.error.exit_code = running.status->value;
  } else if (auto output = make_output(spec, running, duration)) {
    return model::Success{std::move(*output)};
  } else {
    failed = task_failure(output.error());
  }
  failed.error.stderr_tail = running.err.tail();
  return failed;
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
    if (alone && running.drained()) co_return judge(spec_, running, duration);
  }
  // What must be cleaned up is, whatever else happens; then cancellation is let in again.
  const asio::disable_cancellation none;
  co_await asio::this_coro::reset_cancellation_state(none);
  if (!running.gone()) co_await end_group(running, grace_.term);
  if (!cancelled) co_await drain(running, grace_.drain);
  const asio::enable_terminal_cancellation terminal;
  co_await asio::this_coro::reset_cancellation_state(terminal);
  if (cancelled) throw boost::system::system_error(asio::error::operation_aborted);
  co_return judge(spec_, running, duration);
}

}  // namespace canorun::tasks
