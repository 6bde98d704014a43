// The file kind of the real program, cut off in every way.
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "sweep.h"

using namespace canorun;
using namespace canorun::test;

namespace {

// Every operation; the ledger gets the same line in each round.
const char* const kEveryOperation = R"(
name: files
inputs: {folder: string}
vars: {round: 0}
states:
  read: {task: file, with: {op: read, path: "${{ inputs.folder }}/settings.json", parse: json}, next: write}
  write:
    task: file
    with: {op: write, path: "${{ inputs.folder }}/report", content: {title: "${{ states.read.output.json.title }}"}}
    next: ledger
  ledger:
    task: file
    with: {op: append, path: "${{ inputs.folder }}/ledger", content: "booked\n"}
    set: {round: "${{ vars.round + 1 }}"}
    next: [{when: vars.round < 3, to: ledger}, {to: copy}]
  copy: {task: file, with: {op: copy, path: "${{ states.write.output.path }}", to: "${{ inputs.folder }}/copy"}, next: move}
  move: {task: file, with: {op: move, path: "${{ states.write.output.path }}", to: "${{ inputs.folder }}/moved"}, next: remove}
  remove: {task: file, with: {op: remove, path: "${{ states.copy.output.path }}"}, next: stat}
  stat: {task: file, with: {op: stat, path: "${{ inputs.folder }}/report"}, next: [{when: output.exists, to: bad}, {to: done}]}
  done: {exit: success, output: {moved: "${{ states.move.output }}", ledger: "${{ states.ledger.output.size }}"}}
  bad: {exit: failure}
)";

void settings(const World& world) {
  std::filesystem::create_directory(world.folder() + "/files");
  write_file(world.folder() + "/files/settings.json", R"({"title": "Day"})");
  write_file(world.folder() + "/files/ledger", "booked\n");
}

std::vector<std::string> kept_files(const World& world) {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(world.store())) {
    if (entry.path().extension() == ".kept") found.push_back(entry.path());
  }
  return found;
}

const char* const kCopy = R"(
name: copy
states:
  copy: {task: file, with: {op: copy, path: large, to: copied}, next: done}
  done: {exit: success}
)";

/// A run that copies more than will ever be copied, in the middle of that.
struct Copying {
  Copying() {
    world.file("flow.yaml", kCopy);
    world.file("large", "");
    REQUIRE(::truncate((world.folder() + "/large").c_str(), off_t{1} << 40) == 0);
    world.file("copied", "old");
    program.emplace(world.command({"run", "flow.yaml", "--id", "r1"}));
    REQUIRE(eventually([&] { return unfinished() == 1; }));
  }
  int unfinished() const {
    int found = 0;
    for (const auto& entry : std::filesystem::directory_iterator(world.folder()))
      found += entry.path().extension() == ".part" ? 1 : 0;
    return found;
  }
  void resumes_well() const {
    world.file("large", "small by now");
    CHECK(world.canorun({"resume", "r1"}).code == 0);
    CHECK(read_file(world.folder() + "/copied") == "small by now");
    CHECK(unfinished() == 0);
  }

  World world;
  std::optional<Program> program;
};

}  // namespace

TEST_CASE("a flow of every operation on files survives a kill at every row, with the same files") {
  const TempFolder flows;
  const std::string flow = flows.path() + "/files.yaml";
  write_file(flow, kEveryOperation);
  CHECK(sweep({.flow = flow, .inputs = {"folder={world}/files"}, .compare = {"files"}, .prepare = settings}) == 20);
}

TEST_CASE("what a flow of every operation leaves") {
  const World world;
  settings(world);
  const Json run =
      world.json({"run", world.file("flow.yaml", kEveryOperation), "-i", "folder=" + world.folder() + "/files"});
  REQUIRE(run["status"] == "succeeded");
  const std::string moved = world.folder() + "/files/moved";
  CHECK(run["output"] == Json{{"moved", {{"path", moved}, {"size", 15}}}, {"ledger", 28}});
  CHECK(read_tree(world.folder() + "/files") ==
        std::map<std::string, std::string>{{"ledger", "booked\nbooked\nbooked\nbooked\n"},
                                           {"moved", R"({"title":"Day"})"},
                                           {"settings.json", R"({"title": "Day"})"}});
  CHECK(kept_files(world).empty());
}

TEST_CASE("what is not kept can be moved and appended to all the same") {
  const World world;
  settings(world);
  const Ran ran = world.canorun(
      {"run", world.file("flow.yaml", kEveryOperation), "--no-store", "-i", "folder=" + world.folder() + "/files"});
  CHECK(ran.code == 0);
  CHECK(read_file(world.folder() + "/files/ledger") == "booked\nbooked\nbooked\nbooked\n");
}

TEST_CASE("an append whose state failed afterwards is not repeated when the run is resumed") {
  const World world;
  world.file("flow.yaml", R"(
name: later
vars: {n: 0}
states:
  note: {task: file, with: {op: append, path: notes, content: "one\n"}, set: {n: "${{ 1 / vars.n }}"}, next: done}
  done: {exit: success}
)");
  CHECK(world.canorun({"run", "flow.yaml", "--id", "r1"}).code == 1);
  CHECK(kept_files(world).size() == 1);
  CHECK(world.canorun({"resume", "r1"}).code == 1);
  CHECK(read_file(world.folder() + "/notes") == "one\n");
}

TEST_CASE("a large copy is ended at once by a suspension, and its half is gone") {
  Copying copying;
  const auto began = std::chrono::steady_clock::now();
  copying.program->signal(SIGTERM);
  const Ran ran = copying.program->wait();
  CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(5));
  CHECK(ran.code == 75);
  CHECK(copying.unfinished() == 0);
  CHECK(read_file(copying.world.folder() + "/copied") == "old");
  copying.resumes_well();
}

TEST_CASE("the half of a copy that was killed goes when the run is resumed") {
  Copying copying;
  copying.program->signal(SIGKILL);
  CHECK(copying.program->wait().signal == SIGKILL);
  CHECK(copying.unfinished() == 1);
  CHECK(read_file(copying.world.folder() + "/copied") == "old");
  copying.resumes_well();
}

TEST_CASE("a large copy keeps to its timeout") {
  const World world;
  world.file("large", "");
  REQUIRE(::truncate((world.folder() + "/large").c_str(), off_t{1} << 40) == 0);
  const std::string flow = world.file("flow.yaml", R"(
name: copy
states:
  copy: {task: file, with: {op: copy, path: large, to: copied}, timeout: 300ms, next: done, on_error: caught}
  caught: {exit: failure, output: "${{ states.copy.error.kind }}"}
  done: {exit: success}
)");
  const auto began = std::chrono::steady_clock::now();
  CHECK(world.json({"run", flow})["output"] == "timeout");
  CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(10));
  CHECK(!std::filesystem::exists(world.folder() + "/copied"));
}
