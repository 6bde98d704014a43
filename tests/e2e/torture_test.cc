// A flow is killed at every row: what is not safe to run twice is found, and what is safe passes.
#include "canorun.h"

using namespace canorun;
using namespace canorun::test;

namespace {

// Charges twice when it is cut off in `charge`.
const char* const kPay = R"yaml(
name: pay
inputs: {order: string}
states:
  charge: {run: 'echo "${{ inputs.order }}" >> ledger', next: tell}
  tell: {run: 'echo "paid at $(date +%N)" > told', next: done}
  done: {exit: success, output: {order: "${{ inputs.order }}"}}
)yaml";

// What torture leaves in the folder for temporary files.
std::size_t left_in(const std::string& folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

// A world with a folder `flow` for what is copied, and one for temporary files, which is empty at the end.
class Cellar {
 public:
  Cellar() {
    std::filesystem::create_directory(world.folder() + "/tmp");
    std::filesystem::create_directory(world.folder() + "/flow");
  }
  ~Cellar() { CHECK(left_in(world.folder() + "/tmp") == 0); }

  Start command(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "torture");
    return world.command(std::move(arguments), {{"TMPDIR", world.folder() + "/tmp"}});
  }
  Ran torture(std::vector<std::string> arguments) const { return run_program(command(std::move(arguments))); }
  Json json(std::vector<std::string> arguments) const {
    arguments.emplace_back("--json");
    const Ran ran = torture(std::move(arguments));
    INFO(ran.err);
    auto parsed = parse_json(ran.out);
    REQUIRE(parsed);
    return *parsed;
  }
  void copy_examples() const {
    std::filesystem::copy(CANORUN_SOURCE_DIR "/workflows/examples", world.folder() + "/flow",
                          std::filesystem::copy_options::recursive | std::filesystem::copy_options::overwrite_existing);
  }

  World world;
};

// The differences by what was cut off, each with its first kill.
std::map<std::string, std::vector<std::string>> findings(const Json& report) {
  std::map<std::string, std::vector<std::string>> out;
  for (const Json& finding : report["findings"]) {
    auto& texts = out[finding["at"].get<std::string>() + " " + to_text(finding["step"])];
    for (const Json& difference : finding["differences"]) texts.push_back(difference["text"]);
  }
  return out;
}

using Findings = std::map<std::string, std::vector<std::string>>;

}  // namespace

TEST_CASE("a step that is not safe to run twice is found, and is named with what it did twice") {
  const Cellar cellar;
  cellar.world.file("flow/pay.yaml", kPay);
  const Ran ran = cellar.torture({"flow/pay.yaml", "-i", "order=A1"});
  CHECK(ran.code == 1);
  CHECK(ran.out ==
        "step 'charge' is not safe to run twice:\n"
        "  file ledger has 2 lines instead of 1\n"
        "  when it is killed before row 2 (state_ended charge), before row 3 (state_entered tell)\n"
        "not compared, as it differs from run to run: the content of told, but for the number of its lines\n"
        "pay: 2 of 12 kills came to another end than when it is left alone: succeeded at done\n"
        "next:\n"
        "  let such a step find out what it has done already: by what it leaves, or by CANORUN_IDEMPOTENCY_KEY,\n"
        "  which is the same whenever it is run again\n");
  CHECK(ran.err.starts_with("pay is run again and again, in copies of " + cellar.world.folder() +
                            "/flow; what it does elsewhere is done each time\n"
                            "1 of 12: killed before row 0 (run_started): the same end\n"));
  CHECK(ran.err.ends_with("12 of 12: killed after row 5 (run_ended done): the same end\n"));
  CHECK(left_in(cellar.world.folder() + "/flow") == 1);
}

TEST_CASE("the report as JSON") {
  const Cellar cellar;
  cellar.world.file("flow/pay.yaml", kPay);
  Json report = cellar.json({"flow/pay.yaml", "-i", "order=A1", "--compare", "ledger"});
  CHECK(report["whole"].erase("duration_ms") == 1);
  const Json expected = Json::parse(R"json({
    "flow": "pay", "version": 0, "kills": 12, "same": 10, "unkilled": 0, "left_out": [],
    "whole": {"status": "succeeded", "state": "done", "output": {"order": "A1"}, "error": null},
    "findings": [{
      "at": "work", "step": "charge", "services": false,
      "differences": [{"what": "file", "name": "ledger", "text": "file ledger has 2 lines instead of 1"}],
      "kills": [{"point": "before", "run": null, "row": 2, "what": "state_ended charge"},
                {"point": "before", "run": null, "row": 3, "what": "state_entered tell"}]}]})json");
  CHECK(report == expected);
}

TEST_CASE("a step that was mended passes: by what it left, or by its key") {
  const Cellar cellar;
  const std::string append = R"(echo "${{ inputs.order }}" >> ledger)";
  for (const char* mended : {
           R"([ -e ledger ] || echo "${{ inputs.order }}" > ledger)",
           R"(grep -qs "$CANORUN_IDEMPOTENCY_KEY" ledger || echo "$CANORUN_IDEMPOTENCY_KEY" >> ledger)",
           R"(mkdir -p "paid/$CANORUN_IDEMPOTENCY_KEY")",
       }) {
    CAPTURE(mended);
    cellar.world.file("flow/pay.yaml", replaced(kPay, append, mended));
    const Ran ran = cellar.torture({"flow/pay.yaml", "-i", "order=A1"});
    CHECK(ran.code == 0);
    CHECK(ran.out ==
          "not compared, as it differs from run to run: the content of told, but for the number of its lines\n"
          "pay: all 12 kills came to the same end: succeeded at done\n");
  }
  const Ran quiet = cellar.torture({"flow/pay.yaml", "-i", "order=A1", "-q"});
  CHECK(quiet.code == 0);
  CHECK(quiet.out + quiet.err == "");
}

TEST_CASE("the shipped examples pass, and a line that is planted in one of them is found") {
  const Cellar cellar;
  cellar.copy_examples();
  const auto example = [&](const std::string& name, std::vector<std::string> more) {
    more.insert(more.begin(), "flow/" + name);
    const Json report = cellar.json(std::move(more));
    CAPTURE(name);
    CHECK(findings(report) == Findings{});
    CHECK(report["left_out"] == Json::array());
    CHECK(report["kills"] == report["same"]);
    CHECK(report["kills"] >= 8);
  };
  example("word_count.yaml", {});
  example("order.yaml", {"-i", "order_id=A1", "-i", "ledger=ledger", "-i", "packing=0s"});
  example("errors.yaml", {"-i", "list=list"});
  example("pages.yaml", {"-i", "pages=pages"});

  const std::string pages = cellar.world.folder() + "/flow/pages.yaml";
  write_file(pages, replaced(read_file(pages), "run: 'mkdir", "run: 'echo begun >> trace && mkdir"));
  CHECK(findings(cellar.json({"flow/pages.yaml", "-i", "pages=pages", "-i", "lines=100"})) ==
        Findings{{"work prepare", {"file trace has 2 lines instead of 1"}}});
}

TEST_CASE("what differs only later on is no finding: a clock that stood still in the first runs") {
  const Cellar cellar;
  const std::string count = cellar.world.folder() + "/count";
  // Every run appends: those behind the sixth are later.
  cellar.world.file("flow/clock.yaml", R"yaml(
name: clock
inputs: {count: string}
states:
  look:
    run: 'echo x >> "$COUNT"; [ "$(wc -l < "$COUNT")" -gt 6 ] && echo late > hour || echo early > hour'
    env: {COUNT: "${{ inputs.count }}"}
    next: done
  done: {exit: success}
)yaml");
  const Json report = cellar.json({"flow/clock.yaml", "-i", "count=" + count});
  CHECK(findings(report) == Findings{});
  CHECK(report["same"] == report["kills"]);
  CHECK(report["left_out"] == Json{"the content of hour, but for the number of its lines"});
}

TEST_CASE("flows in other folders are copied too, and a step of a child is named with its parent's") {
  const Cellar cellar;
  std::filesystem::create_directory(cellar.world.folder() + "/flow/below");
  cellar.world.file("flow/pay.yaml", kPay);
  cellar.world.file("flow/below/shop.yaml", R"yaml(
name: shop
states:
  sell: {task: flow, with: {file: ../pay.yaml, inputs: {order: A1}}, next: done}
  done: {exit: success}
)yaml");
  CHECK(findings(cellar.json({"flow/below/shop.yaml", "--compare", "../ledger"})) ==
        Findings{{"work sell > charge", {"file ../ledger has 2 lines instead of 1"}}});
}

TEST_CASE("every row of every run is one to be killed at: a child has more than its parent") {
  const Cellar cellar;
  cellar.world.file("flow/child.yaml",
                    "name: child\nstates:\n  a: {run: 'true', next: b}\n  b: {run: 'true', next: c}\n"
                    "  c: {run: 'true', next: d}\n  d: {run: 'true', next: done}\n  done: {exit: success}\n");
  const std::string parent =
      cellar.world.file("flow/parent.yaml",
                        "name: parent\nstates:\n  one: {task: flow, with: {file: child.yaml}, next: two}\n"
                        "  two: {run: 'echo charged >> ledger', next: done}\n  done: {exit: success}\n");
  const Json report = cellar.json({parent});
  CHECK(report["kills"] == 2 * (6 + 10));
  CHECK(findings(report) ==
        std::map<std::string, std::vector<std::string>>{{"work two", {"file ledger has 2 lines instead of 1"}}});
}

TEST_CASE("a rollback is tortured as well") {
  const Cellar cellar;
  cellar.world.file("flow/undo.yaml", R"yaml(
name: undo
states:
  take: {run: 'echo taken > taken', compensate: {run: 'echo undone >> undone'}, next: fail}
  fail: {run: 'exit 3', next: done}
  done: {exit: success}
)yaml");
  const Json report = cellar.json({"flow/undo.yaml"});
  CHECK(report["whole"]["status"] == "rolled_back");
  CHECK(report["whole"]["error"] == "exit");
  CHECK(findings(report) == Findings{{"rollback take", {"file undone has 2 lines instead of 1"}}});
}

TEST_CASE("services and what follows the outcome are told from the steps; a store in the folder is not copied") {
  const Cellar cellar;
  cellar.world.file("flow/around.yaml", R"yaml(
name: around
concurrency: {group: g, on_conflict: reject}
resources:
  services:
    db: {setup: {run: 'echo up >> ups; touch db'}, teardown: {run: 'rm -f db'}}
on_end: [{run: 'echo end >> ends'}]
states:
  work: {run: 'cat db', next: done}
  done: {exit: success}
)yaml");
  const std::string store = cellar.world.folder() + "/flow/store";
  std::filesystem::create_directory(store);
  std::filesystem::resize_file(cellar.world.file("flow/store/data", ""), std::uintmax_t{1} << 30);
  const Json report = cellar.json({"flow/around.yaml", "--store", store});
  CHECK(findings(report) == Findings{{"work work", {"file ups has 2 lines instead of 1"}},
                                     {"afterwards null", {"file ends has 2 lines instead of 1"}}});
  CHECK(report["findings"][0]["services"] == true);
}

TEST_CASE("a flow that fails is held against its failure, and is not resumed once it has failed") {
  const Cellar cellar;
  cellar.world.file("flow/fail.yaml", R"yaml(
name: fails
states:
  work: {run: 'echo tried >> tries; exit 3', next: done}
  done: {exit: success}
)yaml");
  const Json report = cellar.json({"flow/fail.yaml"});
  CHECK(report["whole"]["status"] == "failed");
  CHECK(findings(report) == Findings{{"work work", {"file tries has 2 lines instead of 1"}}});
}

TEST_CASE("an input that leads back to the folder itself is told of") {
  const Cellar cellar;
  cellar.world.file("flow/none.yaml", "name: none\ninputs: {where: string}\nstates:\n  done: {exit: success}\n");
  const std::string folder = cellar.world.folder() + "/flow";
  const Ran ran = cellar.torture({"flow/none.yaml", "-i", "where=" + folder + "/ledger"});
  CHECK(ran.code == 0);
  CHECK(ran.err.find("warning: input 'where' leads into " + folder +
                     " itself, and not into its copies: give it as it is "
                     "seen from the flow's folder\n") != std::string::npos);
}

TEST_CASE("a secret is given to every run, and is found nowhere") {
  const Cellar cellar;
  cellar.world.file("flow/secret.yaml", R"yaml(
name: secret
inputs: {token: {type: string, secret: true}}
states:
  use: {run: '[ "${{ inputs.token }}" = swordfish ] && ls /proc/$PPID/fd >/dev/null', next: done}
  done: {exit: success}
)yaml");
  cellar.world.file("token", "swordfish\n");
  const Ran ran = cellar.torture({"flow/secret.yaml", "-i", "token=@file:token"});
  INFO(ran.err);
  CHECK(ran.code == 0);
  CHECK((ran.out + ran.err).find("swordfish") == std::string::npos);
}

TEST_CASE("a run that hangs after it was killed is ended, and reported") {
  const Cellar cellar;
  cellar.world.file("flow/lock.yaml", R"yaml(
name: lock
states:
  work: {run: 'while ! mkdir lock; do sleep 0.01; done; echo done > result; rmdir lock; mkdir lock', next: done}
  done: {exit: success}
)yaml");
  const Json report = cellar.json({"flow/lock.yaml", "--patience", "700ms"});
  CHECK(findings(report) == Findings{{"work work", {"it did not end within 700ms"}}});
}

TEST_CASE("a run that cannot even begin is a refusal, a killed one that cannot go on a finding") {
  const Cellar cellar;
  cellar.world.file("flow/vars.yaml",
                    "name: vars\ninputs: {n: int}\nvars: {x: '${{ 1 / inputs.n }}'}\nstates:\n"
                    "  done: {exit: success, output: '${{ vars.x }}'}\n");
  const Ran ran = cellar.torture({"flow/vars.yaml", "-i", "n=0", "-q"});
  CHECK(ran.code == 2);
  CHECK(ran.err.starts_with("error: a run that was left alone came to no end: error: "));
  cellar.world.file("flow/kill.yaml", R"yaml(
name: kill
states:
  work: {run: '[ ! -e once ] || kill -9 $PPID; touch once', next: done}
  done: {exit: success}
)yaml");
  CHECK(findings(cellar.json({"flow/kill.yaml"})) ==
        Findings{{"work work", {"it could not be resumed: SIGKILL ended it"}}});
}

TEST_CASE("a signal ends what runs and takes the copies away") {
  const Cellar cellar;
  cellar.world.file("flow/long.yaml", R"yaml(
name: long
states:
  work: {run: 'echo $$ > "${{ inputs.pid }}"; sleep 98772', next: done}
  done: {exit: success}
inputs: {pid: string}
)yaml");
  for (const int signal : {SIGINT, SIGTERM}) {
    const std::string pid = cellar.world.folder() + "/pid" + std::to_string(signal);
    Program torture(cellar.command({"flow/long.yaml", "-i", "pid=" + pid, "-q"}));
    REQUIRE(eventually([&] { return !read_file(pid).empty(); }));
    torture.signal(signal);
    const Ran ran = torture.wait();
    CHECK(ran.code == 5);
    CHECK(ran.err == "error: interrupted before the first kill\n");
    CHECK(processes_with("98772") == 0);
    CHECK(left_in(cellar.world.folder() + "/tmp") == 0);
  }
}

TEST_CASE("a signal between the kills says how many there were") {
  const Cellar cellar;
  const std::string count = cellar.world.folder() + "/count";
  cellar.world.file("flow/count.yaml", R"yaml(
name: count
inputs: {count: string}
states:
  work: {run: 'echo x >> "$COUNT"; [ "$(wc -l < "$COUNT")" -lt 5 ] || sleep 98773', env: {COUNT: "${{ inputs.count }}"}, next: done}
  done: {exit: success}
)yaml");
  Program torture(cellar.command({"flow/count.yaml", "-i", "count=" + count}));
  REQUIRE(eventually([&] { return read_file(count) == "x\nx\nx\nx\nx\n"; }));
  torture.signal(SIGINT);
  const Ran ran = torture.wait();
  CHECK(ran.code == 5);
  CHECK(ran.err.ends_with("error: interrupted after 2 of 8 kills\n"));
  CHECK(processes_with("98773") == 0);
}

TEST_CASE("what cannot be tortured is refused before any kill") {
  const Cellar cellar;
  const World& world = cellar.world;
  world.file("flow/pay.yaml", kPay);
  const auto refused = [&](std::vector<std::string> arguments) {
    arguments.emplace_back("-q");
    const Ran ran = cellar.torture(std::move(arguments));
    CHECK(ran.code == 2);
    CHECK(ran.out == "");
    return ran.err;
  };
  const std::string flow = world.folder() + "/flow";
  CHECK(refused({"flow/pay.yaml"}).find("order") != std::string::npos);
  CHECK(refused({"flow/none.yaml", "-i", "order=A1"}).find("none.yaml") != std::string::npos);
  CHECK(refused({"flow/pay.yaml", "-i", "order=A1", "--compare", "../tmp"}) ==
        "error: --compare: '../tmp' is not in the folder that is copied\n"
        "hint: name what lies below " +
            flow + ", as it is seen from the flow's folder\n");
  CHECK(refused({"flow/pay.yaml", "-i", "order=A1", "--compare", "ladger"}) ==
        "error: a run leaves nothing that is called 'ladger'\n"
        "hint: --compare takes a folder or a file, relative to the flow's folder\n");
  CHECK(refused({"flow/pay.yaml", "-i", "order=A1", "--patience", "long"}).starts_with("error: --patience: "));
  world.file("flow/wait.yaml", R"yaml(
name: wait
states:
  ask: {wait: {signal: answer}, timeout: 7d, next: done}
  done: {exit: success}
)yaml");
  CHECK(refused({"flow/wait.yaml"}).starts_with("error: at 'ask' it waits for signal answer"));
  world.file("flow/sleep.yaml", "name: nap\nstates:\n  nap: {timer: {for: 7d}, next: done}\n  done: {exit: success}\n");
  CHECK(refused({"flow/sleep.yaml"}).starts_with("error: at 'nap' it waits until "));
  world.file("flow/large", "");
  std::filesystem::resize_file(flow + "/large", (std::uintmax_t{256} << 20) + 1);
  CHECK(refused({"flow/pay.yaml", "-i", "order=A1"}) ==
        "error: cannot copy " + flow +
            " for every run: it has more than 256.0 MiB\n"
            "hint: put the flow and the files that it needs into a folder of their own\n");
  std::filesystem::remove(flow + "/large");
  world.file("pay.yaml", kPay);
  CHECK(refused({"pay.yaml", "-i", "order=A1"}) ==
        "error: the scratch folder would be inside of " + world.folder() +
            ", which is copied\n"
            "hint: put the flow and the files that it needs into a folder of their own\n");
}
