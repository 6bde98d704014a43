#include "workflows/shell_scanner.h"

namespace canorun::workflows {
namespace {

constexpr std::string_view kNameOrPrefix = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_#!@*";

constexpr std::string_view kInnerQuotes = "quotes in ${ } in double quotes";

bool ends_word(char c) { return std::string_view(" \t\n;&|<>()").find(c) != std::string_view::npos; }

// NAME, NAME+, NAME[index]: what an assignment's `=` may follow. Brackets in the index are not read.
bool is_assignable(ShellWord& word) {
  if (word.name().empty()) return false;
  std::string_view rest = std::string_view(word.text).substr(word.name().size());
  if (rest.starts_with('[')) {
    const auto close = rest.find(']');
    if (close == std::string_view::npos || rest.find('[', 1) < close) return false;
    rest.remove_prefix(close + 1);
  }
  return rest.empty() || rest == "+";
}

}  // namespace

ShellWord ShellScanner::word(const ShellCommand* command) {
  ShellWord word;
  word.command = command;
  bool brace = false;
  while (!at_end() && !ends_word(here())) {
    switch (here()) {
      case kHole: word_hole(word, Quoting::kUnquoted); break;
      case '\\': backslash(word, false); break;
      case '\'': single_quotes(word); break;
      case '"':
        ++at_;
        word.quoted = true;
        double_quotes(word);
        break;
      case '`':
      case '$': expansion(word, false); break;
      case '=':
        word.assignment = word.assignment || (word.assignable && !word.quoted && word.literal && is_assignable(word));
        word.assignable = false;
        add(word);
        break;
      case '{':
        brace = true;
        add(word);
        break;
      case ',':
      case '.':
        word.splits = word.splits || brace;
        word.literal = word.literal && !brace;
        [[fallthrough]];
      default: add(word);
    }
  }
  return word;
}

void ShellScanner::add(ShellWord& word) {
  word.text += here();
  ++at_;
}

void ShellScanner::word_hole(ShellWord& word, Quoting quoting) {
  const Refusal refused = word.command != nullptr && region_.empty() ? word.command->refuses(word) : Refusal();
  word.literal = false;
  if (refused.empty()) {
    place(quoting);
  } else {
    refuse(refused);
  }
  ++at_;
}

// What a command inside prints becomes a part of the word: a value in it is refused where one would be here.
void ShellScanner::expansion(ShellWord& word, bool in_double_quotes) {
  const Refusal outer = region_;
  if (region_.empty() && word.command != nullptr) region_ = word.command->refuses(word);
  word.literal = false;
  if (here() == '`') {
    backticks(in_double_quotes);
  } else {
    dollar(in_double_quotes);
  }
  region_ = outer;
}

void ShellScanner::backslash(ShellWord& word, bool in_double_quotes) {
  const char next = here(1);
  if (hole_at(at_ + 1)) {
    refuse({"the place behind a backslash"});
    word.literal = false;
  } else if (next != '\n') {
    word.quoted = true;
    if (in_double_quotes && std::string_view("$`\"\\").find(next) == std::string_view::npos) word.text += '\\';
    word.text += next;
  }
  at_ = std::min(at_ + 2, text_.size());
}

void ShellScanner::single_quotes(ShellWord& word) {
  const std::size_t end = std::min(text_.find('\'', at_ + 1), text_.size());
  word.quoted = true;
  word.text += text_.substr(at_ + 1, end - at_ - 1);
  ++at_;
  skip_to(end, {"single quotes"});
  if (!at_end()) ++at_;
}

// `$'…'`: other shells than POSIX's end it at another quote.
void ShellScanner::ansi_quotes() {
  for (at_ += 2; !at_end() && here() != '\''; ++at_) {
    if (here() == kHole) refuse({"$'…'"});
    if (here() != '\\') continue;
    if (here(1) == '\'') be_unsure("$'…' with a quote in it");
    if (hole_at(at_ + 1)) refuse({"$'…'"});
    ++at_;
  }
  if (!at_end()) ++at_;
}

void ShellScanner::double_quotes(ShellWord& word) {
  while (!at_end() && here() != '"') {
    switch (here()) {
      case kHole: word_hole(word, Quoting::kDoubleQuoted); break;
      case '\\': backslash(word, true); break;
      case '`':
      case '$': expansion(word, true); break;
      default: add(word);
    }
  }
  if (!at_end()) ++at_;
}

void ShellScanner::dollar(bool in_double_quotes) {
  if (++depth_ > kMaxDepth) give_up("nesting this deep");
  const char next = here(1);
  // A shell takes `\` and the line break away before it looks at what follows the '$'.
  if (line_continues(1) || (next == '(' && line_continues(2))) be_unsure("a '$' with a continued line behind it");
  if (hole_at(at_ + 1)) {
    refuse({"the place behind a '$'"});
    at_ += 2;
  } else if (next == '(' && here(2) == '(') {
    arithmetic();
  } else if (next == '(') {
    at_ += 2;
    nested_commands();
  } else if (next == '{') {
    parameter(in_double_quotes);
  } else if (next == '\'' && !in_double_quotes) {
    ansi_quotes();
  } else {
    if (next == '[') be_unsure("'$['");
    if (!at_end()) ++at_;
  }
  --depth_;
}

// `${…}`: what stands inside is a default here, a pattern or arithmetic there.
void ShellScanner::parameter(bool in_double_quotes) {
  const Refusal outer = region_;
  ShellWord ignored;
  at_ += 2;
  if (region_.empty()) {
    const std::size_t name = std::min(text_.find_first_not_of(kNameOrPrefix, at_), text_.size());
    const std::string_view then = text_.substr(name, 2);
    const bool index =
        then.starts_with('[') || (then.starts_with(':') && then.find_first_of("-=?+", 1) == std::string_view::npos);
    region_ = {"${ }", index ? instead::kCompute : instead::kUseEnv};
  }
  while (!at_end() && here() != '}') {
    const char c = here();
    if (c == '\'' && in_double_quotes) be_unsure(kInnerQuotes);
    if (c == kHole) {
      refuse(region_);
      ++at_;
    } else if (c == '\\') {
      backslash(ignored, in_double_quotes);
    } else if (c == '\'' && !in_double_quotes) {
      single_quotes(ignored);
    } else if (c == '"' && in_double_quotes) {
      inner_quotes();
    } else if (c == '"') {
      ++at_;
      double_quotes(ignored);
    } else if (c == '`') {
      backticks(in_double_quotes);
    } else if (c == '$') {
      dollar(in_double_quotes);
    } else {
      ++at_;
    }
  }
  if (!at_end()) ++at_;
  region_ = outer;
}

// `"…"` in a `${ }` that is in double quotes itself. Shells agree, as long as nothing in it would mean
// something else were the quotes not seen.
void ShellScanner::inner_quotes() {
  ++at_;
  while (!at_end() && here() != '"') {
    switch (here()) {
      case '`': backticks(true); break;
      case '$': dollar(true); break;
      case '\'':
      case '\\':
      case '}': be_unsure(kInnerQuotes); [[fallthrough]];
      default:
        if (here() == kHole) refuse(region_);
        ++at_;
    }
  }
  if (!at_end()) ++at_;
}

void ShellScanner::arithmetic() {
  const Refusal outer = std::exchange(region_, region_.empty() ? Refusal{"$(( ))", instead::kCompute} : region_);
  at_ += 3;
  for (std::size_t open = 2; open > 0 && !at_end();) {
    const char c = here();
    if (c == '$') {
      dollar(true);
      continue;
    }
    if (c == '`') {
      backticks(true);
      continue;
    }
    if (c == kHole) refuse(region_);
    if (c == '\'' || c == '"' || c == '\\') be_unsure("quotes in $(( ))");
    if (c == '(') ++open;
    if (c == ')' && --open == 1 && here(1) != ')') be_unsure("'$((' that '))' does not end");
    ++at_;
  }
  region_ = outer;
}

void ShellScanner::backticks(bool in_double_quotes) {
  const std::size_t begin = at_ + 1;
  std::size_t end = begin;
  bool escapes = false;
  while (end < text_.size() && text_[end] != '`') {
    const bool escape = text_[end] == '\\';
    escapes = escapes || escape;
    end += escape ? 2 : 1;
  }
  if (end >= text_.size()) return give_up("a backtick that is not closed");
  at_ = begin;
  if (in_double_quotes || escapes) {
    skip_to(end, {"backticks", instead::kUseDollar});
  } else {
    const std::string_view all = std::exchange(text_, text_.substr(0, end));
    auto outer = std::exchange(pending_, {});
    const bool whole = commands(false) == End::kText;
    if (!whole || !pending_.empty() || (!outer.empty() && text_.substr(begin).find('\n') != std::string_view::npos)) {
      be_unsure("backticks that shells read differently");
    }
    skip_to(end, {"backticks", instead::kUseDollar});
    pending_ = std::move(outer);
    text_ = all;
  }
  at_ = end + 1;
}

}  // namespace canorun::workflows
