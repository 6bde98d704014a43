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

namespace {

constexpr auto kParent = R"(name: parent
states:
  a: {task: flow, with: {file: sub/child.yaml, inputs: {n: 1}}, next: b}
  b: {task: flow, with: {file: ./sub/../sub/child.yaml, inputs: {n: 2}}, next: done}
  done: {exit: success}
)";
constexpr auto kChild = R"(name: child
inputs: {n: {type: int}, kind: {type: string, enum: [big, small], default: big}}
states:
  a: {task: flow, with: {file: leaf.yaml}, next: done}
  done: {exit: success}
)";

}  // namespace

TEST_CASE("a flow is loaded with the flows that it runs, each once, wherever the process is") {
  const testing::TempFolder folder;
  std::filesystem::create_directory(folder.path() + "/sub");
  folder.write("parent.yaml", kParent);
  folder.write("sub/child.yaml", kChild);
  folder.write("sub/leaf.yaml", kGood);
  const auto loaded = load_file(folder.path() + "/parent.yaml", tasks::catalog());
  CHECK(testing::problems(loaded).empty());
  REQUIRE(loaded.flow);
  REQUIRE(loaded.flow->children.size() == 2);
  const model::Flow& child = *loaded.flow->children.at("sub/child.yaml");
  CHECK(loaded.flow->children.at("./sub/../sub/child.yaml") == &child);
  CHECK(child.name == "child");
  CHECK(child.file == folder.path() + "/sub/child.yaml");
  CHECK(child.folder == folder.path() + "/sub");
  CHECK(child.digest == digest(kChild));
  const model::Flow& leaf = *child.children.at("leaf.yaml");
  CHECK(loaded.flow->descendants == std::vector<const model::Flow*>{&child, &leaf});
  CHECK(child.descendants == std::vector<const model::Flow*>{&leaf});
}

TEST_CASE("flows from the store are loaded with those that were kept with them") {
  const auto text_of = [](const std::string& path) -> Result<std::string> {
    if (path == "/flows/sub/child.yaml") return kChild;
    if (path == "/flows/sub/leaf.yaml") return kGood;
    return fail("not kept");
  };
  const auto loaded = load_text("x", kParent, "/flows/parent.yaml", "/flows", tasks::catalog(), text_of);
  REQUIRE(loaded.flow);
  CHECK(loaded.flow->descendants.size() == 2);
}

TEST_CASE("flows may run each other, and themselves") {
  const testing::TempFolder folder;
  const auto runs = [](const std::string& name, const std::string& file) {
    return "name: " + name + "\nstates:\n  a: {task: flow, with: {file: " + file +
           "}, next: done}\n  done: {exit: success}\n";
  };
  folder.write("one.yaml", runs("one", "two.yaml"));
  folder.write("two.yaml", runs("two", "one.yaml"));
  const auto loaded = load_file(folder.path() + "/one.yaml", tasks::catalog());
  CHECK(testing::problems(loaded).empty());
  REQUIRE(loaded.flow);
  CHECK(loaded.flow->children.at("two.yaml")->children.at("one.yaml") == loaded.flow.get());
  CHECK(loaded.flow->descendants.size() == 2);
}

TEST_CASE(
    "what is wrong with a flow below is told with its file, and what is wrong with its inputs where they are given") {
  const testing::TempFolder folder;
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  std::filesystem::create_directory("sub");
  folder.write("sub/child.yaml", kChild);
  folder.write("parent.yaml", R"(name: parent
states:
  a: {task: flow, with: {file: sub/child.yaml, inputs: {n: 1, kin: big}}, next: b}
  b: {task: flow, with: {file: sub/child.yaml, inputs: {n: one, kind: tiny}}, next: c}
  c: {task: flow, with: {file: sub/child.yaml, inputs: {n: "${{ run.id }}"}}, next: d}
  d: {task: flow, with: {file: sub/child.yaml}, next: e}
  e: {task: flow, with: {file: none.yaml, inputs: {x: 1}}, next: f}
  f: {task: flow, with: {file: "${{ run.id }}"}, next: done}
  done: {exit: success}
)");
  const std::string problems = problems_of("parent.yaml");
  std::filesystem::current_path(before);
  CHECK(problems == R"(parent.yaml:3:63: error: flow 'child' has no input 'kin' [unknown-input]
    3 |   a: {task: flow, with: {file: sub/child.yaml, inputs: {n: 1, kin: big}}, next: b}
      |                                                               ^^^ did you mean 'kind'?
parent.yaml:4:60: error: input 'n' must be an int, not a string [wrong-type]
    4 |   b: {task: flow, with: {file: sub/child.yaml, inputs: {n: one, kind: tiny}}, next: c}
      |                                                            ^^^
parent.yaml:4:71: error: input 'kind' must not be "tiny" [bad-value]
    4 |   b: {task: flow, with: {file: sub/child.yaml, inputs: {n: one, kind: tiny}}, next: c}
      |                                                                       ^^^^ allowed: big, small
parent.yaml:5:65: error: input 'n' must be an int, not a string [expression-type]
    5 |   c: {task: flow, with: {file: sub/child.yaml, inputs: {n: "${{ run.id }}"}}, next: d}
      |                                                                 ^^^^^^
parent.yaml:6:13: error: flow 'child' needs input 'n' [missing-key]
    6 |   d: {task: flow, with: {file: sub/child.yaml}, next: e}
      |             ^^^^ give it under 'inputs'
parent.yaml:7:32: error: flow file 'none.yaml': there is no such file [unreadable-file]
    7 |   e: {task: flow, with: {file: none.yaml, inputs: {x: 1}}, next: f}
      |                                ^^^^^^^^^ give the path of a flow file
parent.yaml:8:32: error: a template cannot stand in 'file' [misplaced-template]
    8 |   f: {task: flow, with: {file: "${{ run.id }}"}, next: done}
      |                                ^^^^^^^^^^^^^^^ it must be known before the flow runs
sub/child.yaml:4:32: error: flow file 'leaf.yaml': there is no such file [unreadable-file]
    4 |   a: {task: flow, with: {file: leaf.yaml}, next: done}
      |                                ^^^^^^^^^ give the path of a flow file
)");
}
