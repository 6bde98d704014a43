// libcurl's transfers on an io_context: its sockets and its timer are waited for there.
#pragma once

#include <boost/asio/execution_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <unordered_map>

#include "tasks/http_curl.h"

namespace canorun::tasks {

/// All transfers of one io_context, which owns it (`asio::use_service`). Connections are kept and used
/// again. Event-loop thread only; libcurl must have been loaded.
class HttpLoop final : public boost::asio::execution_context::service {
 public:
  using key_type = HttpLoop;
  static inline boost::asio::execution_context::id id;

  /// `context` is an io_context.
  explicit HttpLoop(boost::asio::execution_context& context);
  ~HttpLoop() override = default;

  /// Starts a transfer; `done` is called once, from the event loop, unless it is removed before.
  void add(CURL* transfer, std::function<void(CURLcode)> done);
  /// Takes a transfer out, finished or not. Not from within libcurl's callbacks.
  void remove(CURL* transfer);

 private:
  struct Watch;

  void shutdown() override;
  static int on_socket(CURL*, curl_socket_t socket, int what, void* self, void*);
  static int on_timer(CURLM*, long timeout_ms, void* self);
  void watch(curl_socket_t socket, int what);
  void wait(const std::shared_ptr<Watch>& watch, int event);
  void act(curl_socket_t socket, int events);

  const Curl& curl_;
  boost::asio::steady_timer timer_;
  CURLM* multi_;
  std::unordered_map<curl_socket_t, std::shared_ptr<Watch>> watches_;
  std::unordered_map<CURL*, std::function<void(CURLcode)>> transfers_;
};

}  // namespace canorun::tasks
