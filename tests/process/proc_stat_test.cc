#include "engine/process/proc_stat.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>

namespace canorun::process {

TEST_CASE("a process's name cannot pretend to be its other fields") {
  const auto stat = parse_proc_stat("42 (a) Z 1 (b) S 7 43 42 0 -1 4194304 0");
  REQUIRE(stat);
  CHECK_FALSE(stat->dead);
  CHECK_FALSE(stat->kernel_thread);
  CHECK(stat->group == 43);
  CHECK(stat->environment_end == 0);
  CHECK(parse_proc_stat("42 (a) S 7 43 42 0 -1 4194304 0 1 2 3 4 5 6 7 8 9 10 11 777 13")->started == 777);
}

TEST_CASE("zombies and kernel threads are told apart from others") {
  CHECK(parse_proc_stat("42 (sh) Z 1 42 42 0 -1 4194316 0")->dead);
  CHECK(parse_proc_stat("2 (kthreadd) S 0 0 0 0 -1 2129984 0")->kernel_thread);
}

TEST_CASE("what is no status is refused") {
  CHECK_FALSE(parse_proc_stat(""));
  CHECK_FALSE(parse_proc_stat("42 (sh"));
  CHECK_FALSE(parse_proc_stat("42 (sh)"));
}

TEST_CASE("this process is listed, and says where its environment ends") {
  CHECK(std::ranges::count(all_processes(), ::getpid()) == 1);
  const auto stat = read_proc_stat(::getpid());
  REQUIRE(stat);
  CHECK(stat->group == ::getpgrp());
  CHECK(stat->environment_begin != 0);
  CHECK(stat->environment_end > stat->environment_begin);
}

}  // namespace canorun::process
