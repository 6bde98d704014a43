#include "workflows/shell_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace canorun::workflows {
namespace {

using Names = std::string_view;

template <std::size_t N>
bool is_one_of(std::string_view text, const std::array<Names, N>& names) {
  return std::ranges::find(names, text) != names.end();
}

constexpr std::array<Names, 13> kBeginCommands{"if", "then", "elif", "else", "fi", "while", "until",
                                               "do", "done", "{",    "}",    "!",  "time"};
constexpr std::array<Names, 3> kNotPosix{"function", "select", "coproc"};
constexpr std::array<Names, 4> kWrappers{"command", "builtin", "exec", "time"};
// Builtins behind which words and assignments mean something else.
constexpr std::array<Names, 3> kUnsettling{"alias", "declare", "typeset"};

// Builtins that read an argument as code, as arithmetic (which can run code in an array index) or as
// the name of a variable.
struct Evaluator {
  Names name;
  std::string_view hint = instead::kWriteOut;
};
constexpr std::array<Evaluator, 18> kEvaluators{{{"eval", instead::kSingleQuote},
                                                 {"trap", instead::kSingleQuote},
                                                 {"let", instead::kCompute},
                                                 {".", instead::kLetFileRead},
                                                 {"source", instead::kLetFileRead},
                                                 {"unset"},
                                                 {"read"},
                                                 {"getopts"},
                                                 {"mapfile"},
                                                 {"readarray"},
                                                 {"wait"},
                                                 {"enable"},
                                                 {"compgen"},
                                                 {"complete"},
                                                 {"bind"},
                                                 {"hash"},
                                                 {"jobs"},
                                                 {"shopt"}}};
constexpr std::array<Names, 3> kAssigners{"export", "readonly", "local"};
// Builtins that set the variables whose names they are given.
constexpr std::array<Names, 4> kSetters{"getopts", "mapfile", "read", "readarray"};
// Whose values shells evaluate: as arithmetic when they are assigned, or as text to expand.
constexpr std::array<Names, 12> kEvaluated{"BASHPID",      "BASH_ALIASES", "BASH_CMDS", "BASH_ENV",
                                           "EPOCHSECONDS", "HISTCMD",      "LINENO",    "OPTIND",
                                           "PS4",          "RANDOM",       "SECONDS",   "SRANDOM"};

bool is_option(const ShellWord& word) { return word.text.starts_with('-') || word.text.starts_with('+'); }

}  // namespace

std::string_view ShellWord::name() {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  while (name_size_ < text.size() && (letter(text[name_size_]) || (name_size_ > 0 && digit(text[name_size_]))))
    ++name_size_;
  return std::string_view(text).substr(0, name_size_);
}

bool ShellWord::begins_element() {
  const std::size_t bracket = name().size();
  return bracket > 0 && bracket < text.size() && text[bracket] == '[';
}

ShellCommand::Word ShellCommand::take(ShellWord& word) {
  if (target_next) {
    target_next = target_is_twin = false;
    return Word::kPart;
  }
  if (start_) return take_at_start(word);
  ++arguments_;
  // `for NAME do`: the list may be left out.
  if (name_ == "for" && arguments_ == 2 && word.text == "do" && !word.quoted) {
    *this = ShellCommand();
    return Word::kReserved;
  }
  if (!word.literal || is_option(word)) option_seen_ = option_seen_ || !word.assignment;
  if (unsettles(word)) return Word::kUnknown;
  operand_seen_ = operand_seen_ || is_operand(word);
  previous_ = word.text;
  previous_literal_ = word.literal;
  return Word::kPart;
}

// What follows an argument like this is read in a way that is not known.
bool ShellCommand::unsettles(ShellWord& word) const {
  // `local -i` and `local -n`: what is assigned later is arithmetic, or names another variable.
  if (assigns_only_ && word.text.starts_with('-')) return word.text.find_first_of("in") != std::string::npos;
  if (assigns_only_) return word.begins_element() && !word.assignment;
  // Behind `set -k` an argument may be an assignment.
  if (name_ == "set" && !operand_seen_) {
    return (word.text.starts_with('-') && word.text.find('k') != std::string::npos) ||
           (takes_operand() && word.text == "keyword");
  }
  if (reads_script()) return arguments_ == 1 && (word.text.starts_with("/dev/") || word.text.starts_with("/proc/"));
  return sets_evaluated(word);
}

bool ShellCommand::sets_evaluated(ShellWord& word) const {
  const bool sets = is_one_of(name_, kSetters) || (name_ == "for" && arguments_ == 1) || name_ == "printf";
  if (!sets) return false;
  if (word.text.starts_with('-')) {
    return std::ranges::any_of(kEvaluated, [&](Names name) { return word.text.ends_with(name); });
  }
  if (name_ == "printf" && previous_ != "-v") return false;
  return is_one_of(word.name(), kEvaluated) && (word.name() == word.text || word.begins_element());
}

bool ShellCommand::is_operand(const ShellWord& word) const {
  if (!word.literal) return false;
  if (name_ == "set" && (word.text == "-" || word.text == "--")) return true;
  return !(name_ == "set" ? is_option(word) : word.text.starts_with('-')) && !takes_operand();
}

// The argument before may be an option of `printf` or `set` that takes the next one.
bool ShellCommand::takes_operand() const {
  if (name_ != "set") return previous_ == "-v";
  return !previous_literal_ || ((previous_.starts_with('-') || previous_.starts_with('+')) && previous_.ends_with('o'));
}

ShellCommand::Word ShellCommand::take_at_start(ShellWord& word) {
  if (word.literal && !word.quoted) {
    if (is_one_of(word.text, kNotPosix)) return Word::kUnknown;
    if (is_one_of(word.text, kBeginCommands)) {
      *this = ShellCommand();
      wrapped_ = word.text == "time";
      return Word::kReserved;
    }
    if (word.text == "case") return Word::kCase;
    if (word.text == "esac") return Word::kEsac;
    if (word.text == "[[") return Word::kDoubleBracket;
  }
  const bool option = wrapped_ && word.text.starts_with('-');
  if (word.assignment && word.name() == "BASH_ALIASES") return Word::kUnknown;
  // It only looks up what follows.
  if (option && name_ == "command" && word.literal && word.text.find_first_of("vV") != std::string::npos)
    start_ = false;
  if (word.assignment || option) return Word::kPart;
  // An index may hold blanks, and go on in the next word.
  if (word.begins_element()) return Word::kUnknown;
  if (word.literal && is_one_of(word.text, kWrappers)) {
    wrapped_ = true;
    name_ = word.text;
    return Word::kPart;
  }
  return begin(word);
}

ShellCommand::Word ShellCommand::begin(const ShellWord& word) {
  start_ = false;
  name_ = word.literal ? word.text : std::string();
  assigns_only_ = is_one_of(name_, kAssigners);
  const auto evaluator = std::ranges::find(kEvaluators, name_, &Evaluator::name);
  if (evaluator != kEvaluators.end()) region_ = {fmt::format("the arguments of '{}'", name_), evaluator->hint};
  // It may turn out to be one of them; a path cannot.
  if (!word.literal && word.text.find('/') == std::string::npos) {
    region_ = {"the arguments of a command that is not named literally", instead::kNameLiterally};
  }
  return word.splits || is_one_of(name_, kUnsettling) ? Word::kUnknown : Word::kPart;
}

Refusal ShellCommand::refuses_assignment(ShellWord& before) const {
  if (assigns_only_ && option_seen_)
    return {fmt::format("the arguments of '{}' with options", name_), instead::kAssignAlone};
  const std::string_view name = before.name();
  if ((start_ || assigns_only_) && is_one_of(name, kEvaluated)) {
    return {fmt::format("a value of '{}', which shells evaluate", name), instead::kUseOtherName};
  }
  return {};
}

Refusal ShellCommand::refuses(ShellWord& before) const {
  // Bash expands a file's name that stands there once more.
  if (target_is_twin) return {"the target of '>&'", instead::kUseFile};
  if (target_next) return {};
  if (before.assignment) return refuses_assignment(before);
  // NAME[index]=… : the index is arithmetic.
  if ((start_ || assigns_only_) && before.begins_element()) return {"an array index", instead::kCompute};
  if (assigns_only_) return {fmt::format("the arguments of '{}', but behind NAME=", name_), instead::kWriteName};
  // `-v`, whose operand names a variable, may be what a value holds.
  const bool behind_any = (arguments_ > 0 && !previous_literal_) || before.splits;
  if ((name_ == "[" || name_ == "test") && (behind_any || previous_ == "-v" || previous_ == "-R")) {
    return {fmt::format("'{} -v'", name_), instead::kWriteOperator};
  }
  // A format may name a variable, too, and so may an option before it.
  if (name_ == "printf" && !operand_seen_) return {"the options or the format of 'printf'", instead::kUseFormat};
  // `set -n` reads the rest of the script, and runs nothing of it.
  const bool maybe_option = before.text.empty() || is_option(before) || !is_operand(before);
  if (name_ == "set" && !operand_seen_ && maybe_option) return {"the options of 'set'", instead::kUseDashes};
  return {};
}

}  // namespace canorun::workflows
