// What a shell scanner knows of the command it is in: whether its words may hold values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace canorun::workflows {

class ShellCommand;

/// What to do instead of a template, where none may stand.
namespace instead {
inline constexpr std::string_view kUseEnv = "give the value a name under 'env', and use that name here";
// Some shells evaluate array indexes in the value of a name, too, and these may hold commands.
inline constexpr std::string_view kCompute = "compute it in the template instead, and give the shell the result";
inline constexpr std::string_view kSingleQuote =
    "give the value a name under 'env', and use \"$NAME\" here, in single quotes";
inline constexpr std::string_view kWriteOut = "write it into the script itself: some shells read it as code";
inline constexpr std::string_view kNameLiterally = "name the command literally, or by a path: \"$DIR\"/tool";
inline constexpr std::string_view kLetFileRead = "give the value a name under 'env', which the file can read";
inline constexpr std::string_view kWriteOperator = "write out the operator before it: [ \"$A\" = … ] or [ -n … ]";
inline constexpr std::string_view kWriteName = "write NAME= before it, without quotes around NAME=";
inline constexpr std::string_view kAssignAlone = "assign it in a command of its own: NAME=…";
inline constexpr std::string_view kUseTest = "compare in the template instead, or with [ ]: there it may stand";
inline constexpr std::string_view kUseFormat = "put a format before it: printf '%s' …";
inline constexpr std::string_view kUseDashes = "write 'set -- …': what follows the dashes is no option";
inline constexpr std::string_view kUseFile = "write '> FILE 2>&1' instead";
inline constexpr std::string_view kUseOtherName = "use a variable of another name";
inline constexpr std::string_view kUseDollar = "write $( ) instead";
}  // namespace instead

/// Why a hole is refused. No reason, no refusal.
struct Refusal {
  std::string where;
  std::string_view hint = instead::kUseEnv;

  bool empty() const { return where.empty(); }
};

/// One word, with its quotes removed.
struct ShellWord {
  const ShellCommand* command = nullptr;  ///< whose word it will be
  std::string text;
  bool literal = true;      ///< nothing in it is expanded
  bool quoted = false;      ///< so it is no reserved word
  bool assignment = false;  ///< begins with NAME=, not quoted
  bool splits = false;      ///< braces in it may make several words of it
  bool assignable = true;   ///< no `=` was read yet

  /// The name, as of a variable, that it begins with. A call goes on where the last one ended, so that
  /// asking again and again costs nothing.
  std::string_view name();
  /// NAME[… : an element of an array.
  bool begins_element();

 private:
  std::size_t name_size_ = 0;
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
    kUnknown,  ///< what follows is read in a way that is not known: a word of other shells, an alias
  };

  /// Takes the next word and tells what it is.
  Word take(ShellWord& word);

  /// True when the next word is the command's name, or comes before it.
  bool at_start() const { return start_; }
  /// True when one word was taken, so that `(` makes a function of it.
  bool has_name_only() const { return !start_ && arguments_ == 0; }

  /// Why a hole that follows `before` in the next word is refused.
  Refusal refuses(ShellWord& before) const;
  /// Why every hole of the next word is refused, nested ones too.
  const Refusal& region() const { return region_; }

  /// Its name, where that is literal and was taken.
  const std::string& name() const { return name_; }
  /// It runs a file as part of the script, and a here-document may be that file.
  bool runs_here_document() const { return reads_script() && has_here_document; }

  /// The next word is the target of a redirection; of `>&` and its kin.
  bool target_next = false;
  bool target_is_twin = false;
  bool has_here_document = false;

 private:
  Word take_at_start(ShellWord& word);
  Word begin(const ShellWord& word);
  bool reads_script() const { return name_ == "." || name_ == "source"; }
  bool unsettles(ShellWord& word) const;
  bool sets_evaluated(ShellWord& word) const;
  bool is_operand(const ShellWord& word) const;
  bool takes_operand() const;
  Refusal refuses_assignment(ShellWord& before) const;

  bool start_ = true;
  bool wrapped_ = false;       ///< behind `command` or `time`, whose options come first
  bool assigns_only_ = false;  ///< `export` and its kin: values only behind NAME=
  bool option_seen_ = false;
  bool operand_seen_ = false;  ///< an argument that is neither an option nor may turn out to be one
  std::size_t arguments_ = 0;
  std::string name_;
  std::string previous_;
  bool previous_literal_ = true;
  Refusal region_;
};

}  // namespace canorun::workflows
