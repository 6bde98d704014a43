#include "tasks/started.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio.hpp>

#include "engine/base/path.h"
#include "engine/process/orphans.h"

namespace canorun::tasks {
namespace {

namespace asio = boost::asio;
using model::TaskContext;

/// What was killed is gone at once, unless it runs as another user or hangs in the kernel: waiting for
/// it, and blocking for it when the loop is gone, has an end.
constexpr Millis kKilledWait{5000};
constexpr Millis kBlockedWait{1000};

asio::awaitable<bool> gone_within(Started& started, Millis limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  for (Millis pause{1}; !started.gone(); pause = std::min(pause * 2, Millis{20})) {
    if (std::chrono::steady_clock::now() >= end) co_return false;
    started.timer.expires_after(pause);
    co_await started.timer.async_wait(asio::use_awaitable);
  }
  co_return true;
}

std::vector<std::pair<std::string, std::string>> make_environment(const TaskContext& context, const CommandSpec& spec,
                                                                  const std::string& output_path) {
  auto all = process::own_environment();
  all.insert(all.end(), context.environment().begin(), context.environment().end());
  all.insert(all.end(), spec.env.begin(), spec.env.end());
  all.emplace_back("CANORUN_RUN_ID", context.run_id());
  all.emplace_back("CANORUN_FLOW", context.flow_name());
  all.emplace_back("CANORUN_STATE", context.state());
  all.emplace_back("CANORUN_VISIT", std::to_string(context.visit()));
  all.emplace_back("CANORUN_ATTEMPT", std::to_string(context.attempt()));
  all.emplace_back("CANORUN_PART", context.part());
  all.emplace_back("CANORUN_IDEMPOTENCY_KEY", context.idempotency_key());
  all.emplace_back("CANORUN_COMPENSATES", context.compensates());
  all.emplace_back(process::kTokenVariable, context.token());
  all.emplace_back("CANORUN_OUTPUT", output_path);
  return all;
}

}  // namespace

Started::Started(const asio::any_io_executor& executor, process::Child started)
    : child(std::move(started)), leader(executor), timer(executor) {}

void Started::listen() { leader.assign(::fcntl(child.pidfd.get(), F_DUPFD_CLOEXEC, 0)); }

Started::~Started() {
  if (status) return;
  process::signal_group(child.pid, SIGKILL);
  if (process::has_exited(child, kBlockedWait)) process::reap(child);
}

bool Started::gone() {
  if (!status && process::has_exited(child)) status = process::reap(child);
  return status && !process::group_alive(child.pid);
}

// The members are not our children: only looking tells when they are gone.
asio::awaitable<void> end_group(Started& started, Millis grace) {
  process::signal_group(started.child.pid, SIGTERM);
  process::signal_group(started.child.pid, SIGCONT);  // a stopped process would not see the TERM
  const bool gone = co_await gone_within(started, grace);
  if (gone) co_return;
  process::signal_group(started.child.pid, SIGKILL);
  co_await gone_within(started, kKilledWait);
}

std::expected<process::Child, model::Failure> launch(TaskContext& context, const CommandSpec& spec,
                                                     const std::string& output_path) {
  const process::Command command{.argv = spec.argv,
                                 .environment = make_environment(context, spec, output_path),
                                 .folder = spec.cwd.empty() ? context.folder() : path_in(context.folder(), spec.cwd),
                                 .with_stdin = spec.input.has_value()};
  process::SystemLauncher launcher;
  auto child = launcher.launch(command);
  if (!child) return std::unexpected(model::task_failure({child.error().message, child.error().hint}));
  return std::move(*child);
}

std::optional<model::Failure> failure_of(const CommandSpec& spec, const process::ExitStatus& status,
                                         std::string stderr_tail) {
  model::Failure failed;
  if (status.signalled) {
    failed = model::failure(model::kind::kSignal, fmt::format("killed by {}", process::signal_name(status.value)));
  } else if (std::ranges::find(spec.ok_exit_codes, status.value) == spec.ok_exit_codes.end()) {
    failed = model::failure(model::kind::kExit, fmt::format("exit code {}", status.value));
    failed.error.exit_code = status.value;
  } else {
    return std::nullopt;
  }
  failed.error.stderr_tail = std::move(stderr_tail);
  return failed;
}

}  // namespace canorun::tasks
