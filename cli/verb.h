// A verb of the command line: what it takes, and what it does.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "cli/refusal.h"

namespace canorun::cli {

class CommandLine;
class Wiring;

class Verb {
 public:
  virtual ~Verb() = default;
  /// Names the arguments, and where their values go.
  virtual void declare(CommandLine& line) = 0;
  /// Called once, after the arguments were read.
  virtual OrRefusal<ExitCode> run(Wiring& wiring) = 0;
};

/// A row of the table of verbs.
struct VerbEntry {
  std::string_view name;
  std::string_view summary;
  std::string_view example;  ///< shell lines, for `--help`
  std::unique_ptr<Verb> (*make)();
};

/// All verbs, in the order in which `--help` lists them.
std::span<const VerbEntry> verbs();

std::unique_ptr<Verb> make_run();
std::unique_ptr<Verb> make_resume();
std::unique_ptr<Verb> make_validate();
std::unique_ptr<Verb> make_health();
std::unique_ptr<Verb> make_list();
std::unique_ptr<Verb> make_show();
std::unique_ptr<Verb> make_signal();
std::unique_ptr<Verb> make_events();
std::unique_ptr<Verb> make_logs();
std::unique_ptr<Verb> make_cancel();
std::unique_ptr<Verb> make_rollback();
std::unique_ptr<Verb> make_breakers();
std::unique_ptr<Verb> make_limits();
std::unique_ptr<Verb> make_prune();
std::unique_ptr<Verb> make_doctor();
std::unique_ptr<Verb> make_torture();
std::unique_ptr<Verb> make_kinds();
std::unique_ptr<Verb> make_eval();
std::unique_ptr<Verb> make_schema();

}  // namespace canorun::cli
