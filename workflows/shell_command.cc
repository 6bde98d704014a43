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
constexpr std::array<Names, 3> kWrappers{"command", "builtin", "time"};

// Builtins that read an argument as code, as arithmetic (which can run code in an array index) or as
// the name of a variable.
constexpr std::array<Names, 16> kEvaluators{"eval", ".", "source", "trap", "alias", "let", "declare", "typeset", "unset", "read",
                                            "getopts", "mapfile", "readarray", "compgen", "complete", "bind"};
constexpr std::array<Names, 3> kAssigners{"export", "readonly", "local"};
// Whose option -v names a variable.
constexpr std::array<Names, 3> kWithVariable{"test", "[", "printf"};

bool is_identifier(std::string_view text) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !text.empty() && letter(text[0]) &&
         std::ranges::all_of(text, [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

}  // namespace

ShellCommand::Word ShellCommand::take(const ShellWord& word) {
  if (target_next) {
    target_next = false;
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
  previous_ = word.text;
  if (word.literal && word.text != "!") may_take_option_ = false;
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
  begin(word);
  return Word::kPart;
}

void ShellCommand::begin(const ShellWord& word) {
  start_ = false;
  name_ = word.literal ? word.text : std::string();
  assigns_only_ = is_one_of(name_, kAssigners);
  if (is_one_of(name_, kEvaluators)) region_ = fmt::format("the arguments of '{}'", name_);
  // It may turn out to be one of them; a path cannot.
  if (!word.literal && word.text.find('/') == std::string::npos) region_ = "the arguments of a command that is not named literally";
}

std::string ShellCommand::refuses(const ShellWord& before) const {
  if (target_next || before.assignment) {
    return assigns_only_ && option_seen_ ? fmt::format("the arguments of '{}' with options", name_) : std::string();
  }
  // NAME[index]=… : the index is arithmetic.
  const auto bracket = before.text.find('[');
  if ((start_ || assigns_only_) && bracket != std::string::npos && is_identifier(std::string_view(before.text).substr(0, bracket))) {
    return "an array index";
  }
  if (assigns_only_) return fmt::format("the arguments of '{}', but behind NAME=", name_);
  const bool behind_any = arguments_ > 0 && may_take_option_;
  if (is_one_of(name_, kWithVariable) && (behind_any || previous_ == "-v" || before.text.starts_with("-v"))) return fmt::format("'{} -v'", name_);
  return {};
}

}  // namespace canorun::workflows
