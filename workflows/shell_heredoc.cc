#include "workflows/shell_scanner.h"

namespace canorun::workflows {

// Behind `<<`: the delimiter.
void ShellScanner::here_document() {
  HereDoc document{.delimiter = {}, .quoted = false, .strip_tabs = here() == '-', .region = region_};
  if (document.strip_tabs) ++at_;
  skip_blanks();
  const std::size_t holes = holes_.size();
  ShellWord delimiter = word();
  for (std::size_t i = holes; i < holes_.size(); ++i) holes_[i] = {Quoting::kRefused, "the delimiter of a here-document"};
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
  const std::string outer = std::exchange(region_, document.quoted ? "a quoted here-document" : document.region);
  const std::size_t first_hole = holes_.size();
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
  // Shells differ on what ends it then.
  if (!ended) be_unsure("a here-document that does not end");
  for (std::size_t i = first_hole; i < holes_.size() && !ended; ++i) holes_[i] = {Quoting::kRefused, "a here-document that does not end"};
  region_ = outer;
}

}  // namespace canorun::workflows
