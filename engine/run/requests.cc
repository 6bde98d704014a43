#include "engine/run/requests.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <map>

namespace canorun::run {
namespace {

namespace asio = boost::asio;

constexpr Millis kLookAgain{2'000};

}  // namespace

struct RequestWatch::Watch : std::enable_shared_from_this<Watch> {
  struct Told {
    Interrupt& interrupt;
    std::function<void()> ring;
  };

  explicit Watch(Runtime& the_runtime) : runtime(the_runtime), wake(runtime.executor), timer(runtime.executor) {}

  // What is told may listen no longer.
  void look() {
    runtime.limit_turns->ring_first();
    runtime.group_turns->ring_first();
    for (auto at = listeners.begin(); at != listeners.end();) {
      const store::RunNumber run = at->first;
      look(run, Told(at->second));
      at = listeners.upper_bound(run);
    }
  }

  void look(store::RunNumber run, const Told& told) const {
    told.ring();
    const auto requests = runtime.store.take_requests(run);
    if (!requests) return;  // the next commit will say so
    for (const store::Request request : *requests) {
      switch (request) {
        case store::Request::kCancel: told.interrupt.raise(Reason::kCancel, "cancelled by 'canorun cancel'"); break;
        case store::Request::kGiveWay:
          told.interrupt.raise(Reason::kCancel, "cancelled, as another run takes its concurrency group");
          break;
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
  std::map<store::RunNumber, Told> listeners;
  asio::posix::stream_descriptor wake;
  Timer timer;
  bool closed = false;
};

RequestWatch::RequestWatch(Runtime& runtime) : watch_(std::make_shared<Watch>(runtime)) {
  const int fd = runtime.store.wake_fd();
  const int own = fd >= 0 ? ::fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;
  if (own >= 0) {
    watch_->wake.assign(own);
    watch_->wait_for_wake();
  }
  watch_->wait_for_time();
}

RequestWatch::~RequestWatch() {
  watch_->closed = true;
  boost::system::error_code ignored;
  watch_->wake.close(ignored);
  watch_->timer.cancel();
}

RequestWatch::Listener::Listener(RequestWatch& watch, store::RunNumber run, Interrupt& interrupt,
                                 std::function<void()> ring)
    : watch_(watch.watch_), run_(run) {
  const Watch::Told told{interrupt, std::move(ring)};
  watch_->listeners.emplace(run, told);
  watch_->look(run, told);
}

RequestWatch::Listener::~Listener() { watch_->listeners.erase(run_); }

}  // namespace canorun::run
