// `canorun health`: probes of real services, and of commands that are stopped.
#include <algorithm>
#include <atomic>
#include <csignal>

#include "canorun.h"
#include "support/http_server.h"

using namespace canorun;
using namespace canorun::test;

namespace {

const char* const kSite = R"yaml(
name: site
inputs: {url: string}
resources:
  services:
    files: {setup: {run: 'echo set up >> trace'}, teardown: {run: 'echo torn down >> trace'}}
    search: {health: {task: http, with: {url: "${{ inputs.url }}/search"}, retry: {max: 1, delay: 1ms}}}
    web: {health: {task: http, with: {url: "${{ inputs.url }}/web"}}}
states:
  done: {exit: success}
)yaml";

// Its second probe is this script.
std::string holding(const std::string& script) {
  return R"yaml(
name: holding
resources:
  services:
    first: {health: {run: 'true'}}
    second: {health: {run: ')yaml" +
         script + R"yaml('}}
    third: {health: {run: 'touch third'}}
states:
  done: {exit: success}
)yaml";
}

// A site of which `search` may be down.
struct Site {
  std::atomic<bool> is_down{true};
  HttpServer server{[this](const HttpAsked& asked) {
    if (asked.target == "/search" && is_down) return HttpAnswer{.status = 503, .body = "no index\n"};
    return HttpAnswer{.body = "fine\n"};
  }};
  std::string input() const { return "url=" + server.url(""); }
  std::vector<std::string> asked() const {
    std::vector<std::string> targets;
    for (const HttpAsked& one : server.asked()) targets.push_back(one.target);
    return targets;
  }
};

}  // namespace

TEST_CASE("health asks each service that has a probe, sets up none, and keeps nothing") {
  const World world;
  Site site;
  world.file("site.yaml", kSite);
  const Ran sick = world.canorun({"health", "site.yaml", "-i", site.input(), "--json"});
  CHECK(sick.code == 1);
  auto document = parse_json(sick.out);
  REQUIRE(document);
  for (Json& service : (*document)["services"]) {
    CHECK(service["duration_ms"].is_null() == (service["name"] == "files"));
    service.erase("duration_ms");
    if (service.contains("error")) service["error"].erase("message");
  }
  CHECK(*document ==
        Json{{"flow", "site"},
             {"healthy", false},
             {"services",
              {{{"name", "files"}, {"status", "none"}},
               {{"name", "search"},
                {"status", "unhealthy"},
                {"error", {{"kind", "http_status"}, {"state", "services.search.health"}, {"attempts", 2}}}},
               {{"name", "web"}, {"status", "healthy"}}}}});
  CHECK(site.asked() == std::vector<std::string>{"/search", "/search", "/web"});
  CHECK(!exists(world.folder() + "/trace"));
  CHECK(!exists(world.store()));
}

TEST_CASE("health is a table on stdout, with what failed on stderr, and all is well once the service is") {
  const World world;
  Site site;
  world.file("site.yaml", kSite);
  const Ran sick = world.canorun({"health", "site.yaml", "-i", site.input()});
  CHECK(sick.code == 1);
  CHECK(sick.out.starts_with("SERVICE  HEALTH     TIME\nfiles    none\nsearch   unhealthy "));
  CHECK(sick.out.find("\nweb      healthy ") != std::string::npos);
  CHECK(sick.err.starts_with("services.search.health: started\nservices.search.health: attempt 1 of 2 failed: "));
  CHECK(sick.err.find("\nerror: service 'search' is unhealthy after 2 attempts: ") != std::string::npos);
  CHECK(sick.err.ends_with("  the server said:\n    | no index\n"));
  const Ran quiet = world.canorun({"health", "site.yaml", "-i", site.input(), "--quiet"});
  CHECK(quiet.code == 1);
  CHECK(quiet.out == "");
  CHECK(quiet.err.starts_with("error: service 'search' is unhealthy after 2 attempts: "));
  site.is_down = false;
  CHECK(world.canorun({"health", "site.yaml", "-i", site.input()}).code == 0);
  CHECK(said(world, {"health", "site.yaml", "-i", site.input(), "--quiet"}) == "0\n");
  CHECK(world.json({"health", "site.yaml", "-i", site.input()})["healthy"] == true);
}

TEST_CASE("health of a flow or of inputs that are wrong asks nothing") {
  const World world;
  world.file("site.yaml", kSite);
  world.file("bad.yaml", "name: bad\nstates:\n  a: {run: 'true', next: dnoe}\n  done: {exit: success}\n");
  world.file("env.yaml",
             "name: env\ninputs: {n: int}\nenv: {SHARE: '${{ 100 / inputs.n }}'}\n"
             "resources: {services: {a: {health: {run: 'touch asked'}}}}\nstates: {done: {exit: success}}\n");
  CHECK(said(world, {"health", "site.yaml"}) ==
        "2\nerror: input 'url' is missing (string)\nhint: give it with -i url=…\n");
  CHECK(world.canorun({"health", "bad.yaml"}).code == 2);
  CHECK(said(world, {"health", "env.yaml", "-i", "n=0"}) == "2\nerror: env.SHARE: division by zero\n");
  CHECK(world.json({"health", "env.yaml", "-i", "n=0"})["error"]["kind"] == "invalid_inputs");
  CHECK(!exists(world.folder() + "/asked"));
}

TEST_CASE("the environment that defaults give to every command is a probe's, too") {
  const World world;
  world.file("flow.yaml", R"yaml(
name: defaults
inputs: {port: {type: int, default: 80}}
vars: {next: "${{ inputs.port + 1 }}"}
env: {PORT: "${{ inputs.port }}"}
defaults: {env: {NEXT: "${{ vars.next }}", VISITS: "${{ states.done.visits }}", FLOW: "${{ run.flow }}"}}
resources: {services: {a: {health: {run: 'echo "$PORT $NEXT $VISITS $FLOW" > seen'}}}}
states: {done: {exit: success}}
)yaml");
  CHECK(world.canorun({"health", "flow.yaml"}).code == 0);
  CHECK(read_file(world.folder() + "/seen") == "80 81 0 defaults\n");
}

TEST_CASE("a flow without services is healthy, and says that it has none") {
  const World world;
  world.file("flow.yaml", "name: plain\nstates: {done: {exit: success}}\n");
  CHECK(said(world, {"health", "flow.yaml"}) == "0\nflow 'plain' has no services\n");
  CHECK(world.json({"health", "flow.yaml"}) == Json{{"flow", "plain"}, {"healthy", true}, {"services", Json::array()}});
}

TEST_CASE("Ctrl-C and what a machine sends that goes down end the probe that works, and health with it") {
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    CAPTURE(number);
    const World world;
    world.file("holding.yaml", holding("touch began; exec sleep 1000.25"));
    Program program(world.command({"health", "holding.yaml", "--json"}));
    REQUIRE(eventually([&] { return exists(world.folder() + "/began"); }));
    program.signal(number);
    const Ran ran = program.wait();
    CHECK(ran.code == 5);
    CHECK(ran.out == R"({"error":{"kind":"cancelled","message":"interrupted when 1 of 3 probes had ended"}})"
                     "\n");
    CHECK(ran.err.find("\nhealth: cancelling: SIG") != std::string::npos);
    CHECK(processes_with("1000.25") == 0);
    CHECK(!exists(world.folder() + "/third"));
    CHECK(!exists(world.store()));
  }
}

TEST_CASE("a second Ctrl-C does not wait for a probe that does not end") {
  const World world;
  world.file("holding.yaml",
             holding(R"(trap "" TERM; touch began; while [ ! -e end ]; do sleep 0.02 || :; done # 1000.75)"));
  Program program(world.command({"health", "holding.yaml"}));
  REQUIRE(eventually([&] { return exists(world.folder() + "/began"); }));
  program.signal(SIGINT);
  REQUIRE(eventually([&] { return program.err().find("health: cancelling: SIGINT") != std::string::npos; }));
  program.signal(SIGINT);
  const Ran ran = program.wait();
  CHECK(ran.code == 5);
  INFO(ran.err);
  CHECK(ran.err.ends_with("error: left at once\n"));
  world.file("end", "");
  CHECK(eventually([] { return processes_with("1000.75") == 0; }));
}
