// What tasks bring in, with the run's secrets in it: masked before it is read, cut, kept or logged.
#include <fmt/format.h>

#include "support/http_server.h"
#include "support/program.h"
#include "tasks/command_lines.h"
#include "tasks/fake_context.h"
#include "tasks/file_note.h"

namespace canorun::tasks {
namespace {

using test::Bench;

const std::string kSecret = "s3cr3t/\"42\"";

// With the secrets known to the run.
struct Secretive : Bench {
  explicit Secretive(std::vector<std::string> secrets = {kSecret, "12345678"}) {
    context.masker_ = Masker(std::move(secrets));
    context.environment_ = {{"TOKEN", kSecret}};
  }
};

}  // namespace

TEST_CASE("what a command prints is masked in its output and in its log, however it comes") {
  Secretive bench;
  const Json output = bench.output("shell", {{"script",
                                              "printf 'a %s b' \"$TOKEN\"; printf s3c; printf 'r3t/\"42\"'\n"
                                              "printf 'err %s' \"$TOKEN\" >&2"}});
  CHECK(output["stdout"] == "a *** b***");
  CHECK(output["stderr"] == "err ***");
  CHECK(bench.context.out == "a *** b***");
  CHECK(bench.context.err == "err ***");
}

TEST_CASE("a command's output is masked before it is parsed") {
  Secretive bench;
  CHECK(bench.output("shell", {{"script", R"(echo '{"a": "s3cr3t/\"42\"", "b": "s3cr3t\/\"42\""}')"},
                               {"parse", "json"}})["json"] == Json{{"a", "***"}, {"b", "***"}});
  CHECK(bench.output("shell", {{"script", "echo one; echo \"$TOKEN\""}, {"parse", "lines"}})["lines"] ==
        Json{"one", "***"});
  CHECK(bench.error("shell", {{"script", "echo 12345678"}, {"parse", "json"}}).message ==
        "stdout: not JSON: syntax error at byte 1");
}

TEST_CASE("a command's output is masked before it is cut") {
  Secretive bench;
  const Json output = bench.output("shell", {{"script", "printf 'ab%s' \"$TOKEN\""}, {"capture", "8B"}});
  CHECK(output["stdout"] == "ab***");
  CHECK(output["truncated"] == false);
}

TEST_CASE("what a command writes to CANORUN_OUTPUT is masked before it is read") {
  Secretive bench;
  CHECK(bench.output("shell", {{"script", "echo \"token=$TOKEN\" > \"$CANORUN_OUTPUT\""}})["values"] ==
        Json{{"token", "***"}});
  CHECK(bench.error("shell", {{"script", "echo \"$TOKEN\" > \"$CANORUN_OUTPUT\""}}).message ==
        "CANORUN_OUTPUT line 1 is no key=value: *** (a key is a name of letters, digits and _; a JSON object can have "
        "others, and values of many lines)");
}

TEST_CASE("the last lines of a failed command's stderr are masked") {
  Secretive bench;
  const auto error = bench.error("shell", {{"script", "echo \"bad token $TOKEN\" >&2; exit 3"}});
  CHECK(error.stderr_tail == "bad token ***");
}

TEST_CASE("the log of a command that is cancelled has all of its output, but what has begun a secret") {
  for (const auto& [begun, told] : {std::pair{"s3cr3", "s3cr3"}, std::pair{"s3cr3t/", "***"}}) {
    Secretive bench;
    bench.start(*Bench::make("shell", {{"script", fmt::format("printf 'up to {}'; exec sleep 1000", begun)}}));
    bench.until([&] { return bench.context.out == "up to "; });
    bench.cancel();
    CHECK(bench.context.out == fmt::format("up to {}", told));
  }
}

TEST_CASE("what a source of lines writes to stderr is masked in its log and its error") {
  Secretive bench;
  CommandSpec spec;
  spec.argv = {"/bin/sh", "-c", "printf 'no %s, s3cr3t' \"$TOKEN\" >&2; exit 1"};
  CommandLines lines(std::move(spec));
  REQUIRE(!lines.start(bench.context, {}));
  std::optional<model::Outcome> outcome;
  bench.until([&] {
    auto next = lines.next();
    if (auto* ended = std::get_if<model::Outcome>(&next)) outcome = std::move(*ended);
    return outcome.has_value();
  });
  CHECK(std::get<model::Failure>(*outcome).error.stderr_tail == "no ***, ***");
  CHECK(bench.context.err == "no ***, ***");
}

TEST_CASE("a source of lines that is ended early has all of its stderr in the log") {
  Secretive bench;
  CommandSpec spec;
  spec.argv = {"/bin/sh", "-c", "printf 'up to s3cr3' >&2; exec sleep 1000"};
  CommandLines lines(std::move(spec));
  REQUIRE(!lines.start(bench.context, {}));
  bench.until([&] { return bench.context.err == "up to "; });
  bool ended = false;
  boost::asio::co_spawn(bench.io, lines.end(), [&](const std::exception_ptr& thrown) { ended = !thrown; });
  bench.until([&] { return ended; });
  CHECK(bench.context.err == "up to s3cr3");
}

TEST_CASE("the body of an answer is masked before it is read as JSON, and saved as it is") {
  const std::string body = R"({"token": "s3cr3t/\"42\"", "n": 1})";
  test::HttpServer server([&](const test::HttpAsked& asked) -> test::HttpAnswer {
    if (asked.target == "/number") return {200, {{"Content-Type", "application/json"}}, R"({"pin": 12345678})"};
    return {200, {{"Content-Type", "application/json"}}, body};
  });
  Secretive bench;
  CHECK(bench.output("http", {{"url", server.url("/")}})["body"] == Json{{"token", "***"}, {"n", 1}});
  CHECK(bench.output("http", {{"url", server.url("/number")}})["body"] == R"({"pin": ***})");
  CHECK(bench.output("http", {{"url", server.url("/")}, {"save_to", "answer"}})["body"] == nullptr);
  CHECK(bench.read("answer") == body);
}

TEST_CASE("what is shown of an unexpected answer is masked before it is cut") {
  const std::string filler(4090, 'x');
  test::HttpServer server(
      [&](const test::HttpAsked&) -> test::HttpAnswer { return {500, {}, filler + kSecret + kSecret}; });
  Secretive bench;
  CHECK(bench.error("http", {{"url", server.url("/")}}).stderr_tail == filler + "******");
}

TEST_CASE("a url that is a secret as a whole, or beyond its user, is not shown in part") {
  const int port = test::unused_port();
  const std::string url = fmt::format("http://me:pw@127.0.0.1:{}/hook", port);
  for (const std::string& secret : {url, fmt::format("pw@127.0.0.1:{}/hook", port)}) {
    Secretive bench({secret});
    const std::string shown = secret == url ? "***" : "http://me:***";
    CHECK(bench.error("http", {{"url", url}}).message.starts_with(fmt::format("GET {}: ", shown)));
  }
  test::HttpServer server([](const test::HttpAsked&) -> test::HttpAnswer { return {500, {}, "no"}; });
  const std::string target = "http://me:pw@" + server.url("/hook").substr(7);
  CHECK(Secretive({target}).error("http", {{"url", target}}).message == "HTTP 500 from ***");
}

TEST_CASE("a secret that libcurl cuts in its error is known by it") {
  test::HttpServer server([](const test::HttpAsked&) -> test::HttpAnswer { return {}; });
  const std::string path = "/" + std::string(300, 'x');
  Secretive bench({path});
  const Json params{{"url", "https" + server.url("/").substr(4)}, {"ca_file", path}};
  std::string message = bench.error("http", params).message;
  CHECK(message.find("xxxxxx") != std::string::npos);
  bench.context.masker_.mask(message);
  CHECK(message.find("xxxxxx") == std::string::npos);
}

TEST_CASE("a file that is read is masked before it is parsed; its size is its own") {
  Secretive bench;
  test::write_file(bench.context.folder() + "/f", R"({"pin": "12345678"})");
  const Json output = bench.output("file", {{"op", "read"}, {"path", "f"}, {"parse", "json"}});
  CHECK(output["content"] == R"({"pin": "***"})");
  CHECK(output["json"] == Json{{"pin", "***"}});
  CHECK(output["size"] == 19);
}

TEST_CASE("the note of work on files does not hold a secret that is part of a path") {
  const Masker masker({"s3cr3t"});
  const test::TempFolder folder;
  FileWork work{.op = FileOp::kAppend, .path = "/tmp/s3cr3t/a", .note = folder.path() + "/note", .masker = &masker};
  REQUIRE(keep_note(work, 4));
  CHECK(test::read_file(work.note) == R"({"path":"/tmp/***/a","to":"","what":4})");
  CHECK(*read_note(work) == Json(4));
  work.path = "/tmp/s3cr3t/b";
  CHECK_FALSE(read_note(work));
}

}  // namespace canorun::tasks
