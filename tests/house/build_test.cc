// The build itself refuses an include that the house does not allow.
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>

#include "engine/base/value.h"
#include "support/temp_folder.h"

namespace canorun::test {
namespace {

/// The command that compiles `path` in this build, for another file and without precompiled headers;
/// it checks the file and writes nothing.
std::string compile_command(std::string_view path, const std::string& other) {
  std::ifstream in(CANORUN_BUILD_DIR "/compile_commands.json");
  const Json commands = Json::parse(in);
  for (const Json& entry : commands) {
    if (entry.at("file") != CANORUN_SOURCE_DIR "/" + std::string(path)) continue;
    static const std::regex cut(R"( -include \S+| -Winvalid-pch| -o \S+| -c \S+)");
    return std::regex_replace(entry.at("command").get<std::string>(), cut, "") + " -fsyntax-only " + other;
  }
  return "false";
}

/// Whether a file that stands beside `path`, and includes `header`, compiles.
bool compiles(std::string_view path, std::string_view header) {
  const TempFolder folder;
  const std::string file = folder.path() + "/probe.cc";
  std::ofstream(file) << "#include \"" << header << "\"\n";
  const std::string command = compile_command(path, file) + " >" + folder.path() + "/log 2>&1";
  return std::system(command.c_str()) == 0;
}

}  // namespace

TEST_CASE("a folder reaches the headers it may use and no others") {
  CHECK(compiles("engine/base/ids.cc", "engine/base/duration.h"));
  CHECK_FALSE(compiles("engine/base/ids.cc", "engine/store/row.h"));

  CHECK(compiles("engine/model/flow.cc", "engine/policy/retry.h"));
  CHECK_FALSE(compiles("engine/model/flow.cc", "engine/store/row.h"));
  CHECK_FALSE(compiles("engine/model/flow.cc", "engine/run/interrupt.h"));

  CHECK(compiles("tasks/catalog.cc", "engine/process/launcher.h"));
  CHECK_FALSE(compiles("tasks/catalog.cc", "engine/store/row.h"));
}

}  // namespace canorun::test
