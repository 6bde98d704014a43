#include "cli/view_logs.h"

#include <fmt/format.h>

#include "engine/base/duration.h"
#include "engine/base/ids.h"

namespace canorun::cli {
namespace {

std::string_view stream_name(model::Stream stream) { return stream == model::Stream::kStdout ? "stdout" : "stderr"; }

}  // namespace

std::size_t unfinished_bytes(std::string_view text) {
  for (std::size_t back = 1; back <= std::min<std::size_t>(3, text.size()); ++back) {
    const auto byte = static_cast<unsigned char>(text[text.size() - back]);
    if ((byte & 0xC0) == 0x80) continue;
    const std::size_t length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1;
    return length > back ? back : 0;
  }
  return 0;
}

Json LogView::about(const run::AttemptName& name) const {
  Json about{{"state", name.state}, {"row", name.row}, {"attempt", name.attempt}};
  if (!name.part.empty()) about["part"] = name.part;
  return about;
}

void LogView::header(const run::AttemptName& name) {
  std::string key = name.file_name();
  if (form_ != Form::kHeaders || key == current_) return;
  finish();
  std::string text = fmt::format("==> {}, visit {}, attempt {} <==", work_name(name.state, name.part),
                                 visit_of_(name.row), name.attempt);
  out_.write(fmt::format("{}{}\n", current_.empty() ? "" : "\n", style_.bold(text)));
  current_ = std::move(key);
}

void LogView::chunk(const run::AttemptName& name, const run::Chunk& chunk) {
  if (form_ == Form::kJson) {
    std::string& half = halves_[name.file_name() + std::string(stream_name(chunk.stream))];
    std::string text = std::exchange(half, {}) + std::string(chunk.bytes);
    half = text.substr(text.size() - unfinished_bytes(text));
    text.resize(text.size() - half.size());
    Json line = about(name);
    line["at"] = format_time(chunk.at);
    line["stream"] = stream_name(chunk.stream);
    line["text"] = to_utf8(text);
    return out_.write(to_json_text(line) + "\n");
  }
  header(name);
  const bool painted = style_.color && chunk.stream == model::Stream::kStderr;
  out_.write(painted ? style_.bad(chunk.bytes) : std::string(chunk.bytes));
  line_begun_ = !chunk.bytes.ends_with('\n');
}

void LogView::gap(const run::AttemptName& name, std::uint64_t left_out) {
  if (form_ == Form::kJson) {
    Json line = about(name);
    line["left_out"] = left_out;
    return out_.write(to_json_text(line) + "\n");
  }
  if (form_ == Form::kBytes) return;
  header(name);
  finish();
  out_.write(style_.dim(fmt::format("[… {} were not kept …]", human_size(left_out))) + "\n");
}

void LogView::finish() {
  if (form_ == Form::kHeaders && line_begun_) out_.write("\n");
  line_begun_ = false;
}

}  // namespace canorun::cli
