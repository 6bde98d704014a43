// A reader of POSIX shell syntax, as far as quoting needs it (POSIX.1-2017, XCU chapter 2).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "workflows/shell_command.h"
#include "workflows/shell_script.h"

namespace canorun::workflows {

/// Goes over the script once. Use `run` once.
class ShellScanner {
 public:
  explicit ShellScanner(std::string_view script) : text_(script) {}

  std::vector<HolePlace> run();

 private:
  /// Deeper than this no script is read.
  static constexpr std::size_t kMaxDepth = 100;

  /// What ended a list of commands.
  enum class End : std::uint8_t { kText, kParen, kItem, kEsac };
  struct HereDoc {
    std::string delimiter;
    bool quoted;
    bool strip_tabs;
    Refusal region;
  };
  struct Line {
    std::size_t begin, end;
  };

  // shell_scanner.cc: commands
  End commands(bool in_case_item);
  bool operator_here(ShellCommand& command, bool in_case_item, std::optional<End>& end);
  std::optional<End> command_word(ShellCommand& command, bool in_case_item);
  std::optional<End> took(ShellCommand& command, ShellWord& taken, bool names_command, bool in_case_item);
  void parenthesis(ShellCommand& command);
  void redirection(ShellCommand& command);
  void case_command();
  bool case_pattern();
  void double_bracket();
  void nested_commands();

  // shell_quoting.cc: words and what stands in them
  ShellWord word(const ShellCommand* command = nullptr);
  void add(ShellWord& word);
  void word_hole(ShellWord& word, Quoting quoting);
  void expansion(ShellWord& word, bool in_double_quotes);
  void single_quotes(ShellWord& word);
  void ansi_quotes();
  void double_quotes(ShellWord& word);
  void backslash(ShellWord& word, bool in_double_quotes);
  void dollar(bool in_double_quotes);
  void parameter(bool in_double_quotes);
  void inner_quotes();
  void arithmetic();
  void backticks(bool in_double_quotes);

  // shell_heredoc.cc
  void here_document();
  void newline();
  void here_document_body(const HereDoc& document);
  std::optional<std::size_t> agreed_end(const HereDoc& document) const;
  Line line_at(std::size_t at, const HereDoc& document) const;

  bool at_end() const { return at_ >= text_.size(); }
  char here(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\n'; }
  /// A backslash and a line break, which shells take away, stand `ahead` of here.
  bool line_continues(std::size_t ahead) const { return here(ahead) == '\\' && here(ahead + 1) == '\n'; }
  bool hole_at(std::size_t at) const { return at < text_.size() && text_[at] == kHole; }
  void skip_blanks();
  void skip_to(std::size_t end, const Refusal& refusal);

  void place(Quoting quoting);
  void refuse(const Refusal& refusal);
  void refuse_since(std::size_t first_hole, const Refusal& refusal);
  void be_unsure(std::string_view after);
  void give_up(std::string_view after);

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<HolePlace> holes_;
  std::vector<HereDoc> pending_;  ///< whose bodies begin behind the next line break
  Refusal region_;                ///< where all holes are refused at the moment; empty: they are not
  std::string unsure_;            ///< why everything from here on is refused; empty: it is not
  std::size_t depth_ = 0;
  std::size_t nested_ = 0;  ///< how many $( ) it is in
};

}  // namespace canorun::workflows
