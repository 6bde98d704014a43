#include "engine/run/attempt_log.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "support/manual_clock.h"
#include "support/temp_folder.h"

using namespace canorun;
using run::AttemptLog;
using run::AttemptName;

namespace {

std::string read_all(const run::LogFile& log) {
  std::string text;
  for (const std::string& part : log.parts) {
    REQUIRE(run::read_log(part, 0, [&](const run::Chunk& chunk) { text += chunk.bytes; }));
  }
  return text;
}

}  // namespace

TEST_CASE("a log keeps both streams in the order in which they were written, with their times") {
  const test::TempFolder folder;
  test::ManualClock clock;
  AttemptLog log(folder.path() + "/logs/r1", {7, 1, 2, "ship_it"}, clock);
  CHECK(!std::filesystem::exists(folder.path() + "/logs"));
  log.write(model::Stream::kStdout, "one\n");
  clock.advance(Millis{5});
  log.write(model::Stream::kStderr, std::string("two\0\xFF", 5));
  const auto logs = run::find_logs(folder.path() + "/logs/r1");
  REQUIRE(logs.size() == 1);
  CHECK(logs[0].name.file_name() == "00000007-0001-0002-ship_it");
  std::vector<std::string> chunks;
  REQUIRE(run::read_log(logs[0].parts[0], 0, [&](const run::Chunk& chunk) {
    chunks.push_back(format_time(chunk.at) + (chunk.stream == model::Stream::kStderr ? " e " : " o ") +
                     std::string(chunk.bytes));
  }));
  CHECK(chunks == std::vector<std::string>{"2026-11-23T08:15:00.000Z o one\n",
                                           std::string("2026-11-23T08:15:00.005Z e two\0\xFF", 32)});
  CHECK((std::filesystem::status(logs[0].parts[0]).permissions() & std::filesystem::perms::all) ==
        static_cast<std::filesystem::perms>(0600));
  CHECK((std::filesystem::status(folder.path() + "/logs/r1").permissions() & std::filesystem::perms::all) ==
        static_cast<std::filesystem::perms>(0700));
}

TEST_CASE("of a long output the first and the last 32 MiB are kept, and what lies between is counted") {
  const test::TempFolder folder;
  const test::ManualClock clock;
  std::string expected_head, tail;
  {
    AttemptLog log(folder.path(), {1, 0, 1, "big"}, clock);
    std::string block(1 << 20, 'x');
    for (int i = 0; i < 150; ++i) {
      std::fill(block.begin(), block.end(), static_cast<char>('!' + i % 90));
      log.write(model::Stream::kStdout, block);
      if (i == 0) expected_head = block;
      if (i >= 150 - 31) tail += block;
    }
    log.write(model::Stream::kStdout, "the end");
    tail += "the end";
  }
  const auto logs = run::find_logs(folder.path(), "big");
  REQUIRE(logs.size() == 1);
  CHECK(logs[0].parts.size() == 3);
  const std::string kept = read_all(logs[0]);
  CHECK(kept.size() + logs[0].left_out == 150ULL * (1 << 20) + 7);
  CHECK(kept.starts_with(expected_head));
  CHECK(kept.ends_with(tail));
  CHECK(kept.size() < 4 * AttemptLog::kPart);
}

TEST_CASE("logs are found in the order in which things happened, of one state if asked") {
  const test::TempFolder folder;
  const test::ManualClock clock;
  for (const AttemptName& name : {AttemptName{12, 0, 1, "b"}, {3, 1, 1, "a"}, {3, 0, 2, "a"}, {3, 0, 1, "a"}}) {
    AttemptLog(folder.path(), name, clock).write(model::Stream::kStdout, name.file_name());
  }
  std::string order;
  for (const auto& log : run::find_logs(folder.path())) order += read_all(log) + " ";
  CHECK(order == "00000003-0000-0001-a 00000003-0000-0002-a 00000003-0001-0001-a 00000012-0000-0001-b ");
  CHECK(run::find_logs(folder.path(), "b").size() == 1);
  CHECK(run::find_logs(folder.path() + "/none").empty());
}

TEST_CASE("a log that is being written is read up to its last whole chunk") {
  const test::TempFolder folder;
  const test::ManualClock clock;
  const std::string path = folder.path() + "/00000001-0000-0001-a.log";
  AttemptLog(folder.path(), {1, 0, 1, "a"}, clock).write(model::Stream::kStdout, "hello");
  std::filesystem::resize_file(path, 20);
  int chunks = 0;
  CHECK(run::read_log(path, 0, [&](const run::Chunk&) { ++chunks; }) == 0);
  CHECK(chunks == 0);
  std::ofstream(path, std::ios::binary) << std::string(16, '\xFF');
  CHECK(run::read_log(path, 0, [&](const run::Chunk&) { ++chunks; }).error().message == path + " is damaged at byte 0");
}

TEST_CASE("a log that cannot be written does not fail the work") {
  const test::TempFolder folder;
  const test::ManualClock clock;
  std::ofstream(folder.path() + "/file") << "x";
  AttemptLog log(folder.path() + "/file/logs", {1, 0, 1, "a"}, clock);
  log.write(model::Stream::kStdout, "x");
  log.write(model::Stream::kStdout, "y");
  CHECK(run::find_logs(folder.path() + "/file/logs").empty());
}
