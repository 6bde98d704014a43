// Files made to break a reader end in a diagnostic, in bounded time and memory.
#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <chrono>
#include <random>

#include "support/sanitizer.h"
#include "workflows/flows.h"

using namespace canorun;
using namespace canorun::workflows;

namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

std::string times(std::string_view text, std::size_t bytes) {
  std::string all;
  all.reserve(bytes + text.size());
  while (all.size() < bytes) all += text;
  all.resize(bytes);
  return all;
}

std::string first_message(const Loaded& loaded) {
  return loaded.diagnostics.empty() ? "" : loaded.diagnostics.front().message;
}

long peak_mebibytes() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss / 1024;
}

}  // namespace

TEST_CASE("four MiB of anything are read in seconds and in bounded memory") {
  const std::size_t size = test::kSanitized ? kMiB / 4 : 4 * kMiB;
  std::vector<std::pair<std::string, std::string>> files;
  for (const auto* piece : {"[",   "{",      "- ",     "? ",      "{a: ",   "[{",  ": ",     "&a ", "!a ",
                            "a\n", "\"",     "'",      ",",       "- 1\n",  "#\n", "---\n",  "]",   "a ",
                            "\t",  "%a b\n", "\"a\" ", "{\"a\":", "a: |\n", "*a ", "a: b\n", "-\n", "${{ "}) {
    files.emplace_back(piece, times(piece, size));
  }
  files.emplace_back("list of ones", "[" + times("1,", size - 2) + "]");
  files.emplace_back("open quote", "a: \"" + times("\\\n", size - 4));
  files.emplace_back("blank lines", "a: \"" + times("\n", size - 5) + "\"");
  files.emplace_back("literal", "a: |\n" + times(" x\n", size - 5));
  files.emplace_back("folded", "a: >\n" + times(" x\n\n", size - 5));
  std::string keys, anchors = "a: [", states = "states:\n";
  for (int i = 0; keys.size() < size - 20; ++i) keys += "k" + std::to_string(i) + ": 1\n";
  for (int i = 0; anchors.size() < size - 20; ++i) anchors += "&a" + std::to_string(i) + " 1,";
  while (states.size() < size / 2)
    states +=
        " s" + std::to_string(states.size()) + ": {task: pass, next: nowhere" + std::to_string(states.size()) + "}\n";
  files.emplace_back("keys", keys);
  std::string line = "{";
  for (int i = 0; line.size() < size - 30; ++i) line += "k" + std::to_string(i) + ": 12345678901234567890,";
  files.emplace_back("one line of keys", line + "}");
  files.emplace_back("anchors", anchors + "]");
  const std::string state = "name: x\nstates:\n  a:\n    next: a\n    run: |\n      ";
  for (const auto* piece : {"${{ x }} ", "${{ { }} ", "${{ ' }} ", "${{ { // }} ", "a${{ vars.x }}", "$(", "${x:-", "`",
                            "((", "\"", "<<a ", "case x in ", "a() ", "'${{ vars.x }}' ", "cat <<a\n      a\n      "}) {
    files.emplace_back(piece, state + times(piece, size - 100));
  }
  files.emplace_back("states that go nowhere", "name: x\n" + states);
  std::string strangers = "name: x\ninputs:\n";
  for (int i = 0; i < 256; ++i) strangers += "  " + times("a" + std::to_string(i) + "b", 63) + ": int\n";
  strangers += "states:\n  a: {route: [{when: \"";
  for (int i = 0; strangers.size() < size - 200; ++i)
    strangers += "inputs." + times("c" + std::to_string(i) + "d", 63) + " == 1 || ";
  files.emplace_back("inputs that are not there", strangers + "true\", to: done}]}\n  done: {exit: success}\n");
  std::string limits = "name: x\nresources:\n  rate_limits:\n";
  for (int i = 0; limits.size() < size / 2; ++i) limits += "    r" + std::to_string(i) + ": {tokens: 1, per: 1s}\n";
  limits += "states:\n  a:\n    run: x\n    next: done\n    rate_limit: [";
  for (int i = 0; limits.size() < size - 60; ++i) limits += "{name: r" + std::to_string(2 * i) + ", cost: 2}, s, ";
  files.emplace_back("limits", limits + "]\n  done: {exit: success}\n");
  std::string ends = "name: x\nstates: {a: {run: x, next: done}, done: {exit: success}}\non_end:\n";
  while (ends.size() < size - 200) ends += "  - {run: 'x ${{ states.a.output.stdout }}', when: states.a.visits}\n";
  files.emplace_back("ends", ends);
  for (const auto& [name, text] : files) {
    const auto begin = std::chrono::steady_clock::now();
    const Loaded loaded = testing::load(text);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    CHECK_MESSAGE(loaded.flow == nullptr, name);
    CHECK_MESSAGE(!loaded.diagnostics.empty(), name);
    CHECK_MESSAGE(loaded.diagnostics.size() <= 501, name);
    // What it takes on a fast machine is below one and a half; sanitizers and a busy machine cost ten times that.
    CHECK_MESSAGE(took.count() < 30, name);
    testing::problems(loaded);
  }
  CHECK((test::kSanitized || peak_mebibytes() < 1024));
}

TEST_CASE("nesting is bounded, however it comes about") {
  for (const std::string open : {"[", "{a: ", "- ", "? "}) {
    std::string text;
    for (int i = 0; i < 10'000; ++i) text += open;
    CHECK_MESSAGE(first_message(testing::load(text)) == "nested deeper than 100 levels", open);
  }
  std::string block;
  for (int i = 0; i < 1'000; ++i) block += std::string(static_cast<std::size_t>(i), ' ') + "a:\n";
  CHECK(first_message(testing::load(block)) == "nested deeper than 100 levels");
  std::string aliases = "a0: &a0 [1]\n";
  for (int i = 1; i < 200; ++i) {
    aliases += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [*a" + std::to_string(i - 1) + "]\n";
  }
  CHECK(first_message(testing::load(aliases)) == "nested deeper than 100 levels");
}

TEST_CASE("an alias bomb is refused before it goes off") {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 30; ++i) {
    const std::string last = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + last;
    for (int k = 0; k < 9; ++k) bomb += ", " + last;
    bomb += "]\n";
  }
  CHECK(testing::problems(testing::load(bomb)) ==
        "flow.yaml:5:45: error: aliases expand to more than 100000 values [file-too-large]\n"
        "    5 | a4: &a4 [*a3, *a3, *a3, *a3, *a3, *a3, *a3, *a3, *a3, *a3]\n"
        "      |                                             ^\n");
}

TEST_CASE("a file over four MiB is refused without being read") {
  const testing::TempFolder folder;
  const std::string path = folder.write("big.yaml", "name: x\n");
  REQUIRE(::truncate(path.c_str(), 50 * static_cast<off_t>(kMiB)) == 0);
  CHECK(testing::problems(load_file(path, tasks::catalog())) ==
        path + ": error: the file is larger than 4.0 MiB [file-too-large]\n      keep data in files of their own\n");
  const std::string most =
      folder.write("most.yaml", "name: x\nstates: {done: {exit: success}}\n#" + times("x", 4 * kMiB - 42) + "\n");
  CHECK(testing::problems(load_file(most, tasks::catalog())).empty());
}

TEST_CASE("a flow that is cut off or damaged anywhere ends in a diagnostic") {
  const std::string whole =
      "name: x\ninputs: {v: {type: string, enum: [a, \"b\\t\"]}, w: {type: string, secret: true}}\nvars: &v {n: 0}\n"
      "concurrency: {group: \"${{ inputs.v }}\", on_conflict: skip}\nresources:\n  breakers: {b: {scope: run}}\n"
      "  rate_limits: {r: {tokens: 3, per: 1s}, s: {limit: 1, window: 1d}}\n  services: {s: {setup: {run: x}}}\n"
      "on_end: [{run: x, when: run.error == null}]\nstates:\n"
      "  a:\n    run: |\n      echo ${{ inputs.v }} \"$(cat <<EOF\n      ${{ vars.n }}\n      EOF\n      )\"\n"
      "    retry: {max: 3, when: error.kind == 'exit'}\n    set: {n: \"${{ vars.n + 1 }}\"}\n    next: [{when: 'vars.n "
      "> 3', to: b}, {to: done}]\n"
      "  b: {task: pass, breaker: b, rate_limit: [r, {name: s, cost: 1}], with: {value: *v, x: !t y}, next: >-\n    "
      "done}\n  done: {exit: success}\n";
  for (std::size_t cut = 0; cut < whole.size(); ++cut) testing::load(whole.substr(0, cut));
  std::mt19937 random(11);
  const std::string spice = "[]{},:&*!|>'\"%@`#-? \n\t\\${}()<;x0";
  for (int round = 0; round < 5'000; ++round) {
    std::string damaged = whole;
    for (auto i = random() % 6 + 1; i > 0; --i) {
      const std::size_t at = random() % damaged.size();
      const auto how = random() % 3;
      if (how == 0) damaged[at] = spice[random() % spice.size()];
      if (how == 1) damaged.insert(at, 1, spice[random() % spice.size()]);
      if (how == 2) damaged.erase(at, random() % 8 + 1);
    }
    const Loaded loaded = testing::load(damaged);
    CHECK((loaded.flow == nullptr) == has_errors(loaded.diagnostics));
    CHECK(!testing::problems(loaded).starts_with("\n"));
  }
}
