#include "cli/output.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>

using canorun::cli::Output;

TEST_CASE("a reader that has gone is no error") {
  ::signal(SIGPIPE, SIG_IGN);
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  ::close(ends[0]);
  Output out(ends[1]);
  out.write("x");
  CHECK(out.is_over());
  CHECK(out.error() == 0);
  ::close(ends[1]);
}

TEST_CASE("a device that is full is one") {
  const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  REQUIRE(full >= 0);
  Output out(full);
  out.write("x");
  CHECK(out.is_over());
  CHECK(out.error() == ENOSPC);
  ::close(full);
}
