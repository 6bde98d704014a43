// Running real commands in tests of engine/process.
#pragma once

#include <poll.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "engine/process/launcher.h"
#include "support/temp_folder.h"

namespace canorun::test {

/// Writes a file; gives its path.
inline std::string write_file(const TempFolder& folder, const std::string& name, const std::string& text,
                              int mode = 0644) {
  const std::string path = folder.path() + "/" + name;
  std::ofstream(path) << text;
  std::filesystem::permissions(path, static_cast<std::filesystem::perms>(mode));
  return path;
}

inline process::Command shell(const std::string& script) {
  return {.argv = {"/bin/sh", "-c", script}, .environment = {{"PATH", "/usr/bin:/bin"}}, .folder = "/"};
}

/// What is read from a pipe until its end.
inline std::string read_all(const Fd& pipe) {
  std::string text;
  char buffer[4096];
  pollfd waited{.fd = pipe.get(), .events = POLLIN, .revents = 0};
  while (::poll(&waited, 1, -1) > 0) {
    const ssize_t count = ::read(pipe.get(), buffer, sizeof buffer);
    if (count <= 0) break;
    text.append(buffer, static_cast<std::size_t>(count));
  }
  return text;
}

/// What is read from a pipe until a line ends: how a command says that it got somewhere.
inline std::string read_line(const Fd& pipe) {
  std::string text;
  char one = 0;
  pollfd waited{.fd = pipe.get(), .events = POLLIN, .revents = 0};
  while (::poll(&waited, 1, -1) > 0 && ::read(pipe.get(), &one, 1) == 1 && one != '\n') text += one;
  return text;
}

inline void wait_until_readable(const Fd& fd) {
  pollfd waited{.fd = fd.get(), .events = POLLIN, .revents = 0};
  ::poll(&waited, 1, -1);
}

/// Waits, by looking again and again, for at most 20 s.
template <class Condition>
bool eventually(Condition condition) {
  for (int i = 0; i < 20'000; ++i) {
    if (condition()) return true;
    ::usleep(1000);
  }
  return false;
}

struct Ended {
  std::string out;
  std::string err;
  process::ExitStatus status;
  bool operator==(const Ended&) const = default;
};

inline Ended finish(process::Child& child) {
  Ended ended;
  ended.out = read_all(child.stdout_pipe);
  ended.err = read_all(child.stderr_pipe);
  wait_until_readable(child.pidfd);
  ended.status = process::reap(child);
  return ended;
}

}  // namespace canorun::test
