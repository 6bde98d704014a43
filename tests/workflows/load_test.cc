#include "workflows/load.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>

#include "engine/base/ids.h"
#include "workflows/flows.h"

using namespace canorun;
using namespace canorun::workflows;

namespace {

constexpr auto kGood = "name: x\nstates: {done: {exit: success}}\n";

std::string problems_of(const std::string& path) { return testing::problems(load_file(path, tasks::catalog())); }

}  // namespace

TEST_CASE("what is no readable file is told of in words") {
  const testing::TempFolder folder;
  const std::string missing = folder.path() + "/none.yaml";
  CHECK(problems_of(missing) ==
        missing + ": error: there is no such file [unreadable-file]\n      give the path of a flow file\n");
  CHECK(problems_of(folder.path()) ==
        folder.path() + ": error: this is a folder [unreadable-file]\n      give the path of a flow file in it\n");
  const std::string fifo = folder.path() + "/fifo";
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  CHECK(problems_of(fifo) ==
        fifo + ": error: this is no regular file [unreadable-file]\n      give the path of a flow file\n");
  CHECK(problems_of("/dev/zero") ==
        "/dev/zero: error: this is no regular file [unreadable-file]\n      give the path of a flow file\n");
  CHECK(problems_of("") == ": error: there is no such file [unreadable-file]\n      give the path of a flow file\n");
  const std::string long_name = folder.path() + "/" + std::string(300, 'x');
  CHECK(problems_of(long_name) == long_name + ": error: cannot be opened: File name too long [unreadable-file]\n");
}

TEST_CASE("a flow knows its text, its digest and where it is, links resolved") {
  const testing::TempFolder folder;
  std::filesystem::create_directory(folder.path() + "/real");
  folder.write("real/flow.yaml", kGood);
  std::filesystem::create_symlink("real", folder.path() + "/link");
  const auto loaded = load_file(folder.path() + "/link/flow.yaml", tasks::catalog());
  REQUIRE(loaded.flow);
  CHECK(loaded.flow->text == kGood);
  CHECK(loaded.flow->digest == digest(kGood));
  CHECK(loaded.flow->folder == folder.path() + "/real");
  CHECK(loaded.flow->file == folder.path() + "/real/flow.yaml");
}

TEST_CASE("a relative path is made absolute") {
  const testing::TempFolder folder;
  folder.write("flow.yaml", kGood);
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  const auto loaded = load_file("flow.yaml", tasks::catalog());
  std::filesystem::current_path(before);
  REQUIRE(loaded.flow);
  CHECK(loaded.flow->file == folder.path() + "/flow.yaml");
}

TEST_CASE("a byte order mark and CRLF change nothing") {
  CHECK(testing::load("\xEF\xBB\xBF"
                      "name: x\r\nstates: {done: {exit: success}}\r\n")
            .flow);
}

TEST_CASE("text from the store is loaded as it was") {
  const auto loaded = load_text("x@1", kGood, "", "/where/it/was", tasks::catalog());
  REQUIRE(loaded.flow);
  CHECK(loaded.flow->file.empty());
  CHECK(loaded.flow->folder == "/where/it/was");
  CHECK(problems_of("/dev/null").find("no regular file") != std::string::npos);
}

TEST_CASE("a problem where a text ends too early is still in the text") {
  for (const std::string text : {"name: \"x", "name: x\nstates: {done: {exit: success}}&", "name: [x"}) {
    const auto loaded = testing::load(text);
    REQUIRE(loaded.diagnostics.size() == 1);
    CHECK_MESSAGE(loaded.diagnostics.front().span.begin <= loaded.diagnostics.front().span.end, text);
    CHECK_MESSAGE(loaded.diagnostics.front().span.end <= text.size(), text);
  }
}
