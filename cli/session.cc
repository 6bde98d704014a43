#include "cli/session.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <exception>

namespace canorun::cli {
namespace {

namespace asio = boost::asio;

Progress::Setting progress_setting(Wiring& wiring) {
  const Options& options = wiring.options();
  const Detail detail = options.quiet ? Detail::kQuiet : options.verbose ? Detail::kVerbose : Detail::kNormal;
  return {.detail = detail, .live = wiring.err().moves_cursor(), .style = wiring.err_style()};
}

bool is_ignored(int signal) {
  struct sigaction now{};
  return ::sigaction(signal, nullptr, &now) == 0 && now.sa_handler == SIG_IGN;
}

std::string signal_name(int signal) { return fmt::format("SIG{}", ::sigabbrev_np(signal)); }

run::Finished run_loop(asio::io_context& loop, asio::awaitable<run::Finished> work, run::Interrupt& interrupt) {
  run::Finished finished;
  std::exception_ptr fault;
  auto on_done = [&](std::exception_ptr thrown, run::Finished result) {
    fault = std::move(thrown);
    finished = std::move(result);
    loop.stop();
  };
  asio::co_spawn(loop, std::move(work), asio::bind_cancellation_slot(interrupt.slot(), std::move(on_done)));
  loop.restart();
  loop.run();
  if (fault) std::rethrow_exception(fault);
  return finished;
}

}  // namespace

Session::Session(Wiring& wiring, store::CheckpointStore& store, bool suspends)
    : wiring_(wiring),
      store_(store),
      progress_(loop_.get_executor(), wiring.err(), wiring.clock(), progress_setting(wiring)),
      runtime_{loop_.get_executor(), store, wiring.clock(), wiring.random(), progress_, suspends} {
  signals_.add(SIGINT);
  signals_.add(SIGTERM);
  if (!is_ignored(SIGHUP)) signals_.add(SIGHUP);
  listen();
}

run::Finished Session::work_on(const std::string& id, const Work& work) {
  run::Interrupt interrupt;
  id_ = id;
  interrupt_ = &interrupt;
  auto finished = run_loop(loop_, work(runtime_, interrupt), interrupt);
  interrupt_ = nullptr;
  progress_.finish();
  return finished;
}

void Session::listen() {
  signals_.async_wait([this](const boost::system::error_code& error, int signal) {
    if (error) return;
    on_signal(signal);
    listen();
  });
}

void Session::on_signal(int signal) {
  const bool cancels = signal == SIGINT;
  stopped_ = true;
  if (interrupt_ == nullptr) return;
  if (cancels && interrupt_->reason() == run::Reason::kCancel) leave();
  const std::string name = signal_name(signal);
  const std::string reason = cancels ? name + "; a second one leaves at once" : name;
  progress_.on_event({id_, model::Stopping{cancels, reason}});
  interrupt_->raise(cancels ? run::Reason::kCancel : run::Reason::kSuspend,
                    cancels ? fmt::format("interrupted ({})", name) : name);
}

// Nothing is waited for: commands die with this process, and the store's rows are where they were.
void Session::leave() {
  progress_.finish();
  const bool kept = !store_.log_folder(id_).empty();
  wiring_.tell({RefusalKind::kInterrupted, fmt::format("left at once; run '{}' is interrupted", id_),
                kept ? "go on with: " + wiring_.command("resume " + id_) : "nothing of it was kept"});
  ::_exit(static_cast<int>(ExitCode::kResumeLater));
}

run::Finished cancel_here(Wiring& wiring, store::CheckpointStore& store, std::shared_ptr<const model::Flow> flow,
                          store::RunRecord claimed, Json secrets, std::string reason) {
  asio::io_context loop{1};
  Progress progress(loop.get_executor(), wiring.err(), wiring.clock(), progress_setting(wiring));
  run::Runtime runtime{loop.get_executor(), store, wiring.clock(), wiring.random(), progress};
  run::Interrupt interrupt;
  interrupt.raise(run::Reason::kCancel, std::move(reason));
  return run_loop(loop, run::cancel(runtime, std::move(flow), std::move(claimed), interrupt, std::move(secrets)),
                  interrupt);
}

}  // namespace canorun::cli
