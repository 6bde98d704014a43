#include "workflows/shell_scanner.h"

namespace canorun::workflows {

// Behind `<<`: the delimiter.
void ShellScanner::here_document() {
  HereDoc document{.delimiter = {}, .quoted = false, .strip_tabs = here() == '-', .region = region_};
  if (document.strip_tabs) ++at_;
  // `<<` may become `<<-` or `<<<`.
  if (line_continues(0)) be_unsure("a redirection with a continued line behind it");
  skip_blanks();
  const std::size_t holes = holes_.size();
  ShellWord delimiter = word();
  refuse_since(holes, {"the delimiter of a here-document", instead::kWriteOut});
  if (!delimiter.literal) be_unsure("a here-document whose delimiter is not plain");
  document.delimiter = std::move(delimiter.text);
  document.quoted = delimiter.quoted;
  pending_.push_back(std::move(document));
}

void ShellScanner::newline() {
  ++at_;
  for (const HereDoc& document : std::exchange(pending_, {})) here_document_body(document);
}

void ShellScanner::here_document_body(const HereDoc& document) {
  const Refusal outer = std::exchange(region_, document.quoted ? Refusal{"a quoted here-document"} : document.region);
  const std::size_t first_hole = holes_.size();
  const std::optional<std::size_t> agreed_end = this->agreed_end(document);
  bool ended = false;
  ShellWord ignored;
  while (!at_end() && !ended) {
    const auto [begin, end] = line_at(at_, document);
    if (text_.substr(begin, end - begin) == document.delimiter) {
      at_ = std::min(end + 1, text_.size());
      ended = true;
      continue;
    }
    if (document.quoted) skip_to(end, region_);
    while (!at_end() && here() != '\n') {
      if (here() == kHole) {
        place(Quoting::kDoubleQuoted);
        ++at_;
      } else if (here() == '\\') {
        backslash(ignored, true);
      } else if (here() == '`') {
        backticks(true);
      } else if (here() == '$') {
        dollar(true);
      } else {
        ++at_;
      }
    }
    if (!at_end()) ++at_;
  }
  // Shells differ on what ends it, where nothing does, or where its delimiter stands in a command inside.
  if (!ended || at_ != agreed_end) {
    const std::string where =
        ended ? "a here-document that shells end in different lines" : "a here-document that does not end";
    be_unsure(where);
    refuse_since(first_hole, {where});
  }
  region_ = outer;
}

// A line of a body, without the tabs that are no part of it and without its line break.
ShellScanner::Line ShellScanner::line_at(std::size_t at, const HereDoc& document) const {
  const std::size_t begin = document.strip_tabs ? std::min(text_.find_first_not_of('\t', at), text_.size()) : at;
  return {begin, std::min(text_.find('\n', begin), text_.size())};
}

// Behind the first line that is the delimiter, whatever it stands in; none where bash may end before.
std::optional<std::size_t> ShellScanner::agreed_end(const HereDoc& document) const {
  std::string joined;
  bool continues = false;
  for (std::size_t line = at_; line < text_.size();) {
    const auto [begin, end] = line_at(line, document);
    const std::string_view text = text_.substr(begin, end - begin);
    if (text == document.delimiter) return std::min(end + 1, text_.size());
    // Bash takes a backslash and the line break behind it away before it compares.
    if (!continues) joined.clear();
    joined += continues ? text_.substr(line, end - line) : text;
    const std::size_t backslashes = text.size() - (text.find_last_not_of('\\') + 1);
    line = std::min(end + 1, text_.size());
    continues = !document.quoted && backslashes % 2 == 1;
    if (continues) {
      joined.pop_back();
      continue;
    }
    // In $( ), a `)` behind the delimiter ends the document and the command, too.
    const bool ends_both =
        nested_ > 0 && joined.starts_with(document.delimiter) && joined.find(')') != std::string::npos;
    if (ends_both || joined == document.delimiter) return std::nullopt;
  }
  return continues && joined == document.delimiter ? std::nullopt : std::optional(text_.size() + 1);
}

}  // namespace canorun::workflows
