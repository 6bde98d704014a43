// The kind `file`: what each operation gives, what it leaves, and what it says when it cannot.
#include "tasks/file.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/base/fd.h"
#include "engine/base/path.h"
#include "support/program.h"
#include "tasks/fake_context.h"
#include "tasks/file_access.h"
#include "tasks/file_work.h"

namespace canorun::tasks {
namespace {

using test::Bench;

/// A folder of files, and tasks that work in it.
class Files : public Bench {
 public:
  Files() { ::umask(022); }

  std::string at(const std::string& name) const { return path_in(context.folder(), name); }
  void put(const std::string& name, const std::string& bytes) const { test::write_file(at(name), bytes); }

  Json does(std::string_view op, const std::string& path, Json more = Json::object()) {
    return output("file", params(op, path, std::move(more)));
  }
  /// The message; `@` stands for the folder.
  std::string cannot(std::string_view op, const std::string& path, Json more = Json::object()) {
    model::RunError failed = error("file", params(op, path, std::move(more)));
    CHECK(failed.kind == "task");
    return shown(failed.message);
  }
  std::string shown(std::string text) const {
    for (std::size_t i = 0; (i = text.find(context.folder(), i)) != std::string::npos;)
      text.replace(i, context.folder().size(), "@");
    return text;
  }
  /// What is in the folder, links as `-> target`.
  std::map<std::string, std::string> all() const { return test::read_tree(context.folder()); }
  mode_t mode(const std::string& name) const {
    struct stat status{};
    REQUIRE(::stat(at(name).c_str(), &status) == 0);
    return status.st_mode & 07777;
  }

  static Json params(std::string_view op, const std::string& path, Json more) {
    more["op"] = op;
    more["path"] = path;
    return more;
  }
};

using Tree = std::map<std::string, std::string>;

std::string refused(Json params) {
  const auto made = Bench::make("file", std::move(params));
  REQUIRE_FALSE(made);
  return made.error().message;
}

const bool kIsRoot = ::geteuid() == 0;

/// While it lives, no file can grow above `bytes`.
class LargestFile {
 public:
  explicit LargestFile(rlim_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);  // as the program does
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &before_) == 0);
    const struct rlimit limit{bytes, before_.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &limit) == 0);
  }
  ~LargestFile() { ::setrlimit(RLIMIT_FSIZE, &before_); }
  LargestFile(const LargestFile&) = delete;
  LargestFile& operator=(const LargestFile&) = delete;

 private:
  struct rlimit before_{};
};

/// Does work in `folder` as a user without rights; gives its error.
std::string done_as_nobody(const FileWork& work, const std::string& folder) {
  constexpr int kNobody = 65534;
  REQUIRE(::chmod(folder.c_str(), 0777) == 0);
  std::array<int, 2> ends{};
  REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
  const Fd out(ends[0]);
  Fd in(ends[1]);
  const pid_t child = ::fork();
  if (child == 0) {
    if (kIsRoot && (::setgroups(0, nullptr) != 0 || ::setgid(kNobody) != 0 || ::setuid(kNobody) != 0)) ::_exit(1);
    const std::atomic<bool> never = false;
    const auto done = do_file_work(work, Stop(never));
    const std::string error = done ? "" : model::task_failure(done.error()).error.message;
    std::string_view left = error;
    ::_exit(write_all(in, left) ? 0 : 1);
  }
  in.reset();
  int status = 1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  return *read_at_most(out, 4096);
}

}  // namespace

TEST_CASE_FIXTURE(Files, "read gives the content, as UTF-8") {
  put("a", "one\ntw\xff\n");
  CHECK(does("read", "a") == Json{{"path", at("a")}, {"size", 8}, {"content", "one\ntw\xef\xbf\xbd\n"}});
  put("empty", "");
  CHECK(does("read", at("empty")) == Json{{"path", at("empty")}, {"size", 0}, {"content", ""}});
  REQUIRE(::symlink("a", at("link").c_str()) == 0);
  CHECK(does("read", "link").at("size") == 8);
}

TEST_CASE_FIXTURE(Files, "read parses what it is asked to") {
  put("a", R"({"n": [1, 2.5]})"
           "\n");
  CHECK(does("read", "a", {{"parse", "json"}}).at("json") == Json{{"n", {1, 2.5}}});
  put("b", "one\n\ntwo\xff");
  CHECK(does("read", "b", {{"parse", "lines"}}) == Json{{"path", at("b")},
                                                        {"size", 9},
                                                        {"content", "one\n\ntwo\xef\xbf\xbd"},
                                                        {"lines", {"one", "", "two\xef\xbf\xbd"}}});
  CHECK_FALSE(does("read", "b", {{"parse", "none"}}).contains("lines"));
  CHECK(cannot("read", "b", {{"parse", "json"}}).starts_with("cannot read @/b: not JSON: "));
  put("deep", std::string(513, '['));
  CHECK(cannot("read", "deep", {{"parse", "json"}}).starts_with("cannot read @/deep: JSON is nested deeper than "));
}

TEST_CASE_FIXTURE(Files, "read takes no more than max_size") {
  put("a", std::string(100, 'x'));
  CHECK(does("read", "a", {{"max_size", 100}}).at("size") == 100);
  CHECK(cannot("read", "a", {{"max_size", "99B"}}) ==
        "cannot read @/a: it is larger than 99 B (raise `max_size`, or let a command read it)");
  put("b", std::string(1 << 20, 'x'));
  CHECK(does("read", "b").at("size") == 1 << 20);
  put("b", std::string((1 << 20) + 1, 'x'));
  CHECK(cannot("read", "b") ==
        "cannot read @/b: it is larger than 1.0 MiB (raise `max_size`, or let a command read it)");
}

TEST_CASE_FIXTURE(Files, "what is no regular file is not opened, so that nothing is waited for") {
  REQUIRE(::mkfifo(at("pipe").c_str(), 0600) == 0);
  const Json content{{"content", "x"}};
  CHECK(cannot("read", "pipe") == "cannot read @/pipe: is no regular file");
  CHECK(cannot("write", "pipe", content) == "cannot write @/pipe: is no regular file");
  CHECK(cannot("append", "pipe", content) == "cannot append to @/pipe: is no regular file");
  CHECK(cannot("copy", "pipe", {{"to", "b"}}) == "cannot copy @/pipe to @/b: @/pipe: is no regular file");
  CHECK(cannot("move", "pipe", {{"to", "b"}}) ==
        "cannot move @/pipe to @/b: @/pipe: is no regular file (`mv` in a `run` state moves folders and links)");
  CHECK(cannot("read", "/dev/zero") == "cannot read /dev/zero: is no regular file");
  if (::mknod(at("null").c_str(), S_IFCHR | 0666, makedev(1, 3)) == 0) {
    CHECK(cannot("write", "null", content) == "cannot write @/null: is no regular file");
    std::filesystem::remove(at("null"));
  }
  put("a", "x");
  CHECK(cannot("copy", "a", {{"to", "pipe"}}) == "cannot copy @/a to @/pipe: @/pipe: is no regular file");
  CHECK(does("stat", "pipe").at("type") == "other");
  CHECK(does("remove", "pipe") == Json{{"path", at("pipe")}});
  CHECK(all() == Tree{{"a", "x"}});
}

TEST_CASE_FIXTURE(Files, "folders are not worked on") {
  std::filesystem::create_directory(at("d"));
  put("a", "x");
  const Json content{{"content", "x"}};
  CHECK(cannot("read", "d") == "cannot read @/d: is a folder (name a file in it)");
  CHECK(cannot("write", "d", content) == "cannot write @/d: is a folder (name a file in it)");
  CHECK(cannot("append", "d", content) == "cannot append to @/d: is a folder (name a file in it)");
  CHECK(cannot("copy", "a", {{"to", "d"}}) == "cannot copy @/a to @/d: @/d: is a folder (name a file in it)");
  CHECK(cannot("move", "a", {{"to", "d"}}) == "cannot move @/a to @/d: @/d: is a folder (name a file in it)");
  CHECK(cannot("copy", "d", {{"to", "b"}}) == "cannot copy @/d to @/b: @/d: is a folder (name a file in it)");
  CHECK(cannot("move", "d", {{"to", "b"}}) ==
        "cannot move @/d to @/b: @/d: is no regular file (`mv` in a `run` state moves folders and links)");
  CHECK(cannot("remove", "d") == "cannot remove @/d: is a folder (`rm -r` in a `run` state removes one)");
  CHECK(does("stat", "d").at("type") == "folder");
  CHECK(all() == Tree{{"a", "x"}});
}

TEST_CASE_FIXTURE(Files, "a file that is not there is an error of what needs one") {
  CHECK(cannot("read", "a") == "cannot read @/a: No such file or directory (`op: stat` tells whether there is one)");
  CHECK(cannot("copy", "a", {{"to", "b"}}) ==
        "cannot copy @/a to @/b: @/a: No such file or directory (`op: stat` tells whether there is one)");
  CHECK(cannot("move", "a", {{"to", "b"}}) ==
        "cannot move @/a to @/b: @/a: No such file or directory (`op: stat` tells whether there is one)");
  CHECK(all().empty());
}

TEST_CASE_FIXTURE(Files, "a folder that is not there is not made") {
  put("a", "x");
  const std::string why = "its folder does not exist (make it first, with `mkdir -p` in a `run` state)";
  CHECK(cannot("write", "no/b", {{"content", "x"}}) == "cannot write @/no/b: " + why);
  CHECK(cannot("append", "no/b", {{"content", "x"}}) == "cannot append to @/no/b: " + why);
  CHECK(cannot("copy", "a", {{"to", "no/b"}}) == "cannot copy @/a to @/no/b: @/no/b: " + why);
  CHECK(cannot("move", "a", {{"to", "no/b"}}) == "cannot move @/a to @/no/b: @/no/b: " + why);
  CHECK(all() == Tree{{"a", "x"}});
}

TEST_CASE_FIXTURE(Files, "write makes a file of a text, or of the JSON of anything else") {
  CHECK(does("write", "a", {{"content", "t\xc3\xbc\n"}}) == Json{{"path", at("a")}, {"size", 4}});
  CHECK(does("write", "b", {{"content", {{"k", {1, nullptr}}}}}).at("size") == 14);
  does("write", "c", {{"content", nullptr}});
  does("write", "d", {{"content", ""}});
  CHECK(all() == Tree{{"a", "t\xc3\xbc\n"}, {"b", R"({"k":[1,null]})"}, {"c", "null"}, {"d", ""}});
  CHECK(mode("a") == 0644);
  ::umask(077);
  does("write", "e", {{"content", "x"}});
  CHECK(mode("e") == 0600);
}

TEST_CASE_FIXTURE(Files, "write replaces a file as a whole, and keeps its mode and owner") {
  put("a", "old and long");
  REQUIRE(::chmod(at("a").c_str(), 0640) == 0);
  if (kIsRoot) REQUIRE(::chown(at("a").c_str(), 1234, 5678) == 0);
  const Fd reader(::open(at("a").c_str(), O_RDONLY | O_CLOEXEC));
  does("write", "a", {{"content", "new"}});
  CHECK(all() == Tree{{"a", "new"}});
  CHECK(mode("a") == 0640);
  struct stat status{};
  REQUIRE(::stat(at("a").c_str(), &status) == 0);
  CHECK(status.st_uid == (kIsRoot ? 1234 : ::geteuid()));
  CHECK(status.st_gid == (kIsRoot ? 5678 : ::getegid()));
  std::array<char, 20> buffer{};
  CHECK(::read(reader.get(), buffer.data(), buffer.size()) == 12);  // who reads it goes on with the old one
}

TEST_CASE_FIXTURE(Files, "a link stays, and what it leads to is written") {
  std::filesystem::create_directory(at("d"));
  put("d/a", "old");
  REQUIRE(::symlink("d/middle", at("link").c_str()) == 0);
  REQUIRE(::symlink("a", at("d/middle").c_str()) == 0);
  REQUIRE(::symlink("d/new", at("dangling").c_str()) == 0);
  REQUIRE(::symlink("round", at("round").c_str()) == 0);
  does("write", "link", {{"content", "x"}});
  CHECK(all().at("d/a") == "x");
  does("append", "link", {{"content", "y"}});
  put("b", "copied");
  does("copy", "b", {{"to", "dangling"}});
  CHECK(all() == Tree{{"b", "copied"},
                      {"d/a", "xy"},
                      {"d/middle", "-> a"},
                      {"d/new", "copied"},
                      {"dangling", "-> d/new"},
                      {"link", "-> d/middle"},
                      {"round", "-> round"}});
  CHECK(cannot("write", "round", {{"content", "x"}}) == "cannot write @/round: Too many levels of symbolic links");
  does("move", "b", {{"to", "link"}});
  CHECK(all().at("d/a") == "copied");
  CHECK(all().at("link") == "-> d/middle");
  does("remove", "link");
  CHECK(all().contains("d/middle"));
  CHECK_FALSE(all().contains("link"));
}

TEST_CASE_FIXTURE(Files, "append adds to the file that is there, or makes one") {
  CHECK(does("append", "a", {{"content", "one\n"}}) == Json{{"path", at("a")}, {"size", 4}});
  CHECK(mode("a") == 0644);
  struct stat before{};
  REQUIRE(::stat(at("a").c_str(), &before) == 0);
  std::filesystem::remove(*context.kept_file());  // as the engine does when the work is over
  CHECK(does("append", "a", {{"content", {1, 2}}}) == Json{{"path", at("a")}, {"size", 9}});
  CHECK(all() == Tree{{"a", "one\n[1,2]"}});
  struct stat after{};
  REQUIRE(::stat(at("a").c_str(), &after) == 0);
  CHECK(before.st_ino == after.st_ino);
}

TEST_CASE_FIXTURE(Files, "appends side by side are whole, one behind the other") {
  std::vector<std::unique_ptr<test::FakeContext>> contexts;
  std::vector<std::unique_ptr<model::Task>> tasks;
  int done = 0;
  std::size_t expected = 0;
  for (int i = 0; i < 20; ++i) {
    const std::string line = std::string(1000, static_cast<char>('a' + i)) + "\n";
    expected += line.size();
    contexts.push_back(std::make_unique<test::FakeContext>(io));
    tasks.push_back(*Bench::make("file", params("append", at("a"), {{"content", line}})));
    boost::asio::co_spawn(io, tasks.back()->run(*contexts.back()),
                          [&](std::exception_ptr thrown, const model::Outcome& outcome) {
                            if (!thrown && std::holds_alternative<model::Success>(outcome)) ++done;
                          });
  }
  until([&] { return done == 20; });
  const std::string text = all().at("a");
  CHECK(text.size() == expected);
  for (std::size_t i = 0; i < text.size(); i += 1001) CHECK(text.substr(i, 1001).find_first_not_of(text[i]) == 1000);
}

TEST_CASE_FIXTURE(Files, "copy makes another file of the same bytes and mode") {
  put("a", std::string(3'000'000, 'x') + "end");
  REQUIRE(::chmod(at("a").c_str(), 0750) == 0);
  CHECK(does("copy", "a", {{"to", "b"}}) == Json{{"path", at("b")}, {"size", 3'000'003}});
  CHECK((all().at("b") == all().at("a")));
  CHECK(mode("b") == 0750);
  put("c", "other");
  REQUIRE(::chmod(at("c").c_str(), 0600) == 0);
  does("copy", "a", {{"to", "c"}});
  CHECK(mode("c") == 0600);
  put("empty", "");
  CHECK(does("copy", "empty", {{"to", "d"}}).at("size") == 0);
  CHECK(all().size() == 5);
}

TEST_CASE_FIXTURE(Files, "copy reads what the kernel cannot copy by itself") {
  const Json output = does("copy", "/proc/self/status", {{"to", "a"}});
  CHECK(output.at("size") == all().at("a").size());
  CHECK(all().at("a").starts_with("Name:\t"));
}

TEST_CASE_FIXTURE(Files, "a file is neither copied nor moved to itself") {
  put("a", "x");
  REQUIRE(::symlink("a", at("link").c_str()) == 0);
  REQUIRE(::link(at("a").c_str(), at("hard").c_str()) == 0);
  for (const std::string to : {"a", "link", "hard"}) {
    CHECK(cannot("copy", "a", {{"to", to}}) == fmt::format("cannot copy @/a to @/{}: they are the same file", to));
    CHECK(cannot("move", "a", {{"to", to}}) == fmt::format("cannot move @/a to @/{}: they are the same file", to));
  }
  CHECK(all() == Tree{{"a", "x"}, {"hard", "x"}, {"link", "-> a"}});
}

TEST_CASE_FIXTURE(Files, "move renames, and replaces what is there") {
  put("a", "x");
  REQUIRE(::chmod(at("a").c_str(), 0604) == 0);
  put("b", "other");
  CHECK(does("move", "a", {{"to", "b"}}) == Json{{"path", at("b")}, {"size", 1}});
  CHECK(all() == Tree{{"b", "x"}});
  CHECK(mode("b") == 0604);
}

TEST_CASE_FIXTURE(Files, "move to another file system takes mode and time along") {
  std::error_code none;
  if (!std::filesystem::is_directory("/dev/shm", none)) return;
  std::string shared = "/dev/shm/canorun-test-XXXXXX";
  REQUIRE(::mkdtemp(shared.data()) != nullptr);
  struct stat here{};
  struct stat there{};
  REQUIRE(::stat(context.folder().c_str(), &here) == 0);
  REQUIRE(::stat(shared.c_str(), &there) == 0);
  WARN(here.st_dev != there.st_dev);
  put("a", "x");
  REQUIRE(::chmod(at("a").c_str(), 0604) == 0);
  const std::array<timespec, 2> times{{{1'000'000, 5000}, {2'000'000, 7000}}};
  REQUIRE(::utimensat(AT_FDCWD, at("a").c_str(), times.data(), 0) == 0);
  CHECK(does("move", "a", {{"to", shared + "/b"}}) == Json{{"path", shared + "/b"}, {"size", 1}});
  CHECK(all().empty());
  CHECK(test::read_tree(shared) == Tree{{"b", "x"}});
  CHECK(does("stat", shared + "/b") == Json{{"path", shared + "/b"},
                                            {"exists", true},
                                            {"type", "file"},
                                            {"size", 1},
                                            {"modified_at", "1970-01-24T03:33:20.000Z"}});
  CHECK(mode(shared + "/b") == 0604);
  std::filesystem::remove_all(shared);
}

TEST_CASE_FIXTURE(Files, "remove takes what is there, and nothing where nothing is") {
  put("a", "x");
  CHECK(does("remove", "a") == Json{{"path", at("a")}});
  CHECK(does("remove", "a") == Json{{"path", at("a")}});
  CHECK(does("remove", "no/folder") == Json{{"path", at("no/folder")}});
  CHECK(all().empty());
  put("b", "x");
  CHECK(does("remove", "b/c") == Json{{"path", at("b/c")}});
  CHECK(all() == Tree{{"b", "x"}});
}

TEST_CASE_FIXTURE(Files, "stat tells what is at a path") {
  put("a", "four");
  const std::array<timespec, 2> times{{{0, 0}, {1'795'421'700, 123'999'999}}};
  REQUIRE(::utimensat(AT_FDCWD, at("a").c_str(), times.data(), 0) == 0);
  const Json there{
      {"path", at("a")}, {"exists", true}, {"type", "file"}, {"size", 4}, {"modified_at", "2026-11-23T08:15:00.123Z"}};
  CHECK(does("stat", "a") == there);
  const auto nothing = [&](const std::string& name) {
    return Json{{"path", at(name)}, {"exists", false}, {"type", "none"}, {"size", 0}, {"modified_at", nullptr}};
  };
  REQUIRE(::symlink("nowhere", at("dangling").c_str()) == 0);
  for (const std::string name : {"b", "a/b", "dangling"}) CHECK(does("stat", name) == nothing(name));
  CHECK(does("stat", ".").at("size") == 0);
  CHECK(cannot("stat", std::string(300, 'x')) == "cannot look at @/" + std::string(300, 'x') + ": File name too long");
}

TEST_CASE_FIXTURE(Files, "what may not be done fails with the system's reason") {
  put("a", "x");
  std::filesystem::create_directory(at("d"));
  put("d/b", "x");
  REQUIRE(::chmod(at("a").c_str(), 0) == 0);
  REQUIRE(::chmod(at("d").c_str(), 0555) == 0);
  const auto as_nobody = [&](FileOp op, const std::string& path) {
    FileWork work{.op = op, .path = at(path), .content = "x", .key = "key"};
    return shown(done_as_nobody(work, context.folder()));
  };
  CHECK(as_nobody(FileOp::kRead, "a") ==
        "cannot read @/a: Permission denied (the user that runs canorun must be allowed to)");
  CHECK(as_nobody(FileOp::kWrite, "d/c") ==
        "cannot write @/d/c: Permission denied (the user that runs canorun must be allowed to)");
  CHECK(as_nobody(FileOp::kRemove, "d/b") ==
        "cannot remove @/d/b: Permission denied (the user that runs canorun must be allowed to)");
  REQUIRE(::chmod(at("d").c_str(), 0755) == 0);
  CHECK(all() == Tree{{"a", "x"}, {"d/b", "x"}});
}

TEST_CASE_FIXTURE(Files, "who may not give a file away keeps it, and gives its group no right that was another's") {
  if (!kIsRoot) return;
  for (const auto& [group, expected] : {std::pair(5678, 0644), std::pair(65534, 0664)}) {
    put("a", "old");
    REQUIRE(::chown(at("a").c_str(), 1234, static_cast<gid_t>(group)) == 0);
    REQUIRE(::chmod(at("a").c_str(), 06664) == 0);
    const FileWork work{.op = FileOp::kWrite, .path = at("a"), .content = "new", .key = "key"};
    CHECK(done_as_nobody(work, context.folder()) == "");
    CHECK(all() == Tree{{"a", "new"}});
    CHECK(mode("a") == static_cast<mode_t>(expected));
    std::filesystem::remove(at("a"));
  }
}

TEST_CASE_FIXTURE(Files, "what has no room leaves the files as they were") {
  put("a", std::string(3000, 'a'));
  put("big", std::string(9000, 'b'));
  const std::string why = "File too large (see `ulimit -f`, or the limits of the file system)";
  const LargestFile limit(4096);
  CHECK(cannot("write", "a", {{"content", std::string(5000, 'x')}}) == "cannot write @/a: " + why);
  CHECK(cannot("append", "a", {{"content", std::string(5000, 'x')}}) == "cannot append to @/a: " + why);
  CHECK(cannot("copy", "big", {{"to", "a"}}) == "cannot copy @/big to @/a: " + why);
  CHECK(all() == Tree{{"a", std::string(3000, 'a')}, {"big", std::string(9000, 'b')}});
}

TEST_CASE_FIXTURE(Files, "an append that failed is not taken for done when others appended the same since") {
  put("a", std::string(4000, 'a'));
  const std::string text(200, 'x');
  {
    const LargestFile limit(4096);
    CHECK(cannot("append", "a", {{"content", text}}).starts_with("cannot append to @/a: File too large"));
  }
  put("a", std::string(4000, 'a') + text);
  does("append", "a", {{"content", text}});
  CHECK(all().at("a") == std::string(4000, 'a') + text + text);
}

TEST_CASE_FIXTURE(Files, "a cancelled copy ends at once and leaves nothing") {
  put("a", "");
  REQUIRE(::truncate(at("a").c_str(), off_t{1} << 40) == 0);
  put("b", "old");
  start(*make("file", params("copy", "a", {{"to", "b"}})));
  until([&] { return std::filesystem::exists(at(".canorun-" + context.idempotency_key() + ".part")); });
  const auto began = std::chrono::steady_clock::now();
  CHECK(cancel() == boost::asio::error::operation_aborted);
  CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(5));
  std::filesystem::remove(at("a"));
  CHECK(all() == Tree{{"b", "old"}});
}

TEST_CASE_FIXTURE(Files, "an append that waits for another's lock can be cancelled") {
  put("a", "x");
  const Fd other(::open(at("a").c_str(), O_RDONLY | O_CLOEXEC));
  REQUIRE(::flock(other.get(), LOCK_EX) == 0);
  start(*make("file", params("append", "a", {{"content", "y"}})));
  for (int i = 0; i < 5; ++i) io.run_one_for(std::chrono::milliseconds(10));
  CHECK_FALSE(ended);
  CHECK(cancel() == boost::asio::error::operation_aborted);
  CHECK(all() == Tree{{"a", "x"}});
}

TEST_CASE_FIXTURE(Files, "an append that waited goes to the file that is then there") {
  put("a", "x");
  const Fd other(::open(at("a").c_str(), O_RDONLY | O_CLOEXEC));
  REQUIRE(::flock(other.get(), LOCK_EX) == 0);
  start(*make("file", params("append", "a", {{"content", "y"}})));
  for (int i = 0; i < 5; ++i) io.run_one_for(std::chrono::milliseconds(10));
  std::filesystem::rename(at("a"), at("a.1"));
  put("a", "new");
  REQUIRE(::flock(other.get(), LOCK_UN) == 0);
  until([&] { return ended; });
  CHECK(all() == Tree{{"a", "newy"}, {"a.1", "x"}});
}

TEST_CASE("paths that cannot be are refused") {
  CHECK(refused({{"op", "stat"}, {"path", ""}}) == "'path' is empty");
  CHECK(refused({{"op", "copy"}, {"path", "a"}, {"to", ""}}) == "'to' is empty");
  CHECK(refused({{"op", "stat"}, {"path", std::string("a\0b", 3)}}) == "'path' holds a NUL byte");
  CHECK(refused({{"op", "rename"}, {"path", "a"}}) ==
        "'rename' is not one of read, write, append, copy, move, remove, stat");
  CHECK(check_file(Json::object()));
}

}  // namespace canorun::tasks
