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

TEST_CASE("an order that cannot go on is rolled back, and one of nothing is refused before any booking") {
  const auto failing = [](const std::string& input) {
    return SweepCase{.flow = example("order.yaml"),
                     .inputs = {"order_id=A2", "packing=10ms", "ledger={world}/ledger", input},
                     .compare = {"ledger"}};
  };
  CHECK(sweep(failing("amount=6000")) == 9);
  CHECK(sweep(failing("city=Atlantis")) == 13);
  const World world;
  const auto order = [&](const std::string& input) {
    return world.canorun({"run", example("order.yaml"), "--id", input.substr(input.find('=') + 1), "--json", "-i",
                          "order_id=A2", "-i", input, "-i", "packing=0s", "-i", "ledger=" + world.folder()});
  };
  // What was booked by a run, without the details and keys.
  const auto booked = [&](const std::string& id) {
    return run_program(
               {{"awk", "-F", "\t", "-v", "run=" + id, "$1 == run { printf \"%s \", $3 }", world.folder() + "/ledger"}})
        .out;
  };
  CHECK(order("amount=6000").code == 3);
  CHECK(booked("6000") == "reserve release ");
  CHECK(order("city=Atlantis").code == 3);
  CHECK(booked("Atlantis") == "reserve charge refund release ");
  CHECK(world.json({"show", "Atlantis"})["status"] == "rolled_back");
  CHECK(order("amount=0").code == 1);
  CHECK(booked("0").empty());
  CHECK(world.json({"show", "0"})["state"] == "refused");
  CHECK(order("amount=2000").code == 0);
  CHECK(world.json({"show", "2000"})["path"] ==
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

TEST_CASE("a file is taken if the first two mirrors to answer agree on it") {
  const char* const mirrors = "mkdir a b old; echo 2.0 | tee a/app >b/app; echo 1.0 >old/app";
  const auto inputs = [](const World& world, const std::vector<std::string>& names) {
    Json folders = Json::array();
    for (const std::string& name : names) folders.push_back(world.folder() + "/" + name);
    return std::vector<std::string>{
        "run", example("mirrors.yaml"),           "-i", "file=app", "-i", "into=" + world.folder() + "/into/app",
        "-i",  "mirrors=" + to_json_text(folders)};
  };
  CHECK(sweep({.flow = example("mirrors.yaml"),
               .inputs = {"file=app", "into={world}/into/app", R"(mirrors=["{world}/a", "{world}/b"])"},
               .compare = {"into"},
               .prepare = [mirrors](const World& world) { run_in(world, mirrors); }}) == 8);
  const World world;
  run_in(world, mirrors);
  const std::string into = world.folder() + "/into";
  const std::string sum = "d526eb4e878a23ef26ae190031b4efd2d58ed66789ac049ea3dbaf74c9df7402";
  CHECK(world.json(inputs(world, {"gone", "a", "b"}))["output"] == Json{{"file", into + "/app"}, {"sha256", sum}});
  CHECK(read_tree(into) == std::map<std::string, std::string>{{"app", "2.0\n"}});
  const Json differ = world.json(inputs(world, {"a", "old"}));
  CHECK(differ["state"] == "differ");
  CHECK(differ["output"] == Json{{"why", world.folder() + "/a and " + world.folder() + "/old hold different files"}});
  const Json few = world.json(inputs(world, {"a", "gone"}));
  CHECK(few["state"] == "too_few");
  CHECK(few["output"] == Json{{"why",
                               "the join 'quorum' can no longer be satisfied: 1 of 2 branches failed: "
                               "1 (exit code 2)"}});
}

TEST_CASE("texts that cannot be converted are named, and hold up no other") {
  const char* const texts =
      "mkdir -p texts/sub wrong; printf 'caf\\351\\n' | tee texts/latin.txt >wrong/latin.txt;"
      "printf 'caf\\303\\251\\n' >texts/utf8.txt; echo plain >texts/sub/plain.txt; echo other >texts/other.md";
  const std::vector<std::string> inputs{"folder={world}/texts", "to=UTF-16LE", "into={world}/into"};
  CHECK(sweep({.flow = example("convert.yaml"),
               .inputs = inputs,
               .compare = {"into"},
               .prepare = [texts](const World& world) { run_in(world, texts); }}) == 11);
  const World world;
  run_in(world, texts);
  const auto convert = [&](const std::string& folder) {
    return world.json({"run", example("convert.yaml"), "-i", "folder=" + world.folder() + "/" + folder, "-i",
                       "into=" + world.folder() + "/into"});
  };
  CHECK(convert("texts")["output"] == Json{{"converted", 2}, {"failed", {"./latin.txt"}}});
  CHECK(read_tree(world.folder() + "/into") ==
        std::map<std::string, std::string>{{"utf8.txt", "caf\303\251\n"}, {"sub/plain.txt", "plain\n"}});
  const Json wrong = convert("wrong");
  CHECK(wrong["state"] == "wrong");
  CHECK(wrong["output"] == Json{{"why", "1 of 1 items failed, and 1 must succeed: 0 (exit code 1)"}});
  CHECK(world.json({"run", example("convert.yaml"), "-i", "into=" + world.folder() + "/again"})["output"] ==
        Json{{"converted", 3}, {"failed", Json::array()}});
}

TEST_CASE("a service's errors are listed once, and the next run goes on behind them") {
  const char* const log = R"sh(
mkdir list
for i in $(seq 249); do
  level=info
  [ $((i % 100)) -ne 0 ] || level=error
  echo '{"time": "t'$i'", "level": "'$level'", "message": "m'$i'"}'
done >log
echo 'no JSON' >>log
echo '{"message": "no level"}' >>log
echo '{"level": "stop"}' >>log
)sh";
  CHECK(sweep({.flow = example("errors.yaml"),
               .inputs = {"log={world}/log", "list={world}/list/errors"},
               .compare = {"list"},
               .prepare = [log](const World& world) { run_in(world, log); }}) == 7);
  const World world;
  run_in(world, log);
  const auto errors_from = [&](std::uint64_t from) {
    return world.json({"run", example("errors.yaml"), "-i", "log=" + world.folder() + "/log", "-i",
                       "list=" + world.folder() + "/list/errors", "-i", "from=" + std::to_string(from)})["output"];
  };
  const std::uint64_t stopped = read_file(world.folder() + "/log").size();
  CHECK(errors_from(0) == Json{{"lines", 250}, {"from", stopped}});
  CHECK(read_file(world.folder() + "/list/errors") == "t100 m100\nt200 m200\n");
  run_in(world, "echo '{\"level\": \"error\"}' >>log; echo '{\"level\": \"stop\"}' >>log");
  CHECK(errors_from(stopped) == Json{{"lines", 2}, {"from", read_file(world.folder() + "/log").size()}});
  CHECK(read_file(world.folder() + "/list/errors") == "t100 m100\nt200 m200\nat some time no message\n");
}
