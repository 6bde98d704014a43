// Work on files that was cut off is done again: killed at any system call, it comes to the same files.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <memory>

#include "engine/model/outcome.h"
#include "support/program.h"
#include "support/sanitizer.h"
#include "support/temp_folder.h"
#include "tasks/file_note.h"
#include "tasks/file_work.h"

namespace canorun::tasks {
namespace {

using Tree = std::map<std::string, std::string>;

const std::atomic<bool> kNeverClosing = false;

/// Files, and one piece of work on them: `a`, and `b` where it has a target.
struct Scene {
  Scene(FileOp op, Tree files, std::string content = {}) : op_(op), content_(std::move(content)) {
    for (const auto& [name, bytes] : files) test::write_file(at(name), bytes);
  }

  std::string at(const std::string& name) const { return folder_.path() + "/" + name; }

  FileWork work() const {
    FileWork work{.op = op_, .path = at("a"), .content = content_, .key = "the-key", .note = notes_.path() + "/note"};
    if (op_ == FileOp::kCopy || op_ == FileOp::kMove) work.to = target.empty() ? at("b") : target;
    return work;
  }

  Result<Json> does() const { return do_file_work(work(), Stop(kNeverClosing)); }

  std::string error() const {
    const auto done = does();
    REQUIRE_FALSE(done);
    std::string text = model::task_failure(done.error()).error.message;
    for (std::size_t i = 0; (i = text.find(folder_.path(), i)) != std::string::npos;)
      text.replace(i, folder_.path().size(), "@");
    return text;
  }

  /// What is there, but for what an attempt has not finished.
  Tree files() const {
    Tree all = test::read_tree(folder_.path());
    all.erase(".canorun-the-key.part");
    return all;
  }
  bool has_leftovers() const { return std::filesystem::exists(at(".canorun-the-key.part")); }

  std::string target;  ///< empty: `b`

 private:
  FileOp op_;
  std::string content_;
  test::TempFolder folder_;
  test::TempFolder notes_;
};

/// Begins the work in a process that is killed instead of doing its system call `number`. False when it
/// ended before that.
bool killed_at(const Scene& scene, int number) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    ::raise(SIGSTOP);
    ::_exit(scene.does() ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFSTOPPED(status));
  // A system call stops it twice, when it begins and when it ends.
  for (int stops = 0; stops < 2 * number - 1; ++stops) {
    REQUIRE(::ptrace(PTRACE_SYSCALL, child, nullptr, nullptr) == 0);
    REQUIRE(::waitpid(child, &status, 0) == child);
    if (!WIFSTOPPED(status)) {
      CHECK(status == 0);
      return false;
    }
  }
  ::kill(child, SIGKILL);
  REQUIRE(::waitpid(child, &status, 0) == child);
  return true;
}

bool can_trace() {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) == 0 ? 0 : 1);
  int status = 1;
  return ::waitpid(child, &status, 0) == child && status == 0;
}

/// Kills the work at each of its system calls, and again at the same one when it is done again; then lets
/// it end. `between` is what may be seen meanwhile.
void sweep(const std::function<std::unique_ptr<Scene>()>& make, const std::vector<Tree>& between, const Tree& end) {
  // A sanitizer makes calls of its own; where nothing can be traced, nothing is killed.
  const bool kills = !test::kSanitized && can_trace();
  int calls = 0;
  for (bool killed = true; killed; ++calls) {
    const auto made = make();
    const Scene& scene = *made;
    CAPTURE(calls);
    killed = false;
    for (int times = 0; kills && times < 2; ++times) {
      killed = killed_at(scene, calls + 1);
      CHECK(std::ranges::find(between, scene.files()) != between.end());
    }
    const auto done = scene.does();
    REQUIRE_MESSAGE(done, done.error().message);
    CHECK(scene.files() == end);
    CHECK_FALSE(scene.has_leftovers());
  }
  CHECK((calls > 5) == kills);
}

}  // namespace

TEST_CASE("a write that is killed leaves the old file or the new one") {
  const Tree old{{"a", "old"}};
  const Tree written{{"a", "new"}};
  sweep([&] { return std::make_unique<Scene>(FileOp::kWrite, old, "new"); }, {old, written}, written);
  sweep([&] { return std::make_unique<Scene>(FileOp::kWrite, Tree{}, "new"); }, {{}, written}, written);
}

TEST_CASE("a copy that is killed leaves the old file or the new one") {
  const Tree before{{"a", "x"}, {"b", "old"}};
  const Tree after{{"a", "x"}, {"b", "x"}};
  sweep([&] { return std::make_unique<Scene>(FileOp::kCopy, before); }, {before, after}, after);
}

TEST_CASE("a move that is killed is done, or not done; and then it is done once") {
  const Tree before{{"a", "x"}, {"b", "old"}};
  const Tree after{{"b", "x"}};
  sweep([&] { return std::make_unique<Scene>(FileOp::kMove, before); }, {before, after}, after);
  sweep([&] { return std::make_unique<Scene>(FileOp::kMove, Tree{{"a", "x"}}); }, {{{"a", "x"}}, after}, after);
}

TEST_CASE("a move to another file system that is killed loses nothing") {
  std::error_code none;
  if (!std::filesystem::is_directory("/dev/shm", none)) return;
  std::string shared = "/dev/shm/canorun-test-XXXXXX";
  REQUIRE(::mkdtemp(shared.data()) != nullptr);
  const auto fresh = [&] {
    for (const auto& entry : std::filesystem::directory_iterator(shared)) std::filesystem::remove(entry.path());
    auto scene = std::make_unique<Scene>(FileOp::kMove, Tree{{"a", "x"}});
    scene->target = shared + "/b";
    return scene;
  };
  sweep(fresh, {{{"a", "x"}}, {}}, {});
  CHECK(test::read_tree(shared) == Tree{{"b", "x"}});
  std::filesystem::remove_all(shared);
}

TEST_CASE("an append that is killed is done once") {
  const Tree before{{"a", "one\n"}};
  const Tree after{{"a", "one\ntwo\n"}};
  sweep([&] { return std::make_unique<Scene>(FileOp::kAppend, before, "two\n"); }, {before, after}, after);
  sweep([&] { return std::make_unique<Scene>(FileOp::kAppend, Tree{}, "two\n"); }, {{}, {{"a", ""}}, {{"a", "two\n"}}},
        {{"a", "two\n"}});
  // The same text again, by other work, is no reason to think that it is there.
  sweep([&] { return std::make_unique<Scene>(FileOp::kAppend, Tree{{"a", "two\n"}}, "two\n"); },
        {{{"a", "two\n"}}, {{"a", "two\ntwo\n"}}}, {{"a", "two\ntwo\n"}});
}

TEST_CASE("a removal that is killed is done") {
  const Tree before{{"a", "x"}, {"c", "y"}};
  const Tree after{{"c", "y"}};
  sweep([&] { return std::make_unique<Scene>(FileOp::kRemove, before); }, {before, after}, after);
}

TEST_CASE("what a killed attempt left beside the target goes, also when there is nothing to copy any more") {
  for (const FileOp op : {FileOp::kWrite, FileOp::kCopy, FileOp::kMove}) {
    const Scene scene(op, {{"a", "x"}, {".canorun-the-key.part", "half"}, {".canorun-other.part", "other's"}});
    CHECK(scene.does());
    CHECK_FALSE(scene.has_leftovers());
    CHECK(scene.files().contains(".canorun-other.part"));
  }
  const Scene scene(FileOp::kCopy, {{".canorun-the-key.part", "half"}});
  CHECK(scene.error() ==
        "cannot copy @/a to @/b: @/a: No such file or directory (`op: stat` tells whether there is one)");
  CHECK_FALSE(scene.has_leftovers());
}

TEST_CASE("a leftover that leads elsewhere is not followed") {
  const Scene scene(FileOp::kWrite, {{"victim", "x"}}, "new");
  REQUIRE(::symlink("victim", scene.at(".canorun-the-key.part").c_str()) == 0);
  CHECK(scene.does());
  CHECK(scene.files() == Tree{{"a", "new"}, {"victim", "x"}});
}

TEST_CASE("an append that was cut off in the middle of the text goes on there") {
  const Scene scene(FileOp::kAppend, {{"a", "one\nt"}}, "two\n");
  REQUIRE(keep_note(scene.work(), 4));
  CHECK(scene.does() == Json{{"path", scene.at("a")}, {"size", 8}});
  CHECK(scene.files() == Tree{{"a", "one\ntwo\n"}});
}

TEST_CASE("an append that is there is not repeated behind what others appended since") {
  const Scene scene(FileOp::kAppend, {{"a", "one\ntwo\nthree\n"}}, "two\n");
  REQUIRE(keep_note(scene.work(), 4));
  CHECK(scene.does());
  CHECK(scene.files() == Tree{{"a", "one\ntwo\nthree\n"}});
}

TEST_CASE("an append is repeated where something else stands, or the file was cut since") {
  for (const std::string now : {"one\nthree\n", "one\nt three\n", "on", ""}) {
    const Scene scene(FileOp::kAppend, {{"a", now}}, "two\n");
    REQUIRE(keep_note(scene.work(), 4));
    CHECK(scene.does());
    CHECK(scene.files() == Tree{{"a", now + "two\n"}});
    CHECK(*read_note(scene.work()) == Json(now.size()));
  }
}

TEST_CASE("a note that is about other paths, or was not finished, is none") {
  Scene scene(FileOp::kMove, {{"a", "x"}});
  REQUIRE(keep_note(scene.work(), 1));
  CHECK(*read_note(scene.work()) == Json(1));
  FileWork other = scene.work();
  other.to += "2";
  CHECK_FALSE(read_note(other));
  test::write_file(scene.work().note, R"({"path": )");
  CHECK_FALSE(read_note(scene.work()));
}

TEST_CASE("a wrong path is not taken for a move that was done") {
  const Scene scene(FileOp::kMove, {{"b", "old"}});
  CHECK(scene.error() ==
        "cannot move @/a to @/b: @/a: No such file or directory (`op: stat` tells whether there is one)");
  CHECK(scene.error() ==
        "cannot move @/a to @/b: @/a: No such file or directory (`op: stat` tells whether there is one)");
  CHECK(scene.files() == Tree{{"b", "old"}});
}

TEST_CASE("after a move, a new file at its path is another one") {
  const Scene scene(FileOp::kMove, {{"a", "first"}});
  CHECK(scene.does());
  test::write_file(scene.at("a"), "second");
  CHECK(scene.does());  // as after a kill before the success was recorded
  CHECK(scene.files() == Tree{{"a", "second"}, {"b", "first"}});
}

TEST_CASE("a move that had begun fails when the file is nowhere") {
  const Scene scene(FileOp::kMove, {{"a", "x"}, {"b", "old"}});
  const Scene without(FileOp::kMove, {{"a", "x"}});
  for (const Scene* moved : {&scene, &without}) {
    // Noted, not yet moved, and taken away by others.
    const bool has_target = moved == &scene;
    struct stat a{};
    struct stat b{};
    REQUIRE(::stat(moved->at("a").c_str(), &a) == 0);
    if (has_target) REQUIRE(::stat(moved->at("b").c_str(), &b) == 0);
    const Json target = has_target ? Json{b.st_ino, b.st_size, b.st_mtim.tv_sec, b.st_mtim.tv_nsec} : Json();
    REQUIRE(keep_note(moved->work(), {{"source", a.st_ino}, {"target", target}}));
    std::filesystem::remove(moved->at("a"));
    CHECK(moved->error() ==
          "cannot move @/a to @/b: @/a: No such file or directory (`op: stat` tells whether there is one)");
  }
}

}  // namespace canorun::tasks
