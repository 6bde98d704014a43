#include "workflows/report.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/base/suggest.h"

namespace canorun::workflows {

void Report::error(Code code, Span span, std::string message, std::string hint) {
  errors_ = true;
  add(Severity::kError, code, span, std::move(message), std::move(hint));
}

void Report::warning(Code code, Span span, std::string message, std::string hint) {
  add(Severity::kWarning, code, span, std::move(message), std::move(hint));
}

void Report::add(Severity severity, Code code, Span span, std::string message, std::string hint) {
  if (full()) {
    ++dropped_;
    return;
  }
  // A text that ends too early has its problem behind its last byte, where there is none to point at.
  span.end = std::min(span.end, static_cast<std::uint32_t>(source_->text().size()));
  if (!seen_.emplace(code, span.begin, message).second) return;
  kept_.push_back({code, severity, source_, span, std::move(message), std::move(hint)});
}

Guess Report::guess(std::string_view name, std::span<const std::string_view> known) {
  if (!may_guess(known.size())) return {};
  std::size_t letters = known.size();
  for (const std::string_view each : known) letters += name.size() * each.size();
  if (!may_guess(letters)) return {};
  letters_left_ -= letters;
  const auto best = nearest(name, known);
  return {best, suggestion_of(best, known)};
}

std::vector<Diagnostic> Report::take() {
  sort_by_place(kept_);
  if (dropped_ > 0) {
    kept_.push_back({.code = kept_.back().code,
                     .severity = errors_ ? Severity::kError : Severity::kWarning,
                     .source = nullptr,
                     .span = {},
                     .message = fmt::format("and {} more problems like these", dropped_),
                     .hint = {},
                     .file = source_->name()});
  }
  return std::move(kept_);
}

}  // namespace canorun::workflows
