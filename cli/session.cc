#include "cli/session.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include "cli/secret_inputs.h"

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

}  // namespace

Session::Session(Wiring& wiring, store::CheckpointStore& store, Setting setting)
    : wiring_(wiring),
      store_(store),
      setting_(setting),
      progress_(loop_.get_executor(), wiring.err(), wiring.clock(), progress_setting(wiring)),
      runtime_{loop_.get_executor(), store, wiring.clock(), wiring.random(), progress_, setting.suspends} {
  signals_.add(SIGINT);
  signals_.add(SIGTERM);
  if (!is_ignored(SIGHUP)) signals_.add(SIGHUP);
  listen();
}

void Session::listen() {
  signals_.async_wait([this](const boost::system::error_code& error, int signal) {
    if (error) return;
    on_signal(signal);
    listen();
  });
}

void Session::on_signal(int signal) {
  const bool cancels = signal == SIGINT || !setting_.resumable;
  stopped_ = true;
  if (interrupt_ == nullptr) return;
  if (cancels && (std::exchange(cancelled_, true) || interrupt_->reason() == run::Reason::kCancel)) leave();
  const std::string name = signal_name(signal);
  const std::string reason = cancels ? name + "; a second one leaves at once" : name;
  progress_.on_event({id_, model::Stopping{cancels, reason}});
  interrupt_->raise(cancels ? run::Reason::kCancel : run::Reason::kSuspend,
                    cancels ? fmt::format("interrupted ({})", name) : name);
}

// Nothing is waited for: commands die with this process, and the store's rows are where they were.
void Session::leave() {
  progress_.finish();
  Refusal left{RefusalKind::kCancelled, "left at once"};
  if (setting_.resumable) {
    const bool kept = !store_.log_folder(id_).empty();
    const auto record = store_.load(id_);
    const std::string again = record ? again_options(run::replay(id_, record->rows).start) : std::string();
    left = {RefusalKind::kInterrupted, fmt::format("left at once; run '{}' is interrupted", id_),
            kept ? "go on with: " + wiring_.command("resume " + id_ + again) : "nothing of it was kept"};
  }
  wiring_.tell(left);
  ::_exit(static_cast<int>(exit_code(left.kind)));
}

}  // namespace canorun::cli
