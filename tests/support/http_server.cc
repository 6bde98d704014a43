#include "support/http_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <optional>
#include <stdexcept>

namespace canorun::test {
namespace {

sockaddr_in loopback() {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// A socket bound to a free port of the loopback interface, and that port.
std::pair<int, int> bind_socket() {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback();
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (socket < 0 || ::bind(socket, generic, size) != 0 || ::getsockname(socket, generic, &size) != 0) {
    throw std::runtime_error("no port to serve on");
  }
  return {socket, ntohs(address.sin_port)};
}

bool send_all(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

// A whole head, or nothing yet.
std::optional<HttpAsked> parse_head(std::string_view head) {
  HttpAsked asked;
  const auto first_end = head.find("\r\n");
  const std::string_view first = head.substr(0, first_end);
  const auto space = first.find(' ');
  const auto second_space = first.rfind(' ');
  if (space == std::string_view::npos || second_space == space) return std::nullopt;
  asked.method = first.substr(0, space);
  asked.target = first.substr(space + 1, second_space - space - 1);
  head.remove_prefix(first_end + 2);
  while (!head.empty()) {
    const auto end = std::min(head.find("\r\n"), head.size());
    const std::string_view line = head.substr(0, end);
    head.remove_prefix(std::min(end + 2, head.size()));
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    std::string name(line.substr(0, colon));
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const auto value = line.find_first_not_of(' ', colon + 1);
    asked.headers[name] = value == std::string_view::npos ? "" : std::string(line.substr(value));
  }
  return asked;
}

}  // namespace

HttpServer::HttpServer(std::function<HttpAnswer(const HttpAsked&)> handler)
    : handler_(std::move(handler)), stop_(::eventfd(0, EFD_CLOEXEC)) {
  std::tie(listener_, port_) = bind_socket();
  if (::listen(listener_, 64) != 0) throw std::runtime_error("cannot listen");
  acceptor_ = std::thread([this] { accept_all(); });
}

HttpServer::~HttpServer() {
  ::eventfd_write(stop_, 1);
  acceptor_.join();
  for (auto& thread : threads_) thread.join();
  ::close(listener_);
  ::close(stop_);
}

std::string HttpServer::url(std::string_view path) const {
  return "http://127.0.0.1:" + std::to_string(port_) + std::string(path);
}

std::vector<HttpAsked> HttpServer::asked() const {
  const std::lock_guard lock(mutex_);
  return asked_;
}

bool HttpServer::wait_readable(int socket) const {
  pollfd waited[2] = {{socket, POLLIN, 0}, {stop_, POLLIN, 0}};
  return ::poll(waited, 2, -1) > 0 && waited[1].revents == 0;
}

void HttpServer::accept_all() {
  while (wait_readable(listener_)) {
    const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) continue;
    ++connections_;
    threads_.emplace_back([this, socket] {
      serve(socket);
      ::close(socket);
    });
  }
}

void HttpServer::serve(int socket) {
  std::string buffer;
  std::optional<HttpAsked> asked;
  std::size_t body_begin = 0;
  for (char chunk[4096];;) {
    if (!asked) {
      if (const auto end = buffer.find("\r\n\r\n"); end != std::string::npos) {
        asked = parse_head(std::string_view(buffer).substr(0, end));
        if (!asked) return;
        body_begin = end + 4;
      }
    }
    if (asked) {
      const auto length = asked->headers.find("content-length");
      const std::size_t wanted = length == asked->headers.end() ? 0 : std::stoul(length->second);
      if (buffer.size() - body_begin >= wanted) {
        asked->body = buffer.substr(body_begin, wanted);
        buffer.erase(0, body_begin + wanted);
        if (!answer(socket, *std::exchange(asked, std::nullopt))) return;
        continue;
      }
    }
    if (!wait_readable(socket)) return;
    const ssize_t count = ::recv(socket, chunk, sizeof chunk, 0);
    if (count <= 0) return;
    buffer.append(chunk, static_cast<std::size_t>(count));
  }
}

bool HttpServer::answer(int socket, const HttpAsked& asked) {
  {
    const std::lock_guard lock(mutex_);
    asked_.push_back(asked);
  }
  const HttpAnswer answer = handler_(asked);
  std::string head = "HTTP/1.1 " + std::to_string(answer.status) + " Said\r\n";
  for (const auto& [name, value] : answer.headers) head += name + ": " + value + "\r\n";
  head += "Content-Length: " + std::to_string(answer.body.size() + (answer.hang ? 1 : 0)) + "\r\n\r\n";
  if (asked.method != "HEAD") head += answer.body;
  const bool sent = send_all(socket, head);
  if (!answer.hang) return sent;
  char byte = 0;
  if (wait_readable(socket) && ::recv(socket, &byte, 1, 0) <= 0) ++left_;
  return false;
}

int unused_port() {
  const auto [socket, port] = bind_socket();
  ::close(socket);
  return port;
}

}  // namespace canorun::test
