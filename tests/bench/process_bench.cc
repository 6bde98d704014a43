// Whole processes: what a start costs over /bin/true, a flow of 10,000 states from read to exit, a batch beside xargs,
// and a stream beside what else goes through a log.
// Usage: bench_process CANORUN [RUNS]
#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "support/temp_folder.h"

extern char** environ;

namespace {

using canorun::test::TempFolder;

constexpr int kItems = 1'000;
constexpr int kLines = 100'000;

struct Sample {
  double ms = 0;
  long max_rss_kib = 0;
};

// Starts a command with its output thrown away and waits for it; ends the program if it fails.
Sample run(const std::vector<std::string>& command) {
  std::vector<char*> argv;
  for (const std::string& word : command) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  const auto begin = std::chrono::steady_clock::now();
  pid_t pid = -1;
  int status = 0;
  rusage usage{};
  const bool ran = posix_spawnp(&pid, argv[0], &actions, nullptr, argv.data(), environ) == 0 &&
                   wait4(pid, &status, 0, &usage) == pid;
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
  posix_spawn_file_actions_destroy(&actions);
  if (!ran || status != 0) {
    fmt::print(stderr, "{} failed\n", fmt::join(command, " "));
    std::exit(1);
  }
  return {took.count(), usage.ru_maxrss};
}

struct Figure {
  double median = 0, low = 0, high = 0;
  long max_rss_kib = 0;
};

Figure figure(std::vector<Sample> samples) {
  std::sort(samples.begin(), samples.end(), [](const Sample& a, const Sample& b) { return a.ms < b.ms; });
  Figure result{samples[samples.size() / 2].ms, samples[samples.size() / 10].ms, samples[samples.size() * 9 / 10].ms,
                0};
  for (const Sample& sample : samples) result.max_rss_kib = std::max(result.max_rss_kib, sample.max_rss_kib);
  return result;
}

std::string write_flow(const TempFolder& folder, const std::string& name, int states) {
  const std::string path = folder.path() + "/" + name + ".yaml";
  std::ofstream out(path);
  out << "name: " << name << "\nstates:\n";
  for (int i = 0; i < states; ++i) {
    out << "  s" << i << ": {task: pass, next: " << (i + 1 == states ? "done" : "s" + std::to_string(i + 1)) << "}\n";
  }
  out << "  done: {exit: success}\n";
  return path;
}

// A batch of so many `run: true`, two at once.
std::string write_batch(const TempFolder& folder, int items) {
  const std::string path = folder.path() + "/batch.yaml";
  std::ofstream out(path);
  out << "name: batch\nvars: {many: [0";
  for (int i = 1; i < items; ++i) out << ", " << i;
  out << "]}\nstates:\n"
         "  s: {batch: {items: vars.many, concurrency: 2, do: {run: 'true'}}, next: done}\n"
         "  done: {exit: success}\n";
  return path;
}

std::string write_log(const TempFolder& folder, int lines) {
  const std::string path = folder.path() + "/log";
  std::ofstream out(path);
  for (int i = 0; i < lines; ++i) out << "line " << i << " of a log\n";
  return path;
}

// A stream in windows of 1,000 lines, whose flush does nothing: what is left is reading and keeping.
std::string write_stream(const TempFolder& folder, const std::string& name, const std::string& source) {
  const std::string path = folder.path() + "/" + name + ".yaml";
  std::ofstream(path) << "name: " << name << "\nstates:\n  s: {stream: {" << source
                      << ", window: {count: 1000}, flush: {task: pass}}, next: done}\n"
                         "  done: {exit: success}\n";
  return path;
}

// Lines in so many milliseconds, beside what two others took for as many.
void print_lines(const char* what, const Figure& f, const Figure& counting, const Figure& looping) {
  fmt::print("{:<40} {:>9.2f} ms [{:.2f}, {:.2f}] {:>6.2f} million lines/s, {:>7.2f} x wc, {:>5.2f} x while  {} KiB\n",
             what, f.median, f.low, f.high, kLines / f.median / 1'000, f.median / counting.median,
             f.median / looping.median, f.max_rss_kib);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "usage: bench_process CANORUN [RUNS]\n");
    return 2;
  }
  const std::string canorun = argv[1];
  const int runs = argc > 2 ? std::max(1, std::atoi(argv[2])) : 101;
  const TempFolder folder;
  const std::string one = write_flow(folder, "one", 1);
  const std::string many = write_flow(folder, "many", 10'000);
  const std::string batch = write_batch(folder, kItems);
  const std::string log = write_log(folder, kLines);
  const std::string of_file = write_stream(folder, "of_file", "source: {file: log}");
  const std::string of_command =
      write_stream(folder, "of_command", "source: {run: cat log}, initial: 0, cursor: cursor + 1");
  const std::string store = folder.path() + "/store";
  const std::vector<std::vector<std::string>> commands{
      {"/bin/true"},
      {canorun, "--version"},
      {canorun, "run", one, "--no-store", "--quiet"},
      {canorun, "validate", "--quiet", many},
      {canorun, "run", many, "--no-store", "--quiet"},
      {"/bin/sh", "-c", fmt::format("seq {} | xargs -P2 -I{{}} sh -ec true", kItems)},
      {canorun, "run", batch, "--store", store, "--quiet"},
      {"wc", "-l", log},
      {"/bin/sh", "-c", fmt::format("while IFS= read -r line; do :; done <{}", log)},
      {canorun, "run", of_file, "--no-store", "--quiet"},
      {canorun, "run", of_file, "--store", store, "--quiet"},
      {canorun, "run", of_command, "--no-store", "--quiet"},
      {canorun, "run", of_command, "--store", store, "--quiet"},
  };
  // In turns, so that a machine that drifts does not decide.
  std::vector<std::vector<Sample>> samples(commands.size());
  for (int round = 0; round < runs; ++round) {
    for (std::size_t i = 0; i < commands.size(); ++i) samples[i].push_back(run(commands[i]));
  }
  std::vector<Figure> figures;
  for (auto& of_one : samples) figures.push_back(figure(std::move(of_one)));
  const auto line = [&](const char* what, const Figure& f, double over, double budget) {
    fmt::print(
        "{:<40} {:>9.2f} ms [{:.2f}, {:.2f}] {:>8.2f} ms over, {:>6.2f} x  budget {:>6.1f} ms over: {}  {} KiB\n", what,
        f.median, f.low, f.high, f.median - over, f.median / over, budget,
        f.median - over <= budget ? "met" : "NOT MET", f.max_rss_kib);
  };
  const double limit = figures[0].median;
  fmt::print("{:<40} {:>9.2f} ms [{:.2f}, {:.2f}]\n", "/bin/true", limit, figures[0].low, figures[0].high);
  line("canorun --version", figures[1], limit, 3);
  line("run of one pass, --no-store", figures[2], limit, 3);
  line("validate of 10,000 states", figures[3], limit, 500);
  line("run of 10,000 pass, --no-store", figures[4], figures[3].median, 10);
  const double ratio = figures[6].median / figures[5].median;
  fmt::print("{:<40} {:>9.2f} ms [{:.2f}, {:.2f}]\n", fmt::format("xargs -P2 of {} sh -ec true", kItems),
             figures[5].median, figures[5].low, figures[5].high);
  fmt::print("{:<40} {:>9.2f} ms [{:.2f}, {:.2f}] {:>6.2f} x  budget 1.15 x: {}  {} KiB\n",
             fmt::format("batch of {} run: true, concurrency 2", kItems), figures[6].median, figures[6].low,
             figures[6].high, ratio, ratio <= 1.15 ? "met" : "NOT MET", figures[6].max_rss_kib);
  const char* const readers[] = {"wc -l of 100,000 lines",          "while read; do :; done",
                                 "stream of a file, --no-store",    "stream of a file, windows of 1,000",
                                 "stream of a command, --no-store", "stream of a command, windows of 1,000"};
  for (std::size_t i = 0; i < std::size(readers); ++i) print_lines(readers[i], figures[7 + i], figures[7], figures[8]);
  return 0;
}
