#include "workflows/shell_scanner.h"

#include <algorithm>

namespace canorun::workflows {
namespace {

bool is_file_descriptor(const ShellWord& word) {
  if (word.quoted || !word.literal || word.text.empty()) return false;
  if (word.text.front() == '{' && word.text.back() == '}' && word.text.size() > 2) return true;
  return std::ranges::all_of(word.text, [](char c) { return c >= '0' && c <= '9'; });
}

// `{NAME[index]}`: bash puts the number of a descriptor there.
bool is_element_for_descriptor(const ShellWord& word) {
  if (!word.text.starts_with('{') || !word.text.ends_with("]}")) return false;
  ShellWord inside;
  inside.text = word.text.substr(1);
  return inside.begins_element();
}

}  // namespace

std::vector<HolePlace> ShellScanner::run() {
  while (!at_end()) {
    if (commands(false) != End::kText) be_unsure("a ')' that nothing opened");
  }
  return std::move(holes_);
}

void ShellScanner::place(Quoting quoting) {
  if (region_.empty() && unsure_.empty()) {
    holes_.push_back({.quoting = quoting});
  } else {
    refuse(region_);
  }
}

void ShellScanner::refuse(const Refusal& refusal) {
  const Refusal told = unsure_.empty() ? refusal : Refusal{unsure_};
  holes_.push_back({Quoting::kRefused, told.where, told.hint});
}

void ShellScanner::refuse_since(std::size_t first_hole, const Refusal& refusal) {
  for (std::size_t i = first_hole; i < holes_.size(); ++i) holes_[i] = {Quoting::kRefused, refusal.where, refusal.hint};
}

void ShellScanner::be_unsure(std::string_view after) {
  if (unsure_.empty()) unsure_ = "a script behind " + std::string(after);
}

void ShellScanner::give_up(std::string_view after) {
  be_unsure(after);
  skip_to(text_.size(), {});
}

void ShellScanner::skip_to(std::size_t end, const Refusal& refusal) {
  for (; at_ < std::min(end, text_.size()); ++at_) {
    if (text_[at_] == kHole) refuse(refusal);
  }
}

void ShellScanner::skip_blanks() {
  while (!at_end()) {
    if (here() == '\\' && at_ + 1 < text_.size() && here(1) == '\n') {
      at_ += 2;
    } else if (here() == ' ' || here() == '\t') {
      ++at_;
    } else {
      return;
    }
  }
}

ShellScanner::End ShellScanner::commands(bool in_case_item) {
  if (++depth_ > kMaxDepth) give_up("nesting this deep");
  ShellCommand command;
  std::optional<End> end;
  while (!end) {
    skip_blanks();
    if (at_end()) {
      end = End::kText;
    } else if (here() == '#') {
      skip_to(std::min(text_.find('\n', at_), text_.size()), {"a comment"});
    } else if (!operator_here(command, in_case_item, end)) {
      end = command_word(command, in_case_item);
    }
  }
  --depth_;
  return *end;
}

// Takes an operator, if one stands here.
bool ShellScanner::operator_here(ShellCommand& command, bool in_case_item, std::optional<End>& end) {
  switch (here()) {
    case '\n':
      newline();
      command = {};
      return true;
    case ';':
      ++at_;
      command = {};
      if (here() != ';' && here() != '&') return true;
      while (!at_end() && (here() == ';' || here() == '&')) ++at_;
      if (in_case_item) end = End::kItem;
      if (!in_case_item) be_unsure("';;' outside a case");
      return true;
    case '&':
      if (here(1) == '>') be_unsure("'&>', which shells read differently");
      if (line_continues(1)) be_unsure("a '&' with a continued line behind it");
      if (here(1) == '&') ++at_;
      [[fallthrough]];
    case '|':
      ++at_;
      command = {};
      return true;
    case '(': parenthesis(command); return true;
    case ')':
      ++at_;
      end = End::kParen;
      return true;
    case '<':
    case '>':
      if (line_continues(1)) be_unsure("a redirection with a continued line behind it");
      command.has_here_document = command.has_here_document || here(1) == '<';
      if (command.runs_here_document()) be_unsure("a here-document that is run");
      redirection(command);
      return true;
    default: return false;
  }
}

void ShellScanner::parenthesis(ShellCommand& command) {
  ++at_;
  if (command.has_name_only()) {
    skip_blanks();
    if (here() == ')') {
      ++at_;
      command = {};
      return;
    }
  }
  if (!command.at_start() || here() == '(' || line_continues(0)) be_unsure("parentheses that shells read differently");
  commands(false);
  command = {};
}

std::optional<ShellScanner::End> ShellScanner::command_word(ShellCommand& command, bool in_case_item) {
  // The target of a redirection is never code, whatever the command is.
  const Refusal outer = region_;
  if (region_.empty() && !command.target_next) region_ = command.region();
  const bool names_command = command.at_start() && !command.target_next;
  const std::size_t first_hole = holes_.size();
  ShellWord taken = word(&command);
  region_ = outer;
  if (here() == '<' || here() == '>') {
    if (is_file_descriptor(taken)) return std::nullopt;
    if (is_element_for_descriptor(taken)) refuse_since(first_hole, {"an array index", instead::kCompute});
  }
  if (here() == '(' && taken.assignment) be_unsure("an array literal");
  const bool is_path = taken.text.find('/') != std::string::npos && !taken.splits;
  if (names_command && !taken.assignment && !is_path) {
    for (std::size_t hole = first_hole; hole < holes_.size(); ++hole) {
      if (holes_[hole].quoting != Quoting::kRefused)
        holes_[hole] = {Quoting::kRefused, "the name of a command", instead::kUseEnv};
    }
  }
  return took(command, taken, names_command, in_case_item);
}

// Goes on behind a word.
std::optional<ShellScanner::End> ShellScanner::took(ShellCommand& command, ShellWord& taken, bool names_command,
                                                    bool in_case_item) {
  const ShellCommand::Word kind = command.take(taken);
  if (command.runs_here_document()) be_unsure("a here-document that is run");
  switch (kind) {
    case ShellCommand::Word::kPart:
    case ShellCommand::Word::kReserved: return std::nullopt;
    case ShellCommand::Word::kEsac:
      if (in_case_item) return End::kEsac;
      be_unsure("'esac' outside a case");
      return std::nullopt;
    case ShellCommand::Word::kCase:
      case_command();
      command = {};
      return std::nullopt;
    case ShellCommand::Word::kDoubleBracket: double_bracket(); return std::nullopt;
    case ShellCommand::Word::kUnknown:
      be_unsure("'" + (names_command ? "" : command.name() + ' ') + taken.text.substr(0, 80) + "'");
      command = {};
      return std::nullopt;
  }
  return std::nullopt;
}

void ShellScanner::redirection(ShellCommand& command) {
  const char first = here();
  ++at_;
  if (first == '<' && here() == '<' && here(1) != '<') {
    ++at_;
    here_document();
    return;
  }
  if (here() == '(') {
    be_unsure("a process substitution, which is not POSIX");
    ++at_;
    nested_commands();
    return;
  }
  while (!at_end() && (here() == '<' || here() == '>' || here() == '&' || here() == '|')) ++at_;
  command.target_next = true;
  command.target_is_twin = text_[at_ - 1] == '&';
}

void ShellScanner::case_command() {
  skip_blanks();
  word();
  const auto skip_lines = [this] {
    for (skip_blanks(); !at_end() && (here() == '\n' || here() == '#'); skip_blanks()) {
      if (here() == '#') skip_to(std::min(text_.find('\n', at_), text_.size()), {"a comment"});
      if (!at_end()) newline();
    }
  };
  skip_lines();
  const ShellWord in = word();
  if (in.text != "in" || in.quoted) return be_unsure("a 'case' without 'in'");
  for (;;) {
    skip_lines();
    if (at_end() || !case_pattern()) return;
    const End end = commands(true);
    if (end == End::kParen) return be_unsure("a ')' that nothing opened");
    if (end != End::kItem) return;
  }
}

// Up to its `)`. False when there is none any more: `esac`, or something that cannot be read.
bool ShellScanner::case_pattern() {
  const Refusal outer = std::exchange(region_, region_.empty() ? Refusal{"a case pattern"} : region_);
  const bool parenthesized = here() == '(';
  if (parenthesized) ++at_;
  bool first = true;
  bool found = false;
  for (skip_blanks(); !at_end(); skip_blanks(), first = false) {
    if (here() == ')') {
      ++at_;
      found = true;
      break;
    }
    if (here() == '|') {
      ++at_;
      continue;
    }
    const std::size_t before = at_;
    const ShellWord taken = word();
    if (first && !parenthesized && taken.text == "esac" && taken.literal && !taken.quoted) break;
    if (at_ == before) {
      be_unsure("a case pattern that shells read differently");
      break;
    }
  }
  region_ = outer;
  return found;
}

void ShellScanner::double_bracket() {
  const Refusal outer = std::exchange(region_, region_.empty() ? Refusal{"[[ ]]", instead::kUseTest} : region_);
  for (skip_blanks(); !at_end(); skip_blanks()) {
    // A line break may begin a here-document, and `#` a comment; `<<` is a here-document where `[[` is a command.
    if (here() == '\n' || here() == '#' || (here() == '<' && here(1) == '<'))
      be_unsure("[[ ]] that shells read differently");
    const std::size_t before = at_;
    const ShellWord taken = word();
    if (taken.text == "]]" && taken.literal && !taken.quoted) break;
    if (at_ == before) ++at_;  // operators, parentheses and line breaks mean nothing to the shell here
  }
  region_ = outer;
}

void ShellScanner::nested_commands() {
  const std::size_t begin = at_;
  auto outer = std::exchange(pending_, {});
  ++nested_;
  if (commands(false) != End::kParen && !at_end()) be_unsure("a nested command that does not end");
  const bool several_lines = text_.substr(begin, at_ - begin).find('\n') != std::string_view::npos;
  if (!pending_.empty() || (!outer.empty() && several_lines)) be_unsure("a here-document inside another command");
  pending_ = std::move(outer);
  --nested_;
}

}  // namespace canorun::workflows
