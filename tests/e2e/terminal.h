// A program at a terminal.
#pragma once

#include <fcntl.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "canorun.h"

namespace canorun::test {

/// A program with a terminal of 24 x 80 of its own. Killed, if still alive, when it goes out of scope.
class Terminal {
 public:
  explicit Terminal(Start start) {
    start.env.insert({"TERM", "xterm"});
    std::vector<std::string> words{"/usr/bin/env"};
    for (const auto& [name, value] : start.env) words.push_back(name + "=" + value);
    words.insert(words.end(), start.argv.begin(), start.argv.end());
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    const winsize size{24, 80, 0, 0};
    pid_ = ::forkpty(&fd_, nullptr, nullptr, &size);
    if (pid_ == 0) {
      if (::chdir(start.folder.c_str()) == 0) ::execv(argv[0], argv.data());
      ::_exit(127);
    }
    REQUIRE(pid_ > 0);
    ::fcntl(fd_, F_SETFL, O_NONBLOCK);
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  ~Terminal() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
    hang_up();
  }

  void type(const std::string& keys) const { REQUIRE(::write(fd_, keys.data(), keys.size()) == std::ssize(keys)); }
  void hang_up() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

  /// All that was written so far.
  const std::string& text() {
    std::array<char, 4096> buffer;
    for (ssize_t got = 0; fd_ >= 0 && (got = ::read(fd_, buffer.data(), buffer.size())) > 0;) {
      text_.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return text_;
  }
  bool shows(const std::string& part) {
    return eventually([&] { return text().find(part) != std::string::npos; });
  }
  /// The exit code; -1 when a signal ended it.
  int wait() {
    int status = 0;
    REQUIRE(eventually([&] {
      text();  // a terminal that is full would hold it up
      return ::waitpid(pid_, &status, WNOHANG) == pid_;
    }));
    pid_ = -1;
    text();
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  int fd_ = -1;
  pid_t pid_ = -1;
  std::string text_;
};

}  // namespace canorun::test
