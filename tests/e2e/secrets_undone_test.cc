// A secret in what is undone: the compensation sees it, and it is found nowhere else.
#include "canorun.h"

using namespace canorun;
using namespace canorun::test;

namespace {

using Strings = std::vector<std::string>;

const std::string kSecret = "s3cr3t-of-the-bank";

// `a` is undone well, `b` is not, and all of them print the secret.
const char* const kFlow = R"yaml(
name: owes
inputs:
  token: {type: string, secret: true}
  way: {type: string, enum: [c, pause, quit]}
states:
  a:
    run: echo "a ${{ inputs.token }}"
    compensate:
      run: 'echo "${{ inputs.token }} ${{ output.stdout }}" | tee -a undone.txt; echo "undo ${{ inputs.token }}" >&2'
    next: b
  b:
    run: echo "b ${{ inputs.token }}"
    compensate: {run: 'test -e mended || { echo "not ${{ inputs.token }}" | tee /dev/stderr; exit 3; }'}
    next: either
  either: {route: [{when: inputs.way == 'c', to: c}, {when: inputs.way == 'quit', to: quit}, {to: pause}]}
  pause: {wait: {signal: go}, timeout: 1h, next: done}
  c: {run: 'echo "c ${{ inputs.token }}" >&2; exit 4', next: done}
  quit: {exit: failure}
  done: {exit: success}
)yaml";

struct Undone {
  World world;
  std::string flow = world.file("flow.yaml", kFlow);
  std::vector<Ran> said;

  int run(Strings words, std::map<std::string, std::string> env = {}) {
    said.push_back(world.canorun(std::move(words), std::move(env)));
    return said.back().code;
  }
  std::string events() const { return world.canorun({"events", "r1", "--json"}).out; }
  std::string undone() const { return read_file(world.folder() + "/undone.txt"); }

  // Where it is found in what was said, is told, and is kept.
  std::string leaks() {
    for (const Strings& asked :
         {Strings{"list"}, Strings{"show", "r1"}, Strings{"events", "r1"}, Strings{"logs", "r1"}}) {
      run(asked);
      Strings json = asked;
      json.push_back("--json");
      run(std::move(json));
    }
    std::string places;
    for (std::size_t i = 0; i < said.size(); ++i) {
      if ((said[i].out + said[i].err).find("s3cr3t") != std::string::npos)
        places += "process " + std::to_string(i) + "\n";
    }
    for (const auto& [file, bytes] : read_tree(world.store())) {
      if (bytes.find("s3cr3t") != std::string::npos) places += file + "\n";
    }
    return places;
  }
};

const std::string kUndoneOnce = kSecret + " a ***\n";

}  // namespace

TEST_CASE_FIXTURE(Undone, "a compensation is given the secret, and neither it nor its failure tells it") {
  CHECK(run({"run", flow, "--id", "r1", "-v", "-i", "way=c", "-i", "token=" + kSecret}) == 4);
  CHECK(undone() == kUndoneOnce);
  CHECK(said.back().err.find("not ***") != std::string::npos);
  const std::string before = events();
  CHECK(run({"resume", "r1"}) == 2);
  CHECK(said.back().err.find("token") != std::string::npos);
  CHECK(events() == before);
  world.file("mended", "");
  CHECK(run({"resume", "r1", "--json", "-i", "token=" + kSecret}) == 3);
  CHECK(undone() == kUndoneOnce);
  CHECK(leaks() == "");
}

TEST_CASE("cancel and rollback ask for the secret again, or read it from where it was named") {
  for (const std::string verb : {"cancel", "rollback"}) {
    const bool cancels = verb == "cancel";
    for (const bool named : {false, true}) {
      CAPTURE(verb);
      CAPTURE(named);
      Undone u;
      u.world.file("mended", "");
      const std::string token = named ? "token=@env:TOKEN" : "token=" + kSecret;
      CHECK(u.run({"run", u.flow, "--id", "r1", "--suspend", "-i", token, "-i", cancels ? "way=pause" : "way=quit"},
                  {{"TOKEN", kSecret}}) == (cancels ? 75 : 1));
      const std::string before = u.events();
      Strings words{verb, "r1"};
      if (!cancels) words.push_back("--yes");
      CHECK(u.run(words) == 2);
      CHECK(u.said.back().err.find("token") != std::string::npos);
      CHECK(u.events() == before);
      CHECK(u.undone().empty());
      if (!named) words.insert(words.end(), {"-i", token});
      const std::map<std::string, std::string> env{{"TOKEN", named ? kSecret : ""}};
      CHECK(u.run(words, env) == 0);
      CHECK(u.world.json({"show", "r1"})["status"] == (cancels ? "cancelled" : "rolled_back"));
      CHECK(u.undone() == kUndoneOnce);
      CHECK(u.leaks() == "");
    }
  }
}
