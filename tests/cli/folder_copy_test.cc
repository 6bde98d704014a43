#include "cli/folder_copy.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include "cli/folder_content.h"
#include "support/program.h"
#include "support/temp_folder.h"

using namespace canorun;
using namespace canorun::test;

namespace fs = std::filesystem;

TEST_CASE("a copy has the same files, folders, links, permissions and times") {
  const TempFolder folder;
  const fs::path from = folder.path() + "/from";
  const fs::path to = folder.path() + "/to";
  fs::create_directories(from / "sub/empty");
  write_file(from / "sub/tool", "#!/bin/sh\n");
  fs::permissions(from / "sub/tool", fs::perms(0751));
  fs::last_write_time(from / "sub/tool", fs::file_time_type::clock::now() - std::chrono::hours(5));
  fs::create_symlink("sub/tool", from / "near");
  fs::create_symlink(from / "sub", from / "inside");
  fs::create_symlink("/etc", from / "outside");
  ::mkfifo((from / "pipe").c_str(), 0600);
  fs::permissions(from / "sub/empty", fs::perms(0500));
  REQUIRE(cli::copy_folder(from, to, {.from = from, .to = to}));
  CHECK(fs::last_write_time(to / "sub/tool") == fs::last_write_time(from / "sub/tool"));
  CHECK(fs::read_symlink(to / "inside") == to / "sub");
  auto expected = cli::read_content(from, ".");
  expected.erase("pipe");
  expected.at("inside").content = (to / "sub").native();
  CHECK(cli::read_content(to, ".") == expected);
  CHECK(expected.size() == 6);
  cli::remove_folder(to);
  CHECK_FALSE(fs::exists(to));
}

TEST_CASE("what is left out is not copied, and does not count") {
  const TempFolder folder;
  const fs::path from = folder.path() + "/from";
  fs::create_directories(from / "store");
  write_file(from / "store/data", std::string(100, 'x'));
  write_file(from / "file", "1234");
  const auto copy = [&](cli::CopyRule rule) {
    cli::remove_folder(folder.path() + "/to");
    return cli::copy_folder(from, folder.path() + "/to", rule);
  };
  CHECK(copy({.most_bytes = 4, .most_entries = 1, .leave_out = {from / "store"}}));
  CHECK_FALSE(fs::exists(folder.path() + "/to/store"));
  CHECK(copy({.most_bytes = 103}).error().message == "it has more than 103 B");
  CHECK(copy({.most_entries = 2}).error().message == "it has more than 2 files");
  CHECK(copy({.most_bytes = 104, .most_entries = 3}));
}

TEST_CASE("a path lies within a folder by its names") {
  CHECK(cli::is_within("/a/b", "/a/b"));
  CHECK(cli::is_within("/a/b/c", "/a/b"));
  CHECK(cli::is_within("/a/x/../b/c", "/a/b"));
  CHECK_FALSE(cli::is_within("/a/bc", "/a/b"));
  CHECK_FALSE(cli::is_within("/a/b/../c", "/a/b"));
  CHECK_FALSE(cli::is_within("/a", "/a/b"));
}

TEST_CASE("idempotency keys are no difference") {
  const std::string key = "123e4567-e89b-5234-8234-426614174000";
  CHECK(cli::without_keys("a" + key + "-b " + key) == "a{key}-b {key}");
  CHECK(cli::without_keys("123e4567-e89b-4234-8234-426614174000 2026-11-28") ==
        "123e4567-e89b-4234-8234-426614174000 2026-11-28");
  CHECK(cli::without_keys(key.substr(1)) == key.substr(1));
  CHECK(cli::without_keys("-" + key + key) == "-{key}{key}");
  const TempFolder one;
  const TempFolder other;
  const std::string later = "923e4567-e89b-5234-8234-426614174000";
  write_file(one.path() + "/" + key, "first");
  write_file(one.path() + "/" + later, "second");
  write_file(other.path() + "/" + later, "first");
  write_file(other.path() + "/" + key, "second");
  const auto content = cli::read_content(one.path(), ".");
  CHECK(content == cli::read_content(other.path(), "."));
  CHECK(content.size() == 2);
  CHECK(content.contains("{key} (2)"));
}

TEST_CASE("a single file is read under the name that it is given") {
  const TempFolder folder;
  write_file(folder.path() + "/ledger", "a\nb");
  const auto content = cli::read_content(folder.path() + "/ledger", "books/ledger");
  REQUIRE(content.size() == 1);
  CHECK(content.at("books/ledger").lines == 2);
  CHECK(content.at("books/ledger").size == 3);
  CHECK(cli::read_content(folder.path() + "/none", "none").empty());
}
