#include "cli/view_logs.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include "cli/rows.h"

using namespace canorun;
using namespace canorun::cli;
using namespace canorun::test;

namespace {

// What two attempts wrote, the second with a gap.
std::string shown(LogView::Form form, Style style) {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  Output out(ends[1]);
  LogView view(out, form, style, [](std::uint64_t row) { return row; });
  const run::AttemptName first{.row = 1, .resumes = 0, .attempt = 1, .state = "ship"};
  const run::AttemptName second{.row = 1, .resumes = 0, .attempt = 2, .state = "ship"};
  view.chunk(first, {at(1), model::Stream::kStdout, "a \xC3"});
  view.chunk(first, {at(2), model::Stream::kStderr, "no\n"});
  view.chunk(first, {at(3), model::Stream::kStdout, "\xA4"});
  view.gap(second, 3 << 20);
  view.chunk(second, {at(4), model::Stream::kStdout, "\x1b[1mraw"});
  view.finish();
  ::close(ends[1]);
  std::string text(4096, '\0');
  text.resize(static_cast<std::size_t>(::read(ends[0], text.data(), text.size())));
  ::close(ends[0]);
  return text;
}

}  // namespace

TEST_CASE("logs have a header per attempt, and the bytes as they were") {
  CHECK(shown(LogView::Form::kHeaders, {}) ==
        "==> ship, visit 1, attempt 1 <==\na \xC3no\n\xA4\n\n==> ship, visit 1, attempt 2 <==\n"
        "[… 3.0 MiB were not kept …]\n\x1b[1mraw\n");
}

TEST_CASE("on a terminal stderr is painted") {
  CHECK(shown(LogView::Form::kHeaders, {.color = true}).find("\x1b[31mno\n\x1b[0m") != std::string::npos);
}

TEST_CASE("without headers there is nothing but the bytes") {
  CHECK(shown(LogView::Form::kBytes, {}) == "a \xC3no\n\xA4\x1b[1mraw");
}

TEST_CASE("as JSON there is a line per chunk, and no character is torn") {
  CHECK(
      shown(LogView::Form::kJson, {}) ==
      R"({"at":"2026-11-23T08:15:00.001Z","attempt":1,"row":1,"state":"ship","stream":"stdout","text":"a "})"
      "\n"
      R"({"at":"2026-11-23T08:15:00.002Z","attempt":1,"row":1,"state":"ship","stream":"stderr","text":"no\n"})"
      "\n"
      R"({"at":"2026-11-23T08:15:00.003Z","attempt":1,"row":1,"state":"ship","stream":"stdout","text":"ä"})"
      "\n"
      R"({"attempt":2,"left_out":3145728,"row":1,"state":"ship"})"
      "\n"
      R"({"at":"2026-11-23T08:15:00.004Z","attempt":2,"row":1,"state":"ship","stream":"stdout","text":"\u001b[1mraw"})"
      "\n");
}
