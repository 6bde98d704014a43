#include "cli/command_line.h"

#include <doctest/doctest.h>

using namespace canorun;
using namespace canorun::cli;

namespace {

// The arguments of a verb that has one of each.
struct Everything {
  Options shared;
  CommandLine line{"run", shared};
  std::string flow;
  std::vector<std::string> inputs;
  std::optional<std::string> id;
  bool dry_run = false;
  std::size_t limit = 0;

  Everything() {
    line.required(flow, "FLOW", "the flow file");
    line.repeated(inputs, "-i,--input", "NAME=VALUE", "one input");
    line.option(id, "--id", "ID", "the run's id");
    line.flag(dry_run, "--dry-run", "say what would run");
    line.count(limit, "--limit", "N", "at most so many");
  }

  // What reading gave: nothing, or the message and its hint.
  std::string read(const std::vector<std::string>& arguments) {
    const auto done = line.read(arguments);
    if (done) return "";
    CHECK(done.error().kind == RefusalKind::kUsage);
    return done.error().message + "\n" + done.error().hint;
  }
};

}  // namespace

TEST_CASE("options may stand anywhere, and values may look like anything") {
  Everything all;
  CHECK(all.read({"-i", "a=[1,2]", "--json", "order.yaml", "--input=b=-3", "-i", "c=x y=z", "--id", "first", "--id=r-1",
                  "-v"}) == "");
  CHECK(all.flow == "order.yaml");
  CHECK(all.inputs == std::vector<std::string>{"a=[1,2]", "b=-3", "c=x y=z"});
  CHECK(all.id == "r-1");
  CHECK(all.shared.json);
  CHECK(all.shared.verbose);
  CHECK_FALSE(all.dry_run);
}

TEST_CASE("what follows -- is no option") {
  Everything all;
  CHECK(all.read({"--dry-run", "--", "--json"}) == "");
  CHECK(all.flow == "--json");
  CHECK(all.dry_run);
  CHECK_FALSE(all.shared.json);
}

TEST_CASE("an unknown option has the nearest one as a hint, whatever else is wrong") {
  CHECK(Everything().read({"order.yaml", "--dryrun"}) == "unknown option '--dryrun'\ndid you mean '--dry-run'?");
  CHECK(Everything().read({"--limt", "3", "order.yaml"}) == "unknown option '--limt'\ndid you mean '--limit'?");
  CHECK(Everything().read({"--limt=3"}) == "unknown option '--limt'\ndid you mean '--limit'?");
  CHECK(Everything().read({"order.yaml", "-x"}) == "unknown option '-x'\ncanorun run --help lists them");
}

TEST_CASE("an argument that takes several takes them all") {
  Options shared;
  CommandLine line("validate", shared);
  std::vector<std::string> files;
  bool strict = false;
  line.several(files, "FLOW", "flow files");
  line.flag(strict, "--strict", "warnings are errors");
  CHECK(line.usage() == "canorun validate FLOW… [OPTIONS]");
  REQUIRE(line.read({"a", "--strict", "b", "[c,d]", "--", "-x"}));
  CHECK(files == std::vector<std::string>{"a", "b", "[c,d]", "-x"});
  CHECK(strict);
}

TEST_CASE("arguments that are missing or too many are told with the usage") {
  CHECK(Everything().read({}) == "FLOW is missing\nusage: canorun run FLOW [OPTIONS]");
  CHECK(Everything().read({"a", "b"}) == "unexpected argument 'b'\nusage: canorun run FLOW [OPTIONS]");
}

TEST_CASE("values that do not fit are told") {
  CHECK(Everything().read({"a", "--limit", "many"}) == "--limit takes a number, not 'many'\n");
  CHECK(Everything().read({"a", "--limit", "-1"}) == "--limit takes a number, not '-1'\n");
  CHECK(Everything().read({"a", "--color", "alwys"}) == "--color cannot be 'alwys'\ndid you mean 'always'?");
  CHECK(Everything().read({"a", "--id"}) == "--id: 1 required ID missing\n");
}

TEST_CASE("help wins over what is wrong, and says all") {
  Everything all;
  CHECK(all.read({"--help", "--nonsense"}) == "");
  CHECK(all.line.wants_help());
  CHECK(all.line.help("Runs a flow.", "  canorun run order.yaml\n") == R"(Runs a flow.

Usage: canorun run FLOW [OPTIONS]

  FLOW  the flow file

Options:
  -i, --input NAME=VALUE  one input
      --id ID             the run's id
      --dry-run           say what would run
      --limit N           at most so many

Everywhere:
      --store DIR   where runs are kept; default: CANORUN_STORE, or ~/.local/state/canorun
      --json        print one JSON document on stdout
  -q, --quiet       print errors only
  -v, --verbose     also tell about attempts and what commands write
      --color WHEN  auto (default), always or never
  -h, --help        print this help

Example:
  canorun run order.yaml
)");
}

TEST_CASE("shared options may stand before the verb") {
  Options shared;
  CommandLine line("", shared);
  const auto rest = line.read_leading({"--store", "/s", "--json", "show", "r-1", "--quiet"});
  REQUIRE(rest);
  CHECK(*rest == std::vector<std::string>{"show", "r-1", "--quiet"});
  CHECK(shared.store == "/s");
  CHECK(shared.json);
  CHECK_FALSE(shared.quiet);
}
