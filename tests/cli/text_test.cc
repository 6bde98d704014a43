#include "cli/text.h"

#include <doctest/doctest.h>

using namespace canorun::cli;

TEST_CASE("printable text has no control characters but newlines and tabs") {
  CHECK(printable("a\tb\nc\r\x1b[1m\x7f") == "a\tb\nc\xEF\xBF\xBD\xEF\xBF\xBD[1m\xEF\xBF\xBD");
  CHECK(printable("\xC2\x9B"
                  "2J") ==
        "\xEF\xBF\xBD"
        "2J");
  CHECK(printable("\xFF ä") == "\xEF\xBF\xBD ä");
}

TEST_CASE("one line is cut at characters, and says so") {
  CHECK(one_line("abc", 3) == "abc");
  CHECK(one_line("abcd", 3) == "ab…");
  CHECK(one_line("äöüß", 3) == "äö…");
  CHECK(one_line("a\nb\tc", 9) == "a b c");
  CHECK(one_line(std::string(100'000, 'x'), 2) == "x…");
}

TEST_CASE("words for a shell are quoted where they must be") {
  CHECK(shell_word("/srv/a-b_c.d") == "/srv/a-b_c.d");
  CHECK(shell_word("") == "''");
  CHECK(shell_word("it's $HOME") == R"('it'\''s $HOME')");
}

TEST_CASE("a table aligns its columns and has no blanks at the ends of lines") {
  Table table;
  table.row({{"a"}, {"1", {}, true}, {"x"}});
  table.row({{"äöü"}, {"100", {}, true}});
  table.row({{""}, {"7", "\x1b[1m7\x1b[0m", true}, {"y"}});
  CHECK(table.text("- ") ==
        "- a      1  x\n"
        "- äöü  100\n"
        "-        \x1b[1m7\x1b[0m  y\n");
}
