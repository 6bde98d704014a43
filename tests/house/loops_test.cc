// GCC 12 ends the life of what a `for` declares in its condition before the third expression is evaluated
// (GCC bug 86769): what is read there is garbage once it is optimized. A `while` does it right.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <regex>
#include <string>

#include "house/tree.h"

namespace canorun::test {
namespace {

/// One line for each such loop of `file`.
std::string unsafe_loops(const SourceFile& file) {
  static const std::regex declares(R"(\bfor\s*\([^;()]*(\([^;()]*\)[^;()]*)*;\s*(const\s+)?auto\s*[&*]*\s*\w+\s*=)");
  const std::string code = code_only(file.text);
  std::string found;
  for (auto it = std::sregex_iterator(code.begin(), code.end(), declares); it != std::sregex_iterator(); ++it) {
    found += fmt::format("{}:{}\n", file.path, 1 + std::count(code.begin(), code.begin() + it->position(), '\n'));
  }
  return found;
}

}  // namespace

TEST_CASE("a declaration in the condition of a for loop is found") {
  CHECK(
      unsafe_loops({"a.cc", "\nfor (auto at = first(x, y); const auto place = next(at); at = *place) use(*place);"}) ==
      "a.cc:2\n");
  CHECK(unsafe_loops({"a.cc", "for (; auto* p = next(); ++p) {}"}) == "a.cc:1\n");
  CHECK(unsafe_loops({"a.cc", "for (auto i = f(); i != g(); ++i) { const auto x = 1; } for (const auto& y : z) {}"})
            .empty());
}

TEST_CASE("no for loop of the tree declares something in its condition") {
  std::string all;
  for (const SourceFile& file : source_files(true)) all += unsafe_loops(file);
  CHECK(all == "");
}

}  // namespace canorun::test
