#include "cli/apart.h"

#include <doctest/doctest.h>

#include <csignal>
#include <stdexcept>

using namespace canorun::cli;

TEST_CASE("what is done apart is given, however long it is") {
  const std::string text(1'000'000, 'x');
  const Apart done = apart([&] { return text; });
  CHECK(done.said == text);
  CHECK(done.signal == 0);
}

TEST_CASE("a signal that ends what is done apart is told, and ends nothing else") {
  const Apart done = apart([]() -> std::string {
    std::raise(SIGKILL);
    return "never";
  });
  CHECK(done.signal == SIGKILL);
  CHECK(done.said == "");
}

TEST_CASE("what is thrown apart says nothing") {
  const Apart done = apart([]() -> std::string { throw std::runtime_error("no"); });
  CHECK(done.signal == 0);
  CHECK(done.said == "");
}
