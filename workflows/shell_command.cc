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

constexpr std::array<Names, 13> kBeginCommands{"if", "then", "elif", "else", "fi", "while", "until", "do", "done", "{", "}", "!", "time"};
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
constexpr std::array<Evaluator, 15> kEvaluators{{{"eval", instead::kSingleQuote},
                                                 {"trap", instead::kSingleQuote},
                                                 {"let", instead::kCompute},
                                                 {"."},
                                                 {"source"},
                                                 {"unset"},
                                                 {"read"},
                                                 {"getopts"},
                                                 {"mapfile"},
                                                 {"readarray"},
                                                 {"wait"},
                                                 {"enable"},
                                                 {"compgen"},
                                                 {"complete"},
                                                 {"bind"}}};
constexpr std::array<Names, 3> kAssigners{"export", "readonly", "local"};
// Whose values shells evaluate: as arithmetic when they are assigned, or as text to expand.
constexpr std::array<Names, 9> kEvaluated{"BASHPID", "EPOCHSECONDS", "HISTCMD", "LINENO", "OPTIND", "PS4", "RANDOM", "SECONDS", "SRANDOM"};

}  // namespace

std::string_view ShellWord::name() {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  while (name_size_ < text.size() && (letter(text[name_size_]) || (name_size_ > 0 && digit(text[name_size_])))) ++name_size_;
  return std::string_view(text).substr(0, name_size_);
}

ShellCommand::Word ShellCommand::take(const ShellWord& word) {
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
  if (!word.literal || word.text.starts_with('-') || word.text.starts_with('+')) option_seen_ = option_seen_ || !word.assignment;
  // `local -i` and `local -n`: what is assigned later is arithmetic, or names another variable.
  if (assigns_only_ && word.text.starts_with('-') && word.text.find_first_of("in") != std::string::npos) return Word::kUnknown;
  if (word.literal && !word.text.starts_with('-') && previous_ != "-v") format_seen_ = true;
  previous_ = word.text;
  previous_literal_ = word.literal;
  return Word::kPart;
}

ShellCommand::Word ShellCommand::take_at_start(const ShellWord& word) {
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
  if (word.assignment || option) return Word::kPart;
  if (word.literal && is_one_of(word.text, kWrappers)) {
    wrapped_ = true;
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
  if (!word.literal && word.text.find('/') == std::string::npos) region_ = {"the arguments of a command that is not named literally"};
  return is_one_of(name_, kUnsettling) ? Word::kUnknown : Word::kPart;
}

Refusal ShellCommand::refuses_assignment(ShellWord& before) const {
  if (assigns_only_ && option_seen_) return {fmt::format("the arguments of '{}' with options", name_), instead::kWriteOut};
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
  const std::size_t bracket = before.name().size();
  if ((start_ || assigns_only_) && bracket > 0 && bracket < before.text.size() && before.text[bracket] == '[') {
    return {"an array index", instead::kCompute};
  }
  if (assigns_only_) return {fmt::format("the arguments of '{}', but behind NAME=", name_), instead::kWriteOut};
  // `-v`, whose operand names a variable, may be what a value holds.
  const bool behind_any = arguments_ > 0 && !previous_literal_;
  if ((name_ == "[" || name_ == "test") && (behind_any || previous_ == "-v" || previous_ == "-R")) {
    return {fmt::format("'{} -v'", name_), instead::kWriteOut};
  }
  // A format may name a variable, too, and so may an option before it.
  if (name_ == "printf" && !format_seen_) {
    return {"the options or the format of 'printf'", instead::kUseFormat};
  }
  return {};
}

}  // namespace canorun::workflows
