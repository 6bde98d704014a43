#include "tasks/http_loop.h"

#include <boost/asio.hpp>

namespace canorun::tasks {

namespace asio = boost::asio;
using asio::posix::descriptor_base;

/// A socket of libcurl's, and what it waits for there.
struct HttpLoop::Watch {
  explicit Watch(const asio::any_io_executor& executor, curl_socket_t socket) : descriptor(executor, socket) {}

  asio::posix::stream_descriptor descriptor;  ///< closed by libcurl: released, never closed here
  int wanted = 0;                             ///< CURL_POLL_*; 0: no longer watched
  int waiting = 0;                            ///< events with a wait on its way
};

// The timer and the descriptors come from services of the context that must be shut down after this
// one, so they are made first.
HttpLoop::HttpLoop(asio::execution_context& context)
    : service(context),
      curl_(*curl()),
      timer_(static_cast<asio::io_context&>(context)),
      multi_((asio::posix::stream_descriptor(timer_.get_executor()), curl_.multi_init())) {
  curl_.multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &HttpLoop::on_socket);
  curl_.multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_.multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &HttpLoop::on_timer);
  curl_.multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
}

void HttpLoop::shutdown() {
  while (!transfers_.empty()) remove(transfers_.begin()->first);
  curl_.multi_cleanup(std::exchange(multi_, nullptr));
  for (auto& [socket, watch] : watches_) watch->descriptor.release();
  watches_.clear();
  timer_.cancel();
}

void HttpLoop::add(CURL* transfer, std::function<void(CURLcode)> done) {
  transfers_.emplace(transfer, std::move(done));
  curl_.multi_add_handle(multi_, transfer);
}

void HttpLoop::remove(CURL* transfer) {
  if (transfers_.erase(transfer) > 0) curl_.multi_remove_handle(multi_, transfer);
}

int HttpLoop::on_socket(CURL*, curl_socket_t socket, int what, void* self, void*) {
  static_cast<HttpLoop*>(self)->watch(socket, what);
  return 0;
}

void HttpLoop::watch(curl_socket_t socket, int what) {
  if (what == CURL_POLL_REMOVE) {
    if (const auto found = watches_.find(socket); found != watches_.end()) {
      found->second->wanted = 0;
      found->second->descriptor.release();
      watches_.erase(found);
    }
    return;
  }
  auto& watch = watches_[socket];
  if (!watch) watch = std::make_shared<Watch>(timer_.get_executor(), socket);
  watch->wanted = what;
  wait(watch, CURL_POLL_IN);
  wait(watch, CURL_POLL_OUT);
}

void HttpLoop::wait(const std::shared_ptr<Watch>& watch, int event) {
  if ((watch->wanted & event) == 0 || (watch->waiting & event) != 0) return;
  watch->waiting |= event;
  const auto type = event == CURL_POLL_IN ? descriptor_base::wait_read : descriptor_base::wait_write;
  watch->descriptor.async_wait(type, [this, watch, event](const boost::system::error_code& error) {
    watch->waiting &= ~event;
    if ((watch->wanted & event) == 0) return;
    const int ready = event == CURL_POLL_IN ? CURL_CSELECT_IN : CURL_CSELECT_OUT;
    act(watch->descriptor.native_handle(), error ? CURL_CSELECT_ERR : ready);
    wait(watch, event);
  });
}

int HttpLoop::on_timer(CURLM*, long timeout_ms, void* self) {
  auto& loop = *static_cast<HttpLoop*>(self);
  loop.timer_.cancel();
  if (timeout_ms < 0 || loop.multi_ == nullptr) return 0;
  loop.timer_.expires_after(std::chrono::milliseconds(timeout_ms));
  loop.timer_.async_wait([&loop](const boost::system::error_code& error) {
    if (!error) loop.act(CURL_SOCKET_TIMEOUT, 0);
  });
  return 0;
}

void HttpLoop::act(curl_socket_t socket, int events) {
  int running = 0;
  curl_.multi_socket_action(multi_, socket, events, &running);
  int left = 0;
  while (const CURLMsg* message = curl_.multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURLcode result = message->data.result;  // the message does not outlive the next call
    if (const auto found = transfers_.find(message->easy_handle); found != transfers_.end()) found->second(result);
  }
}

}  // namespace canorun::tasks
