// Real programs, started, waited for and killed by tests.
#pragma once

#include <sys/types.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace canorun::test {

struct Ran {
  int code = -1;  ///< exit code; -1 when a signal ended it
  int signal = 0;
  std::string out;
  std::string err;
  long peak = 0;  ///< of resident memory, in KiB: its own, or that of the largest program that it waited for
};

struct Start {
  std::vector<std::string> argv;
  std::map<std::string, std::string> env = {};  ///< added to the test's own; an empty value unsets
  std::string folder = {};                      ///< the test's own where empty
};

/// A program that runs. Its output goes to files, so that nothing blocks. Killed, if still alive, when
/// it goes out of scope.
class Program {
 public:
  explicit Program(Start start);
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program();

  pid_t pid() const { return pid_; }
  void signal(int number) const;
  bool running() const;
  /// Waits for the end, at most two minutes.
  Ran wait();
  std::string out() const;
  std::string err() const;

 private:
  std::string folder_;
  pid_t pid_ = -1;
  int pidfd_ = -1;
};

Ran run_program(Start start);

/// Waits until `condition` holds, at most half a minute; false when it never did.
bool eventually(const std::function<bool()>& condition);

/// How many processes, zombies aside, have `mark` in their command line.
int processes_with(const std::string& mark);

std::string read_file(const std::string& path);
void write_file(const std::string& path, const std::string& text);
/// Every regular file below a folder: relative path -> content. Links as `-> target`.
std::map<std::string, std::string> read_tree(const std::string& folder);

}  // namespace canorun::test
