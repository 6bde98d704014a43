// A file as a source: real files, real inotify; nothing sleeps to be right.
#include "engine/run/file_lines.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <boost/asio.hpp>
#include <filesystem>

#include "engine/model/task.h"
#include "engine/run/timer.h"
#include "harness.h"
#include "support/program.h"
#include "support/temp_folder.h"

using namespace canorun;
using namespace canorun::test;

namespace {

namespace fs = std::filesystem;

// A context of which only the loop is asked for.
class LoopOnly final : public model::TaskContext {
 public:
  explicit LoopOnly(boost::asio::io_context& io) : io_(io) {}
  boost::asio::any_io_executor executor() const override { return io_.get_executor(); }
  const Clock& clock() const override { return clock_; }
  const std::string& run_id() const override { return none_; }
  const std::string& flow_name() const override { return none_; }
  const std::string& folder() const override { return none_; }
  const std::string& state() const override { return none_; }
  const std::string& part() const override { return none_; }
  std::uint64_t visit() const override { return 1; }
  std::uint32_t attempt() const override { return 1; }
  const std::string& idempotency_key() const override { return none_; }
  const std::string& compensates() const override { return none_; }
  const std::string& token() const override { return none_; }
  const std::vector<std::pair<std::string, std::string>>& environment() const override { return environment_; }
  const Masker& masker() const override { return kNoSecrets; }
  Result<std::string> scratch_file(std::string_view) override { return fail("none"); }
  Result<std::string> kept_file() override { return fail("none"); }
  boost::asio::awaitable<model::Outcome> run_flow(const std::string&, Json) override {
    co_return model::failure(model::kind::kTask, "none");
  }
  void write_log(model::Stream, std::string_view) override {}
  void say(model::LogLevel, std::string_view) override {}

 private:
  boost::asio::io_context& io_;
  ManualClock clock_;
  std::string none_;
  std::vector<std::pair<std::string, std::string>> environment_;
};

struct Reader {
  // Time stands still: what wakes it is inotify alone.
  Reader(std::string path, std::uint64_t place, bool follow) : source(std::move(path), place, follow) {
    run::LoopClock::source = &clock;
    failure = source.start(context, [this] { ready = true; });
  }
  ~Reader() { run::LoopClock::source = nullptr; }

  // What there is now: lines with the place behind them.
  std::vector<std::string> now() {
    std::vector<std::string> lines;
    for (;;) {
      model::NextLine next = source.next();
      if (auto* line = std::get_if<model::Line>(&next)) {
        lines.push_back(line->bytes + "@" + std::to_string(*line->behind));
        continue;
      }
      if (auto* outcome = std::get_if<model::Outcome>(&next)) ended = std::move(*outcome);
      return lines;
    }
  }
  // Waits to be told that there is more, until there are so many lines.
  std::vector<std::string> after_news(std::size_t count) {
    std::vector<std::string> lines;
    const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (lines.size() < count) {
      REQUIRE(std::chrono::steady_clock::now() < patience);
      io.restart();
      io.run_one_for(std::chrono::milliseconds(2));
      if (!std::exchange(ready, false)) continue;
      for (std::string& line : now()) lines.push_back(std::move(line));
    }
    return lines;
  }

  boost::asio::io_context io;
  LoopOnly context{io};
  ManualClock clock;
  bool ready = false;
  run::FileLines source;
  std::optional<model::Failure> failure;
  std::optional<model::Outcome> ended;
};

void append(const std::string& path, const std::string& text) { write_file(path, read_file(path) + text); }

// As a program does that holds its log open.
struct Writer {
  explicit Writer(const std::string& path) : file(std::fopen(path.c_str(), "ae")) {}
  ~Writer() { std::fclose(file); }
  void write(const std::string& text) const {
    std::fputs(text.c_str(), file);
    std::fflush(file);
  }
  std::FILE* file;
};

using List = std::vector<std::string>;

}  // namespace

TEST_CASE("a file is read from a byte to its end, its last line without a newline, too") {
  const TempFolder folder;
  const std::string path = folder.path() + "/a";
  write_file(path, "one\ntwo\nthree");
  Reader whole(path, 0, false);
  CHECK(whole.now() == List{"one@4", "two@8", "three@13"});
  CHECK(std::holds_alternative<model::Success>(*whole.ended));
  CHECK(Reader(path, 4, false).now() == List{"two@8", "three@13"});
  CHECK(Reader(path, 13, false).now().empty());
  CHECK(Reader(path, 99, false).now() == List{"one@4", "two@8", "three@13"});
}

TEST_CASE("without follow a file that is not there is a failure, and so is what is no file") {
  const TempFolder folder;
  CHECK(Reader(folder.path() + "/a", 0, false).failure->error.message ==
        "cannot read " + folder.path() + "/a: No such file or directory");
  REQUIRE(::mkfifo((folder.path() + "/pipe").c_str(), 0600) == 0);
  CHECK(Reader(folder.path() + "/pipe", 0, true).failure->error.message ==
        "cannot read " + folder.path() + "/pipe: it is no regular file (a command can read it: `run: cat …`)");
  CHECK(Reader(folder.path(), 0, true).failure->error.message.starts_with("cannot read"));
}

TEST_CASE("a line of a file that is too long is an error that says where") {
  const TempFolder folder;
  const std::string path = folder.path() + "/a";
  write_file(path, "a\n" + std::string((1 << 20) + 1, 'x') + "\n");
  Reader reader(path, 0, false);
  CHECK(reader.now() == List{"a@2"});
  CHECK(std::get<model::Failure>(*reader.ended).error.message ==
        "the line at byte 2 of " + path + " is longer than 1.0 MiB");
}

TEST_CASE("a followed file gives its lines as they are ended, and never ends") {
  const TempFolder folder;
  const std::string path = folder.path() + "/a";
  const Writer writer(path);
  writer.write("one\ntw");
  Reader reader(path, 0, true);
  CHECK(reader.now() == List{"one@4"});
  writer.write("o\nthree\n");
  CHECK(reader.after_news(2) == List{"two@8", "three@14"});
  CHECK_FALSE(reader.ended);
}

TEST_CASE("a followed file that is not there is waited for") {
  const TempFolder folder;
  const std::string path = folder.path() + "/a";
  Reader reader(path, 0, true);
  REQUIRE_FALSE(reader.failure);
  CHECK(reader.now().empty());
  const Writer writer(path);
  writer.write("one\n");
  CHECK(reader.after_news(1) == List{"one@4"});
}

TEST_CASE("a followed file whose folder is not there is looked for now and then") {
  const TempFolder folder;
  Reader reader(folder.path() + "/sub/a", 0, true);
  CHECK(reader.now().empty());
  fs::create_directory(folder.path() + "/sub");
  write_file(folder.path() + "/sub/a", "one\n");
  reader.clock.advance(std::chrono::seconds(2));
  CHECK(reader.after_news(1) == List{"one@4"});
}

TEST_CASE("a followed file that is truncated is read from its beginning") {
  const TempFolder folder;
  const std::string path = folder.path() + "/a";
  const Writer writer(path);
  writer.write("one\ntwo\nhalf");
  Reader reader(path, 0, true);
  CHECK(reader.now() == List{"one@4", "two@8"});
  fs::resize_file(path, 0);
  writer.write("new\n");
  CHECK(reader.after_news(1) == List{"new@4"});
}

TEST_CASE("a followed file that is rotated is read to its end, then the new one from its beginning") {
  const TempFolder folder;
  const std::string path = folder.path() + "/a";
  const Writer old(path);
  old.write("one\n");
  Reader reader(path, 0, true);
  CHECK(reader.now() == List{"one@4"});
  fs::rename(path, path + ".1");
  old.write("two\nrest");
  CHECK(reader.after_news(1) == List{"two@8"});
  const Writer young(path);
  young.write("three\n");
  CHECK(reader.after_news(2) == List{"rest@12", "three@6"});
  young.write("four\n");
  CHECK(reader.after_news(1) == List{"four@11"});
}

TEST_CASE_FIXTURE(Fixture, "a stream over a file keeps the byte behind each window, and a resume begins there") {
  const TempFolder folder;
  write_file(folder.path() + "/a", "one\ntwo\nthree\n");
  const std::string yaml = fmt::format(R"(
name: files
states:
  s:
    stream:
      source: {{file: "{}/a", follow: true}}
      window: {{count: 2}}
      flush: {{task: act, with: {{value: "${{{{ items }}}}"}}}}
      stop_when: item == 'end'
    next: done
  done: {{exit: success, output: "${{{{ states.s.output }}}}"}}
)",
                                       folder.path());
  std::vector<Json> flushed;
  Harness::acts["s"] = [&](model::TaskContext&, Json params) -> boost::asio::awaitable<model::Outcome> {
    flushed.push_back(params["value"]);
    co_return model::Success{nullptr};
  };
  process.start(flow_of(yaml));
  process.until([&] { return process.recorder.has("window s 1 of 2"); });
  process.interrupt.raise(run::Reason::kSuspend, "SIGTERM");
  process.until_done();
  append(folder.path() + "/a", "four\nend\nmore\n");
  Harness second{store};
  second.resume(flow_of(yaml));
  second.until_done();
  CHECK(flushed == std::vector<Json>{{"one", "two"}, {"three"}, {"four", "end"}});
  CHECK(second.finished->run.output == Json{{"cursor", 23}, {"items", 5}, {"reason", "stopped"}, {"windows", 3}});
}
