// canorun VERB [OPTIONS]: finds the verb, reads its arguments, does it, and says how it went.
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>

#include <cstring>
#include <exception>

#include "cli/command_line.h"
#include "cli/verb.h"
#include "cli/wiring.h"
#include "engine/base/suggest.h"

namespace {

using namespace canorun;
using namespace canorun::cli;

constexpr std::string_view kAbout = "Runs workflows written in YAML, and survives being killed.";

// A closed stdin, stdout or stderr would give its number to the store's files.
void open_standard_files() {
  for (int fd = 0; fd <= 2; ++fd) {
    if (::fcntl(fd, F_GETFD) < 0) (void)::open("/dev/null", O_RDWR);
  }
}

std::string overview() {
  Table table;
  for (const VerbEntry& verb : verbs()) table.row({{std::string(verb.name)}, {std::string(verb.summary)}});
  return fmt::format(
      "{}\n\nUsage: canorun VERB [OPTIONS]\n\nVerbs:\n{}\nEvery verb explains itself: canorun VERB --help\n\nExample:\n"
      "  canorun run order.yaml -i order_id=A1\n",
      kAbout, table.text("  "));
}

OrRefusal<const VerbEntry*> find_verb(std::string_view name) {
  std::vector<std::string_view> known;
  for (const VerbEntry& verb : verbs()) {
    if (verb.name == name) return &verb;
    known.push_back(verb.name);
  }
  return refuse(RefusalKind::kUsage, fmt::format("unknown verb '{}'", to_utf8(name)), suggestion(name, known));
}

OrRefusal<ExitCode> print(Wiring& wiring, std::string_view text) {
  wiring.out().write(text);
  return ExitCode::kSuccess;
}

// Reads the rest of the command line into the verb, and does what it is for.
OrRefusal<ExitCode> perform(const VerbEntry& entry, const std::vector<std::string>& arguments, Options& options) {
  const auto verb = entry.make();
  CommandLine line(entry.name, options);
  verb->declare(line);
  const auto read = line.read(arguments);
  if (!read) return std::unexpected(read.error());
  Wiring wiring(options);
  if (line.wants_help()) return print(wiring, line.help(fmt::format("{}.", entry.summary), entry.example));
  auto code = verb->run(wiring);
  if (const int error = wiring.out().error(); error != 0) {
    wiring.err().write(fmt::format("error: cannot write to stdout: {}\n", std::strerror(error)));
    if (code && *code == ExitCode::kSuccess) return ExitCode::kFailed;
  }
  return code;
}

OrRefusal<ExitCode> canorun_main(const std::vector<std::string>& arguments, Options& options) {
  bool wants_version = false;
  CommandLine line("", options);
  line.flag(wants_version, "-V,--version", "print the version");
  auto rest = line.read_leading(arguments);
  if (!rest) return std::unexpected(rest.error());
  Wiring wiring(options);
  if (wants_version) return print(wiring, fmt::format("canorun {}\n", CANORUN_VERSION));
  if (line.wants_help()) return print(wiring, overview());
  if (rest->empty()) return refuse(RefusalKind::kUsage, "a verb is missing", "canorun --help lists them");
  const auto verb = find_verb(rest->front());
  if (!verb) return std::unexpected(verb.error());
  rest->erase(rest->begin());
  return perform(**verb, *rest, options);
}

}  // namespace

int main(int argc, char** argv) {
  open_standard_files();
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGXFSZ, SIG_IGN);  // a file at its limit (ulimit -f) is an error like a full disk
  const std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
  Options options;
  try {
    const auto code = canorun_main(arguments, options);
    if (code) return static_cast<int>(*code);
    // What could not be read may have been meant: a caller that asked for JSON gets JSON.
    options.json = options.json || std::find(arguments.begin(), arguments.end(), "--json") != arguments.end();
    Wiring(options).tell(code.error());
    return static_cast<int>(exit_code(code.error().kind));
  } catch (const std::exception& error) {
    Wiring(options).tell({RefusalKind::kFault, fmt::format("a fault in canorun: {}", error.what())});
    return static_cast<int>(exit_code(RefusalKind::kFault));
  }
}
