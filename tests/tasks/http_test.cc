#include "tasks/http.h"

#include <doctest/doctest.h>

#include "support/http_server.h"
#include "tasks/fake_context.h"
#include "tasks/http_client.h"
#include "tasks/http_spec.h"

namespace canorun::tasks {
namespace {

using test::Bench;
using test::HttpAnswer;
using test::HttpAsked;
using test::HttpServer;

// Proxies of whoever runs the tests are not asked for the loopback interface.
const int kNoProxy = ::setenv("no_proxy", "127.0.0.1", 1);

/// Says back what it was asked.
HttpAnswer echo(const HttpAsked& asked) {
  return {.headers = {{"Content-Type", "application/json"}},
          .body = Json{{"method", asked.method}, {"target", asked.target}, {"body", asked.body}}.dump()};
}

HttpServer answering(HttpAnswer answer) {
  return HttpServer([answer = std::move(answer)](const HttpAsked&) { return answer; });
}

Json get(const HttpServer& server, Json more = Json::object()) {
  more["url"] = server.url("/x");
  return more;
}

std::vector<std::string> files_in(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) names.push_back(entry.path().filename());
  return names;
}

Error refused(Json params) {
  auto made = Bench::make("http", std::move(params));
  REQUIRE_FALSE(made);
  return made.error();
}

}  // namespace

TEST_CASE("an answer becomes status, headers, body and duration") {
  const auto server = answering(
      {.status = 201, .headers = {{"Content-Type", "text/plain"}, {"X-Two", "a"}, {"x-two", "b"}}, .body = "hi\xff\n"});
  CHECK(Bench().output("http", get(server)) ==
        Json{{"status", 201},
             {"headers", {{"content-type", "text/plain"}, {"content-length", "4"}, {"x-two", "a, b"}}},
             {"body", "hi\xef\xbf\xbd\n"},
             {"duration_ms", 0}});
}

TEST_CASE("a request carries who sends it, and nothing that was not asked for") {
  const HttpServer server(echo);
  Bench().output("http", get(server, {{"headers", {{"X-One", "1"}, {"X-Empty", ""}}}}));
  auto headers = server.asked().at(0).headers;
  CHECK(headers["user-agent"].starts_with("canorun/"));
  headers.erase("user-agent");
  headers.erase("host");
  CHECK(headers == std::map<std::string, std::string>{{"accept", "*/*"}, {"x-empty", ""}, {"x-one", "1"}});
}

TEST_CASE("a JSON body is parsed; what only says that it is JSON stays text") {
  const auto body = [](const char* type, const char* text) {
    const auto server = answering({.headers = {{"Content-Type", type}}, .body = text});
    return Bench().output("http", get(server)).at("body");
  };
  CHECK(body("application/json; charset=utf-8", R"({"a": [1, 2.5]})") == Json{{"a", {1, 2.5}}});
  CHECK(body("Application/Problem+JSON", "7") == Json(7));
  CHECK(body("application/json", "OK") == Json("OK"));
  CHECK(body("application/json", "") == Json());
  CHECK(body("text/plain", "7") == Json("7"));
  CHECK(body("text/plain", "") == Json(""));
}

TEST_CASE("what is sent decides the method, the body and its type") {
  const HttpServer server(echo);
  const auto sent = [&](Json params) {
    Bench().output("http", get(server, std::move(params)));
    HttpAsked asked = server.asked().back();
    return Json{asked.method, asked.headers["content-type"], asked.body};
  };
  CHECK(sent(Json::object()) == Json{"GET", "", ""});
  CHECK(sent({{"json", {{"a", 1}}}}) == Json{"POST", "application/json", R"({"a":1})"});
  CHECK(sent({{"json", nullptr}, {"method", "PUT"}}) == Json{"PUT", "application/json", "null"});
  CHECK(sent({{"form", {{"a b", "1&2"}, {"c", "ü"}}}}) ==
        Json{"POST", "application/x-www-form-urlencoded", "a%20b=1%262&c=%C3%BC"});
  CHECK(sent({{"body", "x"}}) == Json{"POST", "text/plain; charset=utf-8", "x"});
  CHECK(sent({{"body", "<a/>"}, {"headers", {{"content-type", "text/xml"}}}}) == Json{"POST", "text/xml", "<a/>"});
  CHECK(sent({{"method", "DELETE"}}) == Json{"DELETE", "", ""});
  CHECK(sent({{"method", "HEAD"}}) == Json{"HEAD", "", ""});
  CHECK(sent({{"method", "PUT"}}) == Json{"PUT", "", ""});
  CHECK(server.asked().back().headers.at("content-length") == "0");
}

TEST_CASE("query parameters are added to the url, encoded") {
  const HttpServer server(echo);
  const auto target = [&](const char* path, Json query) {
    return Bench().output("http", {{"url", server.url(path)}, {"query", std::move(query)}}).at("body").at("target");
  };
  CHECK(target("/a", {{"q", "x y&z=/?"}, {"n", 5}}) == "/a?n=5&q=x%20y%26z%3D%2F%3F");
  CHECK(target("/a?b=1", {{"q", "x"}}) == "/a?b=1&q=x");
  CHECK(target("/a?", {{"q", "x"}}) == "/a?q=x");
  CHECK(target("/a#part", {{"q", "x"}}) == "/a?q=x");
  CHECK(target("/a", Json::object()) == "/a");
}

TEST_CASE("POST and PATCH carry the idempotency key, unless the headers set one") {
  const HttpServer server(echo);
  const auto key_sent = [&](Json params) {
    Bench bench;
    bench.output("http", get(server, std::move(params)));
    auto headers = server.asked().back().headers;
    const std::string key = headers["idempotency-key"];
    return key == bench.context.idempotency_key() ? "its own" : key;
  };
  CHECK(key_sent({{"method", "POST"}}) == "its own");
  CHECK(key_sent({{"method", "PATCH"}, {"body", "x"}}) == "its own");
  CHECK(key_sent({{"method", "PUT"}, {"body", "x"}}) == "");
  CHECK(key_sent(Json::object()) == "");
  CHECK(key_sent({{"method", "POST"}, {"headers", {{"idempotency-KEY", "mine"}}}}) == "mine");
}

TEST_CASE("a status that is not expected fails, with what the answer said") {
  const auto server = answering({.status = 503, .body = "down for\nmaintenance\n"});
  auto error = Bench().error("http", get(server));
  CHECK(error.kind == "http_status");
  CHECK(error.message == "HTTP 503 from " + server.url("/x"));
  CHECK(error.stderr_tail == "down for\nmaintenance");
  CHECK(error.retry_after == Millis(0));
  CHECK(Bench().output("http", get(server, {{"expect", {200, "500-503"}}})).at("status") == 503);
  CHECK(Bench().output("http", get(server, {{"expect", {503}}})).at("body") == "down for\nmaintenance\n");
  CHECK(Bench().error("http", get(server, {{"expect", {"504-599", 200}}})).kind == "http_status");
}

TEST_CASE("an answer that is not expected is not read to its end") {
  const auto server = answering({.status = 500, .body = std::string(1 << 20, 'x'), .hang = true});
  CHECK(Bench().error("http", get(server)).stderr_tail == std::string(4096, 'x'));
}

TEST_CASE("Retry-After is seconds, or the time until a date") {
  const auto asked_to_wait = [](const char* value) {
    const auto server = answering({.status = 429, .headers = {{"Retry-After", value}}});
    return Bench().error("http", get(server)).retry_after;
  };
  // The manual clock stands at Mon, 23 Nov 2026 08:15:00 GMT.
  CHECK(asked_to_wait("7") == Millis(7000));
  CHECK(asked_to_wait("Mon, 23 Nov 2026 08:16:30 GMT") == Millis(90'000));
  CHECK(asked_to_wait("Mon, 23 Nov 2026 08:00:00 GMT") == Millis(0));
  CHECK(asked_to_wait("-5") == Millis(0));
  CHECK(asked_to_wait("soon") == Millis(0));
  CHECK(asked_to_wait("99999999999") == std::chrono::hours(365 * 24));
}

TEST_CASE("redirects are followed as browsers do, or shown") {
  const HttpServer server([](const HttpAsked& asked) -> HttpAnswer {
    if (asked.target == "/there") return echo(asked);
    return {.status = 302, .headers = {{"Location", "/there"}, {"X-On-The-Way", "1"}}, .body = "moved"};
  });
  const Json output = Bench().output("http", get(server, {{"body", "data"}}));
  CHECK(output.at("body") == Json{{"method", "GET"}, {"target", "/there"}, {"body", ""}});
  CHECK_FALSE(output.at("headers").contains("x-on-the-way"));
  const Json shown = Bench().output("http", get(server, {{"follow", false}, {"expect", {302}}}));
  CHECK(shown.at("headers").at("location") == "/there");
  CHECK(shown.at("body") == "moved");
  CHECK(Bench().error("http", get(server, {{"follow", false}})).message == "HTTP 302 from " + server.url("/x"));
}

TEST_CASE("a redirect that never ends, or leaves http, is an error") {
  const auto loop = answering({.status = 301, .headers = {{"Location", "/x"}}});
  auto error = Bench().error("http", get(loop));
  CHECK(error.kind == "task");
  CHECK(error.message == "GET " + loop.url("/x") + ": Maximum (10) redirects followed");
  const auto away = answering({.status = 301, .headers = {{"Location", "file:///etc/passwd"}}});
  error = Bench().error("http", get(away));
  CHECK(error.kind == "task");
  CHECK(error.message.find("file") != std::string::npos);
}

TEST_CASE("an answer above max_body fails") {
  const auto server = answering({.body = std::string(100, 'x')});
  CHECK(Bench().output("http", get(server, {{"max_body", 100}})).at("body") == std::string(100, 'x'));
  const auto error = Bench().error("http", get(server, {{"max_body", "99B"}}));
  CHECK(error.kind == "task");
  CHECK(error.message == "GET " + server.url("/x") + ": the answer is larger than 99 B (raise `max_body`)");
}

TEST_CASE("save_to writes the body to a file, whole or not at all") {
  const std::string content(300'000, 'x');
  const auto server = answering({.headers = {{"Content-Type", "application/json"}}, .body = content});
  Bench bench;
  std::ofstream(bench.context.folder() + "/file") << "old";
  const Json output = bench.output("http", get(server, {{"save_to", "file"}}));
  CHECK(output.at("body") == Json());
  CHECK((bench.read("file") == content));
  CHECK(files_in(bench.context.folder()) == std::vector<std::string>{"file"});

  Bench too_large;
  std::ofstream(too_large.context.folder() + "/file") << "old";
  CHECK(too_large.error("http", get(server, {{"save_to", "file"}, {"max_body", "200KiB"}})).kind == "task");
  CHECK(too_large.read("file") == "old");
  CHECK(files_in(too_large.context.folder()) == std::vector<std::string>{"file"});
}

TEST_CASE("save_to leaves the file alone when the answer is not expected, and empties it for an empty answer") {
  const auto broken = answering({.status = 500, .body = "no"});
  Bench bench;
  std::ofstream(bench.context.folder() + "/file") << "old";
  CHECK(bench.error("http", get(broken, {{"save_to", "file"}})).stderr_tail == "no");
  CHECK(bench.read("file") == "old");
  const auto empty = answering({.status = 204});
  Bench other;
  std::ofstream(other.context.folder() + "/file") << "old";
  other.output("http", get(empty, {{"save_to", other.context.folder() + "/file"}}));
  CHECK(other.read("file") == "");
}

TEST_CASE("a file that cannot be written fails, and says why") {
  const auto server = answering({.body = "x"});
  Bench bench;
  const auto error = bench.error("http", get(server, {{"save_to", "none/file"}}));
  CHECK(error.kind == "task");
  CHECK(error.message == fmt::format("GET {0}: cannot save to {1}/none/file: its folder does not exist (make it first, "
                                     "with `mkdir -p` in a `run` state)",
                                     server.url("/x"), bench.context.folder()));
}

TEST_CASE("what a killed attempt left beside the file is taken over") {
  const auto server = answering({.body = "new"});
  Bench bench;
  const std::string partial =
      fmt::format("{}/.canorun-{}.part", bench.context.folder(), bench.context.idempotency_key());
  std::ofstream(partial) << "half of an old answer";
  bench.output("http", get(server, {{"save_to", "file"}}));
  CHECK(bench.read("file") == "new");
  CHECK(files_in(bench.context.folder()) == std::vector<std::string>{"file"});
}

TEST_CASE("a server that cannot be reached is the task's failure; passwords are not shown") {
  const int port = test::unused_port();
  const auto error = Bench().error("http", {{"url", fmt::format("http://me:secret@127.0.0.1:{}/x", port)}});
  CHECK(error.kind == "task");
  CHECK(error.message.starts_with(fmt::format("GET http://***@127.0.0.1:{}/x: ", port)));
  CHECK(error.message.find("secret") == std::string::npos);
  CHECK(without_user("https://a@b/c@d") == "https://***@b/c@d");
  CHECK(without_user("https://b/c@d") == "https://b/c@d");
  CHECK(without_user("nothing") == "nothing");
}

TEST_CASE("an answer that breaks off is the task's failure") {
  auto server = std::make_unique<HttpServer>([](const HttpAsked&) { return HttpAnswer{.body = "half", .hang = true}; });
  Bench bench;
  bench.start(*Bench::make("http", get(*server)));
  bench.until([&] { return !server->asked().empty(); });
  server.reset();
  bench.until([&] { return bench.ended; });
  REQUIRE(bench.outcome_);
  CHECK(std::get<model::Failure>(*bench.outcome_).error.kind == "task");
}

TEST_CASE("a cancelled transfer drops its connection and leaves no file") {
  const auto server = answering({.body = std::string(100'000, 'x'), .hang = true});
  Bench bench;
  bench.start(*Bench::make("http", get(server, {{"save_to", "file"}})));
  bench.until([&] { return !files_in(bench.context.folder()).empty(); });
  CHECK(bench.cancel() == boost::asio::error::operation_aborted);
  bench.until([&] { return server.left() == 1; });
  CHECK(files_in(bench.context.folder()).empty());
}

TEST_CASE("a loop that goes away in the middle of a transfer takes it along") {
  const auto server = answering({.body = "half", .hang = true});
  {
    Bench bench;
    bench.start(*Bench::make("http", get(server)));
    bench.until([&] { return !server.asked().empty(); });
  }
  CHECK(server.connections() == 1);
}

TEST_CASE("a connection is used again") {
  const HttpServer server(echo);
  Bench bench;
  for (int i = 0; i < 3; ++i) {
    bench.ended = false;
    bench.output("http", get(server));
  }
  CHECK(server.connections() == 1);
}

TEST_CASE("many transfers run side by side") {
  const HttpServer server(echo);
  Bench bench;
  int ended = 0;
  std::vector<std::unique_ptr<model::Task>> tasks;
  for (int i = 0; i < 40; ++i) {
    tasks.push_back(*Bench::make("http", get(server, {{"body", std::string(10'000, 'x')}})));
    const auto done = [&](std::exception_ptr thrown, const model::Outcome& outcome) {
      if (!thrown && std::holds_alternative<model::Success>(outcome)) ++ended;
    };
    boost::asio::co_spawn(bench.io, tasks.back()->run(bench.context), done);
  }
  bench.until([&] { return ended == 40; });
  CHECK(server.asked().size() == 40);
}

TEST_CASE("parameters that do not fit together are refused") {
  CHECK(refused({{"url", "http://a"}, {"json", 1}, {"body", "x"}}).message ==
        "only one of `body`, `form` and `json` can be sent");
  CHECK(refused({{"url", "http://a"}, {"method", "HEAD"}, {"body", "x"}}).message == "HEAD cannot send anything");
  CHECK(refused({{"url", "http://a"}, {"method", "FETCH"}}).message ==
        "'FETCH' is not one of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
  CHECK(refused({{"url", "ftp://me:pw@a/b"}}).message == "'ftp://***' is no http:// or https:// url");
  CHECK(refused({{"url", "http://me:pw@a/b c"}}).message == "url 'http://***' holds blanks or control characters");
  CHECK(refused({{"url", "a/b"}}).message == "'a/b' is no http:// or https:// url");
  CHECK(refused({{"url", "http://a/b c"}}).message == "url 'http://a/b c' holds blanks or control characters");
  CHECK(refused({{"url", "http://a"}, {"headers", {{"X Y", "1"}}}}).message == "'X Y' cannot be the name of a header");
  CHECK(refused({{"url", "http://a"}, {"headers", {{"X", "1\r\nY: 2"}}}}).message == "header 'X' holds a line end");
  CHECK(check_http(Json::object()));
}

}  // namespace canorun::tasks
