// What is written for users names things that are there.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <regex>
#include <string>
#include <vector>

#include "house/tree.h"
#include "support/program.h"
#include "support/temp_folder.h"

namespace canorun::test {
namespace {

namespace fs = std::filesystem;

const fs::path kTop = CANORUN_SOURCE_DIR;

bool is_program(const fs::path& path) {
  return fs::is_regular_file(path) && (fs::status(path).permissions() & fs::perms::owner_exec) != fs::perms::none;
}

std::vector<std::string> examples() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(kTop / "workflows/examples")) {
    if (entry.path().extension() == ".yaml") names.push_back(entry.path().filename().string());
  }
  std::ranges::sort(names);
  return names;
}

}  // namespace

TEST_CASE("the README's first two commands are single lines that run programs of the tree") {
  const auto commands = readme_blocks("sh");
  REQUIRE(commands.size() >= 2);
  CHECK(commands[0] == "./bootstrap.sh && build/release/canorun run workflows/examples/order.yaml -i order_id=A1\n");
  CHECK(commands[1] == "./bootstrap.sh --test\n");
  CHECK(is_program(kTop / "bootstrap.sh"));
}

TEST_CASE("continuous integration runs the README's second command") {
  CHECK(is_program(kTop / ".ci/run"));
  CHECK(read_text(".ci/run").find("\n" + readme_blocks("sh").at(1)) != std::string::npos);
}

TEST_CASE("every relative link of the README leads somewhere") {
  const std::string readme = read_text("README.md");
  static const std::regex link(R"(\]\(([^)#:]+)\))");
  std::string broken;
  for (std::sregex_iterator at(readme.begin(), readme.end(), link), end; at != end; ++at) {
    if (!fs::exists(kTop / (*at)[1].str())) broken += (*at)[1].str() + "\n";
  }
  CHECK(broken == "");
}

TEST_CASE("the README's flow and the examples pass the strictest check") {
  const TempFolder folder;
  std::vector<std::string> argv{CANORUN_BINARY, "validate", "--strict"};
  for (const std::string& flow : readme_blocks("yaml")) {
    argv.push_back(folder.path() + "/readme" + std::to_string(argv.size()) + ".yaml");
    write_file(argv.back(), flow);
  }
  CHECK(argv.size() > 3);
  for (const std::string& name : examples()) argv.push_back((kTop / "workflows/examples" / name).string());
  const Ran ran = run_program({.argv = argv});
  INFO(ran.out, ran.err);
  CHECK(ran.code == 0);
}

TEST_CASE("every example says what it does and how to run it, and the README names it") {
  const std::string readme = read_text("README.md");
  CHECK(examples().size() >= 4);
  for (const std::string& name : examples()) {
    CAPTURE(name);
    const std::string text = read_text("workflows/examples/" + name);
    CHECK(text.starts_with("# "));
    const std::string header = text.substr(0, text.find("\nname:"));
    CHECK(header.find("canorun run workflows/examples/" + name) != std::string::npos);
    CHECK(readme.find("workflows/examples/" + name) != std::string::npos);
  }
}

}  // namespace canorun::test
