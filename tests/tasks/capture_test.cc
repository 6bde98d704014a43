#include "tasks/capture.h"

#include <doctest/doctest.h>

namespace canorun::tasks {
namespace {

Capture captured(std::size_t limit, std::initializer_list<std::string_view> chunks) {
  Capture capture(limit);
  for (const auto chunk : chunks) capture.take(chunk);
  return capture;
}

std::string numbered(int from, int to) {
  std::string text;
  for (int i = from; i <= to; ++i) text += std::to_string(i) + "\n";
  return text;
}

}  // namespace

TEST_CASE("what fits is kept whole, without one end newline") {
  const Capture all = captured(8, {"abc", "", "de\n", "\n"});
  CHECK(all.text() == "abcde\n");
  CHECK(all.bytes() == "abcde\n\n");
  CHECK_FALSE(all.truncated());
  CHECK(captured(8, {}).text().empty());
  CHECK_FALSE(captured(3, {"abc"}).truncated());
}

TEST_CASE("what does not fit is cut at its end, never inside a character") {
  const Capture cut = captured(4, {"abc", "de\n"});
  CHECK(cut.text() == "abcd");
  CHECK(cut.truncated());
  CHECK(captured(5, {"abc\xe2\x82\xac"}).text() == "abc");
  CHECK(captured(6, {"abc\xe2\x82\xac", "x"}).text() == "abc\xe2\x82\xac");
  CHECK(captured(0, {"x"}).text().empty());
}

TEST_CASE("bytes that are no UTF-8 become replacement characters") {
  CHECK(captured(16, {"a\xff", "b"}).text() ==
        "a\xef\xbf\xbd"
        "b");
}

TEST_CASE("the tail is the last twenty lines, whether they were kept or not") {
  const std::string wanted = numbered(81, 100);
  const std::string without_end = wanted.substr(0, wanted.size() - 1);
  CHECK(captured(1 << 20, {numbered(1, 100)}).tail() == without_end);
  CHECK(captured(10, {numbered(1, 100)}).tail() == without_end);
  Capture bit_by_bit(100);
  for (const char c : numbered(1, 100)) bit_by_bit.take({&c, 1});
  CHECK(bit_by_bit.tail() == without_end);
  CHECK(captured(10, {"one\ntwo\n"}).tail() == "one\ntwo");
  CHECK(captured(10, {}).tail().empty());
}

TEST_CASE("the tail is at most 4 KiB, of whole lines where there are any") {
  const std::string long_line(3000, 'x');
  CHECK(captured(1 << 20, {long_line, "\n", long_line, "\n", "end\n"}).tail() == long_line + "\nend");
  CHECK(captured(16, {std::string(100'000, 'y')}).tail() == std::string(4096, 'y'));
}

TEST_CASE("the first lines end at the twentieth, or at 4 KiB") {
  const std::string wanted = numbered(1, 20);
  CHECK(first_lines(numbered(1, 100)) == wanted.substr(0, wanted.size() - 1));
  CHECK(first_lines("one\ntwo\n") == "one\ntwo");
  CHECK(first_lines(std::string(100'000, 'y')) == std::string(4096, 'y'));
  CHECK(first_lines("").empty());
}

}  // namespace canorun::tasks
