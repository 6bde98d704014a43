// What is installed, by hand and as a Debian package, is whole and runs.
#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "support/program.h"
#include "support/temp_folder.h"

namespace canorun::test {
namespace {

namespace fs = std::filesystem;

void run_well(const std::vector<std::string>& argv) {
  const Ran ran = run_program({.argv = argv});
  INFO(argv[0], ": ", ran.out, ran.err);
  REQUIRE(ran.code == 0);
}

/// An installed tree runs an installed example.
void check_tree(const std::string& prefix) {
  const std::string documents = prefix + "/share/doc/canorun";
  for (const char* file : {"README.md", "LICENSE", "FORMAT.md"}) CHECK(fs::exists(documents + "/" + file));
  const Ran ran =
      run_program({.argv = {prefix + "/bin/canorun", "run", "--no-store", documents + "/examples/word_count.yaml"}});
  INFO(ran.err);
  CHECK(ran.code == 0);
  CHECK(ran.out.find("\"words\":111") != std::string::npos);
}

}  // namespace

TEST_CASE("cmake --install gives a tree that works") {
  const TempFolder folder;
  run_well({"cmake", "--install", CANORUN_BUILD_DIR, "--prefix", folder.path()});
  check_tree(folder.path());
}

TEST_CASE("the Debian package names what it needs, and holds a tree that works") {
  const TempFolder folder;
  run_well({"cpack", "--config", CANORUN_BUILD_DIR "/CPackConfig.cmake", "-B", folder.path(), "-D",
            "CPACK_DEBIAN_COMPRESSION_TYPE=none"});
  std::vector<std::string> packages;
  for (const auto& entry : fs::directory_iterator(folder.path())) {
    if (entry.path().extension() == ".deb") packages.push_back(entry.path());
  }
  REQUIRE(packages.size() == 1);
  const Ran depends = run_program({.argv = {"dpkg-deb", "--field", packages[0], "Package", "Depends"}});
  CHECK(depends.out.starts_with("Package: canorun\n"));
  for (const char* needed :
       {"libc6", "libcurl4", "libdate-tz3", "libfmt", "liblmdb0", "libmd0", "libstdc++6", "libyaml-cpp"}) {
    CAPTURE(needed);
    CHECK(depends.out.find(needed) != std::string::npos);
  }
  run_well({"dpkg-deb", "--extract", packages[0], folder.path() + "/root"});
  check_tree(folder.path() + "/root/usr");
}

}  // namespace canorun::test
