#include "engine/run/requests.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>

namespace canorun::run {
namespace {

namespace asio = boost::asio;

constexpr Millis kLookAgain{2'000};

}  // namespace

struct RequestWatch::Watch : std::enable_shared_from_this<Watch> {
  Watch(Runtime& the_runtime, store::RunNumber the_run, Interrupt& the_interrupt, Bell& the_signals)
      : runtime(the_runtime),
        run(the_run),
        interrupt(the_interrupt),
        signals(the_signals),
        wake(runtime.executor),
        timer(runtime.executor) {}

  void look() {
    signals.ring();
    const auto requests = runtime.store.take_requests(run);
    if (!requests) return;  // the next commit will say so
    for (const store::Request request : *requests) {
      switch (request) {
        case store::Request::kCancel: interrupt.raise(Reason::kCancel, "cancelled by 'canorun cancel'"); break;
      }
    }
  }

  void wait_for_wake() {
    wake.async_wait(asio::posix::stream_descriptor::wait_read,
                    [self = shared_from_this()](const boost::system::error_code& error) {
                      if (error || self->closed) return;
                      std::array<char, 4096> drained{};
                      while (::read(self->wake.native_handle(), drained.data(), drained.size()) > 0) {
                      }
                      self->look();
                      self->wait_for_wake();
                    });
  }

  void wait_for_time() {
    timer.expires_after(kLookAgain);
    timer.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
      if (error || self->closed) return;
      self->look();
      self->wait_for_time();
    });
  }

  Runtime& runtime;
  store::RunNumber run;
  Interrupt& interrupt;
  Bell& signals;
  asio::posix::stream_descriptor wake;
  Timer timer;
  bool closed = false;
};

RequestWatch::RequestWatch(Runtime& runtime, store::RunNumber run, Interrupt& interrupt, Bell& signals)
    : watch_(std::make_shared<Watch>(runtime, run, interrupt, signals)) {
  const int fd = runtime.store.wake_fd();
  const int own = fd >= 0 ? ::fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;
  if (own >= 0) {
    watch_->wake.assign(own);
    watch_->wait_for_wake();
  }
  watch_->wait_for_time();
  watch_->look();
}

RequestWatch::~RequestWatch() {
  watch_->closed = true;
  boost::system::error_code ignored;
  watch_->wake.close(ignored);
  watch_->timer.cancel();
}

}  // namespace canorun::run
