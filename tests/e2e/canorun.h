// The real binary, in a world of its own: a folder with a store, flows and what they write.
#pragma once

#include <doctest/doctest.h>
#include <signal.h>

#include <filesystem>
#include <string>
#include <vector>

#include "engine/base/value.h"
#include "support/program.h"
#include "support/temp_folder.h"

namespace canorun::test {

class World {
 public:
  World() { env_["CANORUN_STORE"] = store(); }

  std::string folder() const { return folder_.path(); }
  std::string store() const { return folder_.path() + "/store"; }

  /// Writes a file into the world; gives its path.
  std::string file(const std::string& name, const std::string& text) const {
    const std::string path = folder_.path() + "/" + name;
    write_file(path, text);
    return path;
  }

  Start command(std::vector<std::string> arguments, std::map<std::string, std::string> env = {}) const {
    arguments.insert(arguments.begin(), CANORUN_BINARY);
    env.insert(env_.begin(), env_.end());
    return {std::move(arguments), std::move(env), folder_.path()};
  }
  Ran canorun(std::vector<std::string> arguments, std::map<std::string, std::string> env = {}) const {
    return run_program(command(std::move(arguments), std::move(env)));
  }
  /// What a verb prints with `--json`; the test fails if it is not one JSON document.
  Json json(std::vector<std::string> arguments) const {
    arguments.push_back("--json");
    const Ran ran = canorun(arguments);
    INFO("stdout: ", ran.out, "\nstderr: ", ran.err);
    auto parsed = parse_json(ran.out);
    REQUIRE(parsed);
    return *parsed;
  }

 private:
  TempFolder folder_;
  std::map<std::string, std::string> env_;
};

inline std::string replaced(std::string text, const std::string& from, const std::string& to) {
  return text.replace(text.find(from), from.size(), to);
}

/// The exit code, then all that was printed.
inline std::string said(const World& world, std::vector<std::string> arguments) {
  const Ran ran = world.canorun(std::move(arguments));
  return std::to_string(ran.code) + "\n" + ran.out + ran.err;
}

inline bool exists(const std::string& path) { return std::filesystem::exists(path); }

}  // namespace canorun::test
