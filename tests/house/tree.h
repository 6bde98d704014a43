// The source tree as the tests of the house see it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace canorun::test {

struct SourceFile {
  std::string path;  ///< from the top of the tree: `engine/base/value.h`
  std::string text;
};

/// Every .h and .cc of the program, and with `tests` those of the tests, sorted by path.
std::vector<SourceFile> source_files(bool tests);

/// A file of the tree; empty when there is none.
std::string read_text(std::string_view path);

struct Include {
  std::size_t line;
  std::string header;  ///< without quotes or angle brackets
};

std::vector<Include> includes(std::string_view text);

/// The text with comments and the insides of literals blanked: same length, same lines.
std::string code_only(std::string_view text);

/// The texts of the README's fenced blocks that are marked with that language.
std::vector<std::string> readme_blocks(std::string_view language);

}  // namespace canorun::test
