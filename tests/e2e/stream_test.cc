// Streams for real: killed at every row, stopped in the middle, and a store that does not grow.
#include <fmt/format.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "canorun.h"
#include "support/sanitizer.h"

using namespace canorun;
using namespace canorun::test;

namespace {

// Seven numbers in windows of two; each flush appends its items to `effects`.
std::string count_to_seven(const World& world, const std::string& source) {
  return world.file("flow.yaml", fmt::format(R"yaml(
name: numbers
states:
  count:
    stream:
{}
      window: {{count: 2}}
      flush: {{run: 'cat >> effects; echo >> effects', stdin: "${{{{ items.join(' ') }}}}"}}
    next: done
  done: {{exit: success, output: "${{{{ states.count.output }}}}"}}
)yaml",
                                             source));
}

const char* const kCommand = R"yaml(      source: {run: 'last="${{ cursor }}"; seq $((last + 1)) 7'}
      initial: 0
      cursor: int(item))yaml";
const char* const kFile = R"yaml(      source: {file: numbers})yaml";

std::set<std::string> words(const std::string& text) {
  std::set<std::string> found;
  std::string word;
  for (const char c : text + " ") {
    if (c != ' ' && c != '\n') {
      word += c;
    } else if (!word.empty()) {
      found.insert(std::exchange(word, {}));
    }
  }
  return found;
}

struct Taken {
  long peak_kib = 0;   ///< of resident memory
  long store_kib = 0;  ///< what the store's files take on disk: they have holes
};

// What a run takes that follows a log while so many lines are written to it, in windows of 500.
Taken follow(int lines) {
  const World world;
  const std::string flow = world.file("flow.yaml", R"yaml(
name: follower
states:
  follow:
    stream:
      source: {file: log, follow: true}
      window: {count: 500}
      flush: {task: pass, with: {value: "${{ items[0] }}"}}
      stop_when: item == 'end'
    next: measured
  measured: {wait: {signal: measured}, next: done}
  done: {exit: success, output: "${{ states.follow.output }}"}
)yaml");
  Program run(world.command({"run", flow, "--id", "r1"}));
  std::ofstream log(world.folder() + "/log");
  for (int i = 1; i < lines; ++i) log << "line " << i << " of a log\n";
  log << "end" << std::endl;
  Taken taken;
  REQUIRE(eventually([&] { return run.err().find("waits for signal") != std::string::npos; }));
  const std::string status = read_file(fmt::format("/proc/{}/status", run.pid()));
  const std::string peak = "VmHWM:";
  REQUIRE(status.find(peak) != std::string::npos);
  taken.peak_kib = std::stol(status.substr(status.find(peak) + peak.size()));
  REQUIRE(world.canorun({"signal", "r1", "measured"}).code == 0);
  CHECK(run.wait().code == 0);
  const auto size = static_cast<std::int64_t>(std::filesystem::file_size(world.folder() + "/log"));
  CHECK(world.json({"show", "r1"})["output"] ==
        Json{{"items", lines}, {"windows", lines / 500}, {"cursor", size}, {"reason", "stopped"}});
  for (const auto& entry : std::filesystem::recursive_directory_iterator(world.store())) {
    struct stat file{};
    REQUIRE(::lstat(entry.path().c_str(), &file) == 0);
    taken.store_kib += static_cast<long>(file.st_blocks) / 2;  // st_blocks counts 512 bytes
  }
  return taken;
}

}  // namespace

TEST_CASE("a stream that is killed at any row flushes every item at least once, and comes to the same end") {
  for (const bool is_file : {false, true}) {
    CAPTURE(is_file);
    const Json end{{"items", 7}, {"windows", 4}, {"cursor", is_file ? 14 : 7}, {"reason", "exhausted"}};
    // Rows: 0 run_started, 1 entered, 2 to 5 a window each, 6 state_ended, 7 run_ended.
    for (int row = 0; row <= 7; ++row) {
      for (const char* where : {"before", "after"}) {
        const std::string crash = fmt::format("{}:{}", where, row);
        CAPTURE(crash);
        const World world;
        world.file("numbers", "1\n2\n3\n4\n5\n6\n7\n");
        const std::vector<std::string> arguments{"run", count_to_seven(world, is_file ? kFile : kCommand), "--id", "r1",
                                                 "--or-resume"};
        REQUIRE(world.canorun(arguments, {{"CANORUN_CRASH", crash}}).signal == SIGKILL);
        const Ran ran = world.canorun(arguments);
        INFO(ran.err);
        CHECK(ran.code == 0);
        CHECK(world.json({"show", "r1"})["output"] == end);
        const std::string effects = read_file(world.folder() + "/effects");
        CHECK(words(effects) == std::set<std::string>{"1", "2", "3", "4", "5", "6", "7"});
        // Only the window whose commit was cut off is flushed again.
        const bool cut_off = std::string(where) == "before" && row >= 2 && row <= 5;
        CHECK(std::count(effects.begin(), effects.end(), '\n') == (cut_off ? 5 : 4));
      }
    }
  }
}

TEST_CASE("a SIGTERM flushes the open window, and the run goes on behind it") {
  const World world;
  const std::string flow = world.file("flow.yaml", R"yaml(
name: endless
states:
  count:
    stream:
      source:
        run: |
          trap 'exit 3' TERM
          i="${{ cursor }}"
          while :; do i=$((i+1)); echo $i; echo $i > printed; sleep 0.02 & wait; done
      initial: 0
      cursor: int(item)
      window: {count: 100000}
      flush: {run: 'cat >> effects; echo >> effects', stdin: "${{ items.join(' ') }}"}
      stop_when: item == '60'
    next: done
  done: {exit: success, output: "${{ states.count.output }}"}
)yaml");
  Program run(world.command({"run", flow, "--id", "r1"}));
  REQUIRE(eventually([&] { return read_file(world.folder() + "/printed").size() > 2; }));
  run.signal(SIGTERM);
  CHECK(run.wait().code == 75);
  const std::string first = read_file(world.folder() + "/effects");
  CHECK(first.starts_with("1 2 3 4 5"));
  CHECK(std::count(first.begin(), first.end(), '\n') == 1);
  CHECK(world.json({"show", "r1"})["status"] == "suspended");
  const Ran resumed = world.canorun({"resume", "r1"});
  CHECK(resumed.code == 0);
  const Json output = world.json({"show", "r1"})["output"];
  CHECK(output == Json{{"items", 60}, {"windows", 2}, {"cursor", 60}, {"reason", "stopped"}});
  const std::string all = read_file(world.folder() + "/effects");
  CHECK(words(all).size() == 60);
  CHECK(std::count(all.begin(), all.end(), ' ') == 58);  // none came twice
}

TEST_CASE("a source that is killed with its process is found by the resume, and ended") {
  const World world;
  const std::string flow = world.file("flow.yaml", R"yaml(
name: orphaned
states:
  count:
    stream:
      source: {run: 'trap "" TERM; echo $$; while :; do sleep 98761; done'}
      cursor: item
      window: {count: 1}
      flush: {run: 'echo "${{ items[0] }}" >> pids'}
    next: done
  done: {exit: success}
)yaml");
  Program owner(world.command({"run", flow, "--id", "r1"}));
  REQUIRE(eventually([&] { return !read_file(world.folder() + "/pids").empty(); }));
  owner.signal(SIGKILL);
  owner.wait();
  REQUIRE(processes_with("98761") > 0);
  Program second(world.command({"resume", "r1"}));
  REQUIRE(eventually([&] {
    const std::string pids = read_file(world.folder() + "/pids");
    return std::count(pids.begin(), pids.end(), '\n') == 2;
  }));
  CHECK(processes_with("98761") == 2);  // of the second alone: the shell, and its sleep
  second.signal(SIGINT);
  CHECK(second.wait().code == 5);
  CHECK(processes_with("98761") == 0);
}

TEST_CASE("a store does not grow with a stream's windows, and events and logs count what is gone") {
  const World world;
  const std::string flow = world.file("flow.yaml", R"yaml(
name: many
states:
  count:
    stream:
      source: {run: 'seq 1 "${{ inputs.last }}"'}
      initial: 0
      cursor: int(item)
      window: {count: 1}
      flush: {task: pass, with: {value: 1}}
    next: after
  after: {run: 'echo done', next: done}
  done: {exit: success}
inputs: {last: int}
)yaml");
  REQUIRE(world.canorun({"run", flow, "--id", "r1", "-i", "last=500"}).code == 0);
  const std::string events = world.canorun({"events", "r1", "--json"}).out;
  CHECK(std::count(events.begin(), events.end(), '\n') == 7);
  CHECK(events.find(R"("seq":501,"skipped":0,"state":"count","type":"window_ended")") != std::string::npos);
  CHECK(events.find(R"("seq":505)") != std::string::npos);
  CHECK(world.canorun({"logs", "r1", "--quiet"}).out == "done\n");
  CHECK(world.canorun({"events", "r1", "--follow", "--json"}).out == events);
}

TEST_CASE("of a stream's many windows the last ones' logs are kept") {
  const World world;
  const std::string flow = world.file("loud.yaml", R"yaml(
name: loud
states:
  count:
    stream:
      source: {run: 'seq 1 200; echo loud >&2'}
      initial: 0
      cursor: int(item)
      window: {count: 1}
      flush: {task: exec, with: {argv: [echo, "${{ cursor }}"]}}
    next: done
  done: {exit: success}
)yaml");
  REQUIRE(world.canorun({"run", flow, "--id", "r1"}).code == 0);
  CHECK(read_tree(world.store() + "/logs/r1").size() == 200 - 128 + 1);
  const std::string wrote = world.canorun({"logs", "r1", "--quiet"}).out;
  CHECK(wrote.find("129\n") != std::string::npos);
  CHECK(wrote.find("\n200\n") != std::string::npos);
  CHECK(wrote.find("loud\n") != std::string::npos);
}

TEST_CASE("a log of 1,000,000 lines is followed in flat memory, and in a store that does not grow with it") {
  const Taken few = follow(10'000);
  const Taken many = follow(kSanitized ? 50'000 : 1'000'000);
  INFO("peaks: ", few.peak_kib, " and ", many.peak_kib, " KiB; stores: ", few.store_kib, " and ", many.store_kib,
       " KiB");
  CHECK((kSanitized || many.peak_kib < few.peak_kib + 2048));
  CHECK(many.store_kib < few.store_kib + 64);
}
