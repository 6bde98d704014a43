// A real HTTP/1.1 server on the loopback interface.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace canorun::test {

struct HttpAsked {
  std::string method;
  std::string target;                          ///< path and query, as sent
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::string body;
};

struct HttpAnswer {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string body = {};
  /// Announces one byte more than it sends, and then keeps the connection open until the other side
  /// leaves or the server stops.
  bool hang = false;
};

/// Serves until it goes. The handler is called from threads of the server, one per connection.
class HttpServer {
 public:
  explicit HttpServer(std::function<HttpAnswer(const HttpAsked&)> handler);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// `http://127.0.0.1:PORT` and the path.
  std::string url(std::string_view path) const;
  int port() const { return port_; }

  /// Everything that was asked so far.
  std::vector<HttpAsked> asked() const;
  /// How many connections were made, and how often the other side left a hanging answer.
  int connections() const { return connections_; }
  int left() const { return left_; }

 private:
  void accept_all();
  void serve(int socket);
  bool answer(int socket, const HttpAsked& asked);
  bool wait_readable(int socket) const;

  std::function<HttpAnswer(const HttpAsked&)> handler_;
  int listener_ = -1;
  int stop_ = -1;  ///< an eventfd that becomes readable for good
  int port_ = 0;
  std::atomic<int> connections_{0};
  std::atomic<int> left_{0};
  mutable std::mutex mutex_;
  std::vector<HttpAsked> asked_;
  std::vector<std::thread> threads_;  ///< of the connections; only the accepting thread adds to it
  std::thread acceptor_;
};

/// A port on which nobody listens, at the time of asking.
int unused_port();

}  // namespace canorun::test
