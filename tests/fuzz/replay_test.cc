// What the fuzzers start from, and what they found, once more: with this compiler, in every test run.
#include <doctest/doctest.h>

#include <filesystem>

#include "fuzz/entries.h"
#include "support/program.h"

namespace canorun::test {
namespace {

void replay(const std::string& corpus, void (*entry)(std::string_view)) {
  const std::filesystem::path folder = std::filesystem::path(CANORUN_SOURCE_DIR "/tests/fuzz/corpus") / corpus;
  REQUIRE(!std::filesystem::is_empty(folder));
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    CHECK_NOTHROW_MESSAGE(entry(read_file(file.path())), file.path().string());
  }
}

}  // namespace

TEST_CASE("every flow of the corpus ends in a flow or a reason why not") { replay("flow", fuzz::flow); }

TEST_CASE("every expression of the corpus ends in a value or a problem") { replay("expression", fuzz::expression); }

TEST_CASE("every text of the corpus ends in a template or problems") { replay("text", fuzz::text); }

}  // namespace canorun::test
