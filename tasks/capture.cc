#include "tasks/capture.h"

#include <algorithm>

#include "engine/base/value.h"

namespace canorun::tasks {
namespace {

constexpr std::size_t kTailBytes = 4096;
constexpr int kTailLines = 20;

std::string_view without_end_newline(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  return text;
}

// How many bytes a UTF-8 character has that begins with this byte; 1 for what begins none.
std::size_t character_length(unsigned char lead) {
  if (lead >= 0xf0) return 4;
  if (lead >= 0xe0) return 3;
  if (lead >= 0xc0) return 2;
  return 1;
}

std::string_view without_half_character(std::string_view text) {
  for (std::size_t back = 1; back <= std::min<std::size_t>(3, text.size()); ++back) {
    const auto byte = static_cast<unsigned char>(text[text.size() - back]);
    if ((byte & 0xc0) == 0x80) continue;
    if (character_length(byte) > back) text.remove_suffix(back);
    break;
  }
  return text;
}

}  // namespace

void Capture::take(std::string_view bytes) {
  const std::size_t fits = std::min(limit_ - kept_.size(), bytes.size());
  kept_.append(bytes.substr(0, fits));
  bytes.remove_prefix(fits);
  if (bytes.empty()) return;
  truncated_ = true;
  overflow_.append(bytes.substr(bytes.size() - std::min(bytes.size(), kTailBytes)));
  if (overflow_.size() > 2 * kTailBytes) overflow_.erase(0, overflow_.size() - kTailBytes);
}

std::string Capture::text() const {
  return to_utf8(truncated_ ? without_half_character(kept_) : without_end_newline(kept_));
}

std::string Capture::tail() const {
  const std::string_view kept = kept_;
  std::string end(kept.substr(kept.size() - std::min(kept.size(), 2 * kTailBytes)));
  return last_lines(end.append(overflow_));
}

void CapturedStream::keep(std::string_view bytes) {
  if (bytes.empty()) return;
  capture_.take(bytes);
  context_.write_log(stream_, bytes);
}

std::string first_lines(std::string_view text) {
  if (text.size() > kTailBytes) text = without_half_character(text.substr(0, kTailBytes));
  std::size_t end = 0;
  for (int line = 0; line < kTailLines && end != std::string_view::npos; ++line) {
    end = text.find('\n', line == 0 ? 0 : end + 1);
  }
  return to_utf8(without_end_newline(text.substr(0, end)));
}

std::string last_lines(std::string_view text) {
  text = without_end_newline(text);
  if (text.size() > kTailBytes) {
    text.remove_prefix(text.size() - kTailBytes);
    // The first line is only half there; a single long one is better than nothing.
    if (const auto line_end = text.find('\n'); line_end != std::string_view::npos) text.remove_prefix(line_end + 1);
  }
  std::size_t begin = text.size();
  for (int line = 0; line < kTailLines && begin != std::string_view::npos && begin > 0; ++line) {
    begin = text.rfind('\n', begin - 1);
  }
  if (begin != std::string_view::npos && begin > 0) text.remove_prefix(begin + 1);
  return to_utf8(text);
}

}  // namespace canorun::tasks
