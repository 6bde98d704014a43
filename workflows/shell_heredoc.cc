#include "workflows/shell_scanner.h"

namespace canorun::workflows {

// Behind `<<`: the delimiter.
void ShellScanner::here_document() {
  HereDoc document{.delimiter = {}, .quoted = false, .strip_tabs = here() == '-', .region = region_};
  if (document.strip_tabs) ++at_;
  skip_blanks();
  const std::size_t holes = holes_.size();
  ShellWord delimiter = word();
  for (std::size_t i = holes; i < holes_.size(); ++i) holes_[i] = {Quoting::kRefused, "the delimiter of a here-document", instead::kWriteOut};
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
  const std::size_t first_end = this->first_end(document);
  bool ended = false;
  ShellWord ignored;
  while (!at_end() && !ended) {
    std::size_t begin = at_;
    if (document.strip_tabs) begin = std::min(text_.find_first_not_of('\t', at_), text_.size());
    const std::size_t end = std::min(text_.find('\n', begin), text_.size());
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
        dollar(ignored, true);
      } else {
        ++at_;
      }
    }
    if (!at_end()) ++at_;
  }
  // Shells differ on what ends it, where nothing does, or where its delimiter stands in a command inside.
  if (!ended || at_ != first_end) {
    const std::string where = ended ? "a here-document that shells end in different lines" : "a here-document that does not end";
    be_unsure(where);
    for (std::size_t i = first_hole; i < holes_.size(); ++i) holes_[i] = {Quoting::kRefused, where, instead::kUseEnv};
  }
  region_ = outer;
}

// Behind the first line that is the delimiter, whatever it stands in.
std::size_t ShellScanner::first_end(const HereDoc& document) const {
  for (std::size_t line = at_; line < text_.size();) {
    const std::size_t begin = document.strip_tabs ? std::min(text_.find_first_not_of('\t', line), text_.size()) : line;
    const std::size_t end = std::min(text_.find('\n', begin), text_.size());
    line = std::min(end + 1, text_.size());
    if (text_.substr(begin, end - begin) == document.delimiter) return line;
  }
  return text_.size() + 1;
}

}  // namespace canorun::workflows
