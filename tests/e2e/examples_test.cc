// The shipped examples: each does what its header says, and survives a kill at every row.
#include "support/http_server.h"
#include "sweep.h"

using namespace canorun;
using namespace canorun::test;

namespace {

std::string example(const std::string& name) { return std::string(CANORUN_SOURCE_DIR) + "/workflows/examples/" + name; }

// Fixed times make archives of the same files the same bytes.
void run_in(const World& world, const std::string& script) {
  const Ran ran = run_program({{"sh", "-euc", script}, {}, world.folder()});
  INFO(ran.err);
  REQUIRE(ran.code == 0);
}

const char* const kSite =
    "mkdir -p site/v1 site/v2 www/releases; echo one > site/v1/index; echo two > site/v2/index;"
    "cp -R site/v1 www/releases/v1; ln -s releases/v1 www/current";

}  // namespace

TEST_CASE("an order is booked once, whatever happens on the way") {
  CHECK(sweep({.flow = example("order.yaml"),
               .inputs = {"order_id=A1", "ledger={world}/ledger", "packing=10ms"},
               .compare = {"ledger"}}) == 12);
  const World world;
  const Json run = world.json({"run", example("order.yaml"), "--id", "r1", "-i", "order_id=A1", "-i", "packing=0s",
                               "-i", "ledger=" + world.folder()});
  CHECK(run["status"] == "succeeded");
  CHECK(run["output"]["ledger"] == Json{"reserve 1044232938", "charge 42.0 EUR", "ship T-479795916"});
}

TEST_CASE("an order that the bank refuses is released, and one of nothing is refused before any booking") {
  CHECK(sweep({.flow = example("order.yaml"),
               .inputs = {"order_id=A2", "amount=6000", "ledger={world}/ledger"},
               .compare = {"ledger"}}) >= 8);
  const World world;
  const auto order = [&](const std::string& amount) {
    return world.json({"run", example("order.yaml"), "-i", "order_id=A2", "-i", "amount=" + amount, "-i", "packing=0s",
                       "-i", "ledger=" + world.folder() + "/ledger"});
  };
  CHECK(order("6000")["state"] == "refused");
  const std::string ledger = read_file(world.folder() + "/ledger/ledger");
  CHECK(std::count(ledger.begin(), ledger.end(), '\n') == 2);
  CHECK(order("0")["state"] == "refused");
  CHECK(read_file(world.folder() + "/ledger/ledger") == ledger);
  CHECK(order("2000")["path"] ==
        Json{"check", "reserve", "charge", "size", "review", "pack", "ship", "statement", "done"});
}

TEST_CASE("words are counted file by file") {
  CHECK(sweep({.flow = example("word_count.yaml")}) == 12);
  const World world;
  const Json output = world.json({"run", example("word_count.yaml")})["output"];
  CHECK(output["files"] == Json{"./crow.txt", "./fox.txt", "./hare.txt"});
  CHECK(output["top"].size() == 3);
  CHECK(world.json({"run", example("word_count.yaml"), "-i", "pattern=*.none"})["state"] == "empty");
}

TEST_CASE("a release that is well goes live, and one that is not gives way to the one before") {
  HttpServer well([](const HttpAsked&) { return HttpAnswer{.status = 200, .body = "ok"}; });
  HttpServer ill([](const HttpAsked&) { return HttpAnswer{.status = 503, .body = "no database"}; });
  const auto deploy = [&](const HttpServer& service) {
    return SweepCase{.flow = example("deploy.yaml"),
                     .inputs = {"release={world}/site/v2", "target={world}/www", "url=" + service.url("/health")},
                     .compare = {"www"},
                     .prepare = [](const World& world) { run_in(world, kSite); }};
  };
  CHECK(sweep(deploy(well)) == 10);
  const World world;
  run_in(world, kSite);
  const auto arguments = [&](const HttpServer& service) {
    return std::vector<std::string>{"run", example("deploy.yaml"),
                                    "-i",  "release=" + world.folder() + "/site/v2",
                                    "-i",  "target=" + world.folder() + "/www",
                                    "-i",  "url=" + service.url("/health")};
  };
  const Json failed = world.json(arguments(ill));
  CHECK(failed["output"] == Json{{"live", "releases/v1"}, {"release", "v2"}});
  CHECK(read_tree(world.folder() + "/www")["current"] == "-> releases/v1");
  CHECK(world.json(arguments(well))["output"] == Json{{"previous", "releases/v1"}, {"release", "v2"}});
  CHECK(read_tree(world.folder() + "/www")["current"] == "-> releases/v2");
}

TEST_CASE("a backup is verified, and the oldest ones go") {
  const char* const files =
      "mkdir -p data/sub into; echo a > data/a; echo b > data/sub/b; touch -d @0 data/a data/sub/b data/sub data;"
      "for day in 1 2 3; do echo old > into/backup-$day.tar.gz; touch -d @$day into/backup-$day.tar.gz; done; echo "
      "mine > into/note";
  const SweepCase backup{.flow = example("backup.yaml"),
                         .inputs = {"folder={world}/data", "into={world}/into", "keep=2"},
                         .compare = {"data", "into"},
                         .prepare = [files](const World& world) { run_in(world, files); }};
  CHECK(sweep(backup) == 10);
  const World world;
  run_in(world, files);
  const Json run =
      world.json({"run", example("backup.yaml"), "--id", "today", "-i", "folder=" + world.folder() + "/data", "-i",
                  "into=" + world.folder() + "/into", "-i", "keep=2"});
  CHECK(run["output"] == Json{{"archive", world.folder() + "/into/backup-today.tar.gz"},
                              {"files", 2},
                              {"kept", {"backup-today.tar.gz", "backup-3.tar.gz"}}});
  CHECK(read_tree(world.folder() + "/into").size() == 3);
  run_in(world, "mkdir nothing");
  CHECK(world.json({"run", example("backup.yaml"), "--id", "empty", "-i", "folder=" + world.folder() + "/nothing", "-i",
                    "into=" + world.folder() + "/into"})["state"] == "failed");
  CHECK(read_tree(world.folder() + "/into").size() == 3);
}
