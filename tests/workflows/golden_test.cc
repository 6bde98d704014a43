// Every file of tests/golden/diagnostics is loaded and its diagnostics are compared with the text
// beside it, byte for byte. CANORUN_ACCEPT=1 writes the texts anew: look at the difference before
// committing it.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "tasks/catalog.h"
#include "workflows/load.h"

using namespace canorun;
namespace fs = std::filesystem;

namespace {

const fs::path kFolder = fs::path(CANORUN_SOURCE_DIR) / "tests/golden/diagnostics";

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<fs::path> flows() {
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(kFolder)) {
    if (entry.path().extension() == ".yaml") found.push_back(entry.path());
  }
  std::ranges::sort(found);
  return found;
}

workflows::Loaded load(const fs::path& path) {
  return workflows::load_text(path.filename(), read(path), path, kFolder, tasks::catalog());
}

std::string rendered(const workflows::Loaded& loaded) {
  std::string text;
  for (const Diagnostic& diagnostic : loaded.diagnostics) text += render(diagnostic, false);
  return text;
}

}  // namespace

TEST_CASE("every flow of the golden folder has exactly its diagnostics") {
  const bool accept = std::getenv("CANORUN_ACCEPT") != nullptr;
  REQUIRE(!flows().empty());
  for (const fs::path& path : flows()) {
    fs::path golden = path;
    golden.replace_extension(".txt");
    const auto loaded = load(path);
    CHECK_MESSAGE((loaded.flow == nullptr) == has_errors(loaded.diagnostics), path.filename());
    if (accept) {
      std::ofstream(golden, std::ios::binary) << rendered(loaded);
    } else {
      CHECK_MESSAGE(rendered(loaded) == read(golden), path.filename());
    }
  }
}

TEST_CASE("every code of a diagnostic has a golden flow") {
  std::set<Code> seen;
  for (const fs::path& path : flows()) {
    for (const Diagnostic& diagnostic : load(path).diagnostics) seen.insert(diagnostic.code);
  }
  // There is no such file, and one too large to keep: load_test.cc and hostile_test.cc.
  seen.insert(Code::kUnreadableFile);
  seen.insert(Code::kFileTooLarge);
  for (int code = 0; code <= static_cast<int>(Code::kShadowedTransition); ++code) {
    CHECK_MESSAGE(seen.contains(static_cast<Code>(code)), code_name(static_cast<Code>(code)));
  }
}

TEST_CASE("thirty different mistakes are told of as thirty diagnostics") {
  const auto loaded = load(kFolder / "thirty_mistakes.yaml");
  CHECK(loaded.diagnostics.size() == 30);
  std::set<std::pair<std::uint32_t, std::string>> places;
  for (const Diagnostic& diagnostic : loaded.diagnostics) places.emplace(diagnostic.span.begin, diagnostic.message);
  CHECK(places.size() == 30);
}
