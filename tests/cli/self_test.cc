#include "cli/self.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <unistd.h>

#include "support/program.h"

using namespace canorun;
using namespace canorun::test;

TEST_CASE("processes with a text in their environment are killed, and no others") {
  const std::string mark = "canorun-self-test-" + std::to_string(::getpid());
  Program meant({.argv = {"sleep", "100"}, .env = {{"MARK", "a/" + mark + "/b"}}});
  Program other({.argv = {"sleep", "100"}, .env = {{"MARK", mark.substr(0, mark.size() - 1)}}});
  cli::end_processes_with(mark);
  CHECK(meant.wait().signal == SIGKILL);
  CHECK(other.running());
}

TEST_CASE("signals that ask to stop wait to be asked for") {
  {
    cli::StopSignals stop;
    CHECK_FALSE(stop.came());
    ::kill(::getpid(), SIGTERM);
    CHECK(stop.take() == 1);
    CHECK(stop.take() == 0);
    CHECK(stop.came());
    ::kill(::getpid(), SIGINT);  // would end this process, were it not taken before they are let in again
  }
  cli::StopSignals later;
  CHECK_FALSE(later.came());
}
