#include "cli/session.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include "cli/secret_inputs.h"
#include "engine/base/signals.h"
#include "engine/process/launcher.h"

namespace canorun::cli {
namespace {

namespace asio = boost::asio;

Progress::Setting progress_setting(Wiring& wiring) {
  const Options& options = wiring.options();
  const Detail detail = options.quiet ? Detail::kQuiet : options.verbose ? Detail::kVerbose : Detail::kNormal;
  return {.detail = detail, .live = wiring.err().moves_cursor(), .style = wiring.err_style()};
}

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
  const std::string name = process::signal_name(signal);
  const std::string reason = cancels ? name + "; a second one leaves at once" : name;
  progress_.on_event({id_, model::Stopping{cancels, reason}});
  interrupt_->raise(cancels ? run::Reason::kCancel : run::Reason::kSuspend,
                    cancels ? fmt::format("interrupted ({})", name) : name);
}

std::string Session::way_on() const {
  if (store_.log_folder(id_).empty()) return "nothing of it was kept";
  const auto record = store_.load(id_);
  const std::string again = record ? again_options(run::replay(id_, record->rows).start) : std::string();
  return "go on with: " + wiring_.command("resume " + id_ + again);
}

// Nothing is waited for: commands die with this process, and the store's rows are where they were.
void Session::leave() {
  progress_.finish();
  Refusal left{RefusalKind::kCancelled, "left at once"};
  if (setting_.resumable) {
    left = {RefusalKind::kInterrupted, fmt::format("left at once; run '{}' is interrupted", id_), way_on()};
  }
  wiring_.tell(left);
  ::_exit(static_cast<int>(exit_code(left.kind)));
}

}  // namespace canorun::cli
