// What a shell scanner knows of the command it is in: whether its words may hold values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace canorun::workflows {

class ShellCommand;

/// One word, with its quotes removed.
struct ShellWord {
  const ShellCommand* command = nullptr;  ///< whose word it will be
  std::string text;
  bool literal = true;             ///< nothing in it is expanded
  bool quoted = false;             ///< so it is no reserved word
  bool assignment = false;         ///< begins with NAME=, not quoted
  std::vector<std::size_t> holes;  ///< the holes that are parts of it
};

/// A simple command while its words come in.
class ShellCommand {
 public:
  enum class Word : std::uint8_t {
    kPart,      ///< a name, an argument, an assignment
    kReserved,  ///< what comes next begins a command
    kCase,
    kEsac,
    kDoubleBracket,
    kUnknown,   ///< a reserved word of shells other than POSIX's
  };

  /// Takes the next word and tells what it is.
  Word take(const ShellWord& word);

  /// True when the next word is the command's name, or comes before it.
  bool at_start() const { return start_; }
  /// True when one word was taken, so that `(` makes a function of it.
  bool has_name_only() const { return !start_ && arguments_ == 0; }

  /// Why a hole that follows `before` in the next word is refused; empty when it is not.
  std::string refuses(const ShellWord& before) const;
  /// Why every hole of the next word is refused, nested ones too.
  const std::string& region() const { return region_; }

  /// The command runs a file as part of the script.
  bool reads_script() const { return name_ == "." || name_ == "source"; }

  /// The next word is the target of a redirection.
  bool target_next = false;

 private:
  Word take_at_start(const ShellWord& word);
  void begin(const ShellWord& word);

  bool start_ = true;
  bool wrapped_ = false;       ///< behind `command` or `time`, whose options come first
  bool assigns_only_ = false;  ///< `export` and its kin: values only behind NAME=
  bool option_seen_ = false;
  bool may_take_option_ = true;  ///< every argument so far may turn out to be anything
  std::size_t arguments_ = 0;
  std::string name_;
  std::string previous_;
  std::string region_;
};

}  // namespace canorun::workflows
