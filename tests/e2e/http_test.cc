// The http kind of the real program, against a real server on the loopback interface.
#include <stdlib.h>

#include <atomic>
#include <chrono>

#include "canorun.h"
#include "support/http_server.h"

using namespace canorun;
using namespace canorun::test;

namespace {

// A proxy of the caller's would stand between.
const int kNoProxy = ::setenv("no_proxy", "127.0.0.1", 1);

// A flow of one request to `url`, whose output is that of the request, or its error.
std::string asking(const std::string& url, const std::string& parameters, const std::string& keys = "") {
  return "name: asking\nstates:\n  ask:\n    task: http\n    with: {url: '" + url + "'" + parameters + "}\n" + keys +
         "    next: done\n    on_error: caught\n"
         "  caught: {exit: failure, output: '${{ states.ask.error }}'}\n"
         "  done: {exit: success, output: '${{ states.ask.output }}'}\n";
}

}  // namespace

TEST_CASE("a POST is sent again with the same idempotency key, after the time that the server asked for") {
  std::atomic<int> count = 0;
  const HttpServer server([&](const HttpAsked&) -> HttpAnswer {
    if (count++ == 0) return {.status = 503, .headers = {{"Retry-After", "1"}}, .body = "busy\n"};
    return {.headers = {{"Content-Type", "application/json"}}, .body = R"json({"charge": 7})json"};
  });
  const World world;
  const std::string flow = world.file("flow.yaml", asking(server.url("/charge"), ", method: POST, json: {order: A1}",
                                                          "    retry: {max: 2, delay: 1ms}\n"));
  const auto begin = std::chrono::steady_clock::now();
  const Json run = world.json({"run", flow, "--id", "r1"});
  CHECK(std::chrono::steady_clock::now() - begin >= std::chrono::seconds(1));
  REQUIRE(run["status"] == "succeeded");
  CHECK(run["states"]["ask"]["attempts"] == 2);
  CHECK(run["output"]["status"] == 200);
  CHECK(run["output"]["body"] == Json{{"charge", 7}});
  CHECK(run["output"]["headers"]["content-type"] == "application/json");

  const auto asked = server.asked();
  REQUIRE(asked.size() == 2);
  for (const HttpAsked& each : asked) {
    CHECK(each.method == "POST");
    CHECK(each.target == "/charge");
    CHECK(each.headers.at("content-type") == "application/json");
    CHECK(each.body == R"json({"order":"A1"})json");
  }
  const std::string key = asked[0].headers.at("idempotency-key");
  CHECK(!key.empty());
  CHECK(asked[1].headers.at("idempotency-key") == key);
  REQUIRE(world.canorun({"run", flow, "--id", "r2"}).code == 0);
  CHECK(server.asked()[2].headers.at("idempotency-key") != key);
}

TEST_CASE("a POST that was cut off is sent again by a resume with the same idempotency key") {
  const HttpServer server([](const HttpAsked&) -> HttpAnswer { return {.body = "ok"}; });
  const World world;
  const std::string flow = world.file("flow.yaml", asking(server.url("/charge"), ", method: POST"));
  REQUIRE(world.canorun({"run", flow, "--id", "r1"}, {{"CANORUN_CRASH", "before:2"}}).signal == SIGKILL);
  CHECK(world.canorun({"resume", "r1"}).code == 0);
  const auto asked = server.asked();
  REQUIRE(asked.size() == 2);
  CHECK(!asked[0].headers.at("idempotency-key").empty());
  CHECK(asked[0].headers.at("idempotency-key") == asked[1].headers.at("idempotency-key"));
}

TEST_CASE("a GET carries no idempotency key, and its query arrives decoded once") {
  const HttpServer server([](const HttpAsked&) -> HttpAnswer { return {.body = "text"}; });
  const World world;
  const std::string flow = world.file("flow.yaml", asking(server.url("/find"), ", query: {q: 'a b&c=\"ü\"'}"));
  CHECK(world.json({"run", flow})["output"]["body"] == "text");
  REQUIRE(server.asked().size() == 1);
  CHECK(server.asked()[0].method == "GET");
  CHECK(server.asked()[0].target == "/find?q=a%20b%26c%3D%22%C3%BC%22");
  CHECK(!server.asked()[0].headers.contains("idempotency-key"));
}

TEST_CASE("an answer goes to a file, whole or not at all") {
  const std::string body(300'000, 'b');
  std::atomic<bool> cut = true;
  const HttpServer server([&](const HttpAsked&) -> HttpAnswer { return {.body = body, .hang = cut}; });
  const World world;
  const std::string flow =
      world.file("flow.yaml", asking(server.url("/file"), ", save_to: answer.bin", "    timeout: 500ms\n"));
  CHECK(world.json({"run", flow})["output"]["kind"] == "timeout");
  CHECK(!std::filesystem::exists(world.folder() + "/answer.bin"));
  cut = false;
  const Json output = world.json({"run", flow})["output"];
  CHECK(output["status"] == 200);
  CHECK(output["body"].is_null());
  CHECK(read_file(world.folder() + "/answer.bin") == body);
  auto files = read_tree(world.folder());
  std::erase_if(files, [](const auto& file) { return file.first.starts_with("store/"); });
  CHECK(files.size() == 2);  // the flow and the answer: no half of one is left
}

TEST_CASE("a status that is not expected fails with the status, the url and what the server said") {
  const HttpServer server([](const HttpAsked&) -> HttpAnswer { return {.status = 404, .body = "no such order\n"}; });
  const World world;
  const std::string flow = world.file("flow.yaml", R"yaml(
name: asking
states:
  ask: {task: http, with: {url: "URL"}, next: done}
  done: {exit: success}
)yaml");
  world.file("flow.yaml", read_file(flow).replace(read_file(flow).find("URL"), 3, server.url("/orders/1")));
  const Ran ran = world.canorun({"run", flow, "--id", "r1"});
  CHECK(ran.code == 1);
  CHECK(ran.err.ends_with("error: HTTP 404 from " + server.url("/orders/1") +
                          "\n  where: state ask, attempt 1\n  the server said:\n    | no such order\n"
                          "  rolled back: nothing, as nothing was owed\n"
                          "next:\n  canorun resume r1  # tries again from ask\n"));
}

TEST_CASE("a server that is not there fails with the address and the reason") {
  const int port = unused_port();
  const World world;
  const std::string url = "http://127.0.0.1:" + std::to_string(port) + "/x";
  const Json error = world.json({"run", world.file("flow.yaml", asking(url, ""))})["output"];
  CHECK(error["kind"] == "task");
  const std::string message = error["message"];
  INFO(message);
  CHECK(message.starts_with("GET " + url + ": "));
  CHECK(message.find("Failed to connect to 127.0.0.1 port " + std::to_string(port)) != std::string::npos);
}
