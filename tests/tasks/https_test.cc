#include <doctest/doctest.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>

#include "engine/process/launcher.h"
#include "tasks/fake_context.h"

namespace canorun::tasks {
namespace {

using test::Bench;

/// `openssl s_server` with a certificate that nobody signed; not running where there is no openssl.
class TlsServer {
 public:
  TlsServer() {
    const std::string make =
        "openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 "
        "-keyout key.pem -out cert.pem 2>/dev/null && "
        "exec openssl s_server -accept 127.0.0.1:0 -key key.pem -cert cert.pem -www";
    process::SystemLauncher launcher;
    const char* path = std::getenv("PATH");
    auto child = launcher.launch({.argv = {"/bin/sh", "-c", make},
                                  .environment = {{"PATH", path != nullptr ? path : "/usr/bin:/bin"}},
                                  .folder = folder_.path()});
    if (!child) return;
    child_ = std::move(*child);
    read_port();
  }
  ~TlsServer() {
    if (child_.pid < 0) return;
    process::signal_group(child_.pid, SIGKILL);
    process::reap(child_);
  }
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;

  bool runs() const { return !port_.empty(); }
  std::string url() const { return "https://127.0.0.1:" + port_ + "/"; }
  std::string certificate() const { return folder_.path() + "/cert.pem"; }

 private:
  // It says `ACCEPT 127.0.0.1:PORT` once it listens.
  void read_port() {
    std::string said;
    char byte = 0;
    pollfd waited{.fd = child_.stdout_pipe.get(), .events = POLLIN, .revents = 0};
    while (::poll(&waited, 1, 30'000) > 0 && ::read(child_.stdout_pipe.get(), &byte, 1) == 1) {
      said += byte;
      const auto at = said.find("ACCEPT 127.0.0.1:");
      if (byte == '\n' && at != std::string::npos) {
        port_ = said.substr(at + 17, said.size() - at - 18);
        return;
      }
    }
  }

  test::TempFolder folder_;
  process::Child child_;
  std::string port_;
};

}  // namespace

TEST_CASE("a certificate that nobody vouches for is refused, unless ca_file trusts it") {
  const TlsServer server;
  if (!server.runs()) {
    MESSAGE("no openssl here: TLS is not tested");
    return;
  }
  const auto error = Bench().error("http", {{"url", server.url()}});
  CHECK(error.kind == "task");
  CHECK(error.message.find("certificate") != std::string::npos);
  CHECK(Bench().output("http", {{"url", server.url()}, {"ca_file", server.certificate()}}).at("status") == 200);
  CHECK(Bench().error("http", {{"url", server.url()}, {"ca_file", "none.pem"}}).kind == "task");
}

}  // namespace canorun::tasks
